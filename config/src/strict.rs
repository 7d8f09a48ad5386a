//! Reading a TOML file so that a mistake is shown where it is.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The largest configuration file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration that is not taken into use. The program ends with exit code 78 (sysexits: `EX_CONFIG`).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {why}\n  a host is made with `sluis init`; another one is named with --config", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// It is not what it should be; line, column and caret are in the text.
    #[error("{}: {why}  compare it with the annotated example in config/examples/", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// `toml`'s own report.
        why: String,
    },
    /// An environment variable has a value that does not serve.
    #[error("{0} in the environment: {1}")]
    Environment(&'static str, String),
    /// The section that this role needs is not there.
    #[error("{}: the section [{section}] is missing; `sluisd {section}` reads its settings there", path.display())]
    Section {
        /// Which file.
        path: PathBuf,
        /// Which section.
        section: &'static str,
    },
    /// An agreement that contradicts itself or the law.
    #[error("{}: {why}", path.display())]
    Agreement {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// What reminders leave by does not serve.
    #[error("notifier: {why}")]
    Notifier {
        /// What is wrong.
        why: String,
    },
    /// A channel of the releaser whose template does not serve.
    #[error("releaser.channels.{id}: {why}")]
    Channel {
        /// Which.
        id: String,
        /// What is wrong.
        why: String,
    },
    /// A secret that is missing or that others can read.
    #[error("credential {name}: {why}")]
    Credential {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// The text of a configuration file.
///
/// # Errors
/// [`ConfigError::Unreadable`].
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |why: String| ConfigError::Unreadable { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
    if size > MAX_BYTES {
        return Err(unreadable(format!("{size} bytes is no configuration")));
    }
    std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))
}

/// The value of a configuration file: unknown keys, wrong types and missing keys are errors.
///
/// # Errors
/// [`ConfigError::Wrong`].
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text)
        .map_err(|e| ConfigError::Wrong { path: path.to_owned(), why: e.to_string() })
}
