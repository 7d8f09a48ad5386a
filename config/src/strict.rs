//! Reading a TOML file so that a mistake is shown where it is.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sluis_core::words;
use sluis_core::words::Words;

mod dutch;

/// The largest configuration file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// A configuration that is not taken into use. The program ends with exit code 78 (sysexits: `EX_CONFIG`).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why not.
        why: Words,
    },
    /// It is not what it should be; line, column and caret are in the text.
    #[error("{}: {why}  compare it with the annotated example in config/examples/", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// `toml`'s own report.
        why: Words,
    },
    /// An environment variable has a value that does not serve.
    #[error("{0} in the environment: {1}")]
    Environment(&'static str, Words),
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
        why: Words,
    },
    /// A value that reads well and does not serve.
    #[error("{key}: {why}")]
    Value {
        /// Where it stands.
        key: &'static str,
        /// What is wrong.
        why: Words,
    },
    /// A channel of the releaser whose template does not serve.
    #[error("releaser.channels.{id}: {why}")]
    Channel {
        /// Which.
        id: String,
        /// What is wrong.
        why: Words,
    },
    /// A secret that is missing or that others can read.
    #[error("credential {name}: {why}")]
    Credential {
        /// Which.
        name: String,
        /// What is wrong.
        why: Words,
    },
}

impl ConfigError {
    /// The same for people.
    #[must_use]
    pub fn words(&self) -> Words {
        let nl = match self {
            Self::Wrong { path, why } => format!(
                "{}: {}  vergelijk het met het voorbeeld met uitleg in config/examples/",
                path.display(),
                why.nl
            ),
            Self::Environment(name, why) => format!("{name} in de omgeving: {}", why.nl),
            Self::Section { path, section } => format!(
                "{}: het deel [{section}] ontbreekt; `sluisd {section}` leest daar zijn instellingen",
                path.display()
            ),
            Self::Unreadable { path, why } | Self::Agreement { path, why } => {
                format!("{}: {}", path.display(), why.nl)
            }
            Self::Value { key, why } => format!("{key}: {}", why.nl),
            Self::Channel { id, why } => format!("releaser.channels.{id}: {}", why.nl),
            Self::Credential { name, why } => format!("credential {name}: {}", why.nl),
        };
        Words { nl, en: self.to_string() }
    }
}

/// The text of a configuration file.
///
/// # Errors
/// [`ConfigError::Unreadable`].
pub fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |why: Words| ConfigError::Unreadable { path: path.to_owned(), why };
    let size = std::fs::metadata(path).map_err(|e| unreadable(Words::io(&e)))?.len();
    if size > MAX_BYTES {
        return Err(unreadable(words!(
            "{size} bytes is geen configuratie",
            "{size} bytes is no configuration"
        )));
    }
    std::fs::read_to_string(path).map_err(|e| unreadable(Words::io(&e)))
}

/// The value of a configuration file: unknown keys, wrong types and missing keys are errors.
///
/// # Errors
/// [`ConfigError::Wrong`].
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|e| ConfigError::Wrong {
        path: path.to_owned(),
        why: dutch::of_toml(&e.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_shown_where_it_is_in_both_languages() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Two {
            #[expect(dead_code, reason = "read only")]
            first: u8,
        }
        for (text, nl, en) in [
            ("second = 1, expected ", "onbekende", "TOML parse error at line 1, column 11"),
            ("", "er ontbreekt een sleutel: `first`", "missing field `first`"),
            ("first = \"unknown field \"", "een ander soort waarde: string", "invalid type"),
            (
                "first = 256",
                "een waarde die niet kan: integer `256`; verwacht: een geheel getal van 0 tot en met 255",
                "invalid value",
            ),
            ("second = 1", "onbekende sleutel `second`; verwacht: `first`", "unknown field"),
        ] {
            let wrong = parse::<Two>(Path::new("a.toml"), text).unwrap_err().words();
            assert!(wrong.en.contains(en), "{}", wrong.en);
            if text.starts_with("second = 1,") {
                // Not what it shows of the file.
                assert!(wrong.nl.contains("TOML-fout op regel 1, kolom 11"), "{}", wrong.nl);
                assert!(wrong.nl.contains("1 | second = 1, expected "), "{}", wrong.nl);
            } else {
                assert!(wrong.nl.contains(nl), "{}", wrong.nl);
            }
        }
    }
}
