//! Secrets as files: `$CREDENTIALS_DIRECTORY` first, then the folder of `paths.credentials`.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use crate::strict::ConfigError;

/// The largest secret that is read.
const MAX_BYTES: u64 = 64 * 1024;

/// Where secrets are looked for.
#[derive(Debug, Clone)]
pub struct Credentials {
    folders: Vec<PathBuf>,
}

impl Credentials {
    /// Looks in `$CREDENTIALS_DIRECTORY`, then in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let given = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        Self { folders: given.into_iter().chain([folder.to_owned()]).collect() }
    }

    /// The secret of this name, without the line end after it.
    ///
    /// # Errors
    /// [`ConfigError::Credential`] where there is none, or where group or others can read it.
    pub fn secret(&self, name: &str) -> Result<SecretString, ConfigError> {
        let text = Zeroizing::new(self.read(name, true)?);
        Ok(SecretString::from(text.trim_end_matches(['\n', '\r'])))
    }

    /// A certificate or other public text that lies beside the secrets.
    ///
    /// # Errors
    /// [`ConfigError::Credential`].
    pub fn public(&self, name: &str) -> Result<String, ConfigError> {
        self.read(name, false)
    }

    fn read(&self, name: &str, secret: bool) -> Result<String, ConfigError> {
        let wrong = |why: Words| ConfigError::Credential { name: name.to_owned(), why };
        let path = self.folders.iter().map(|folder| folder.join(name)).find(|path| path.exists());
        let Some(path) = path else {
            let folders: Vec<_> = self.folders.iter().map(|f| f.display().to_string()).collect();
            return Err(wrong(words!(
                "niet gevonden in {}; `sluis init` maakt ze",
                "not found in {}; `sluis init` makes it",
                folders.join(", ")
            )));
        };
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let file: File = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(nofollow)
            .open(&path)
            .map_err(|e| wrong(words!("{}: {}", "{}: {}", path.display(), e)))?;
        let meta = file.metadata().map_err(|e| wrong(Words::io(&e)))?;
        if secret && meta.mode() & 0o077 != 0 {
            let mode = meta.mode() & 0o777;
            return Err(wrong(words!(
                "{} heeft rechten {mode:03o}: anderen kunnen ze lezen. Beschouw ze als bekend: maak een nieuwe, dan chmod 600",
                "{} has mode {mode:03o}: others can read it. Take it as known to them: make a new one, then chmod 600",
                path.display()
            )));
        }
        let mut text = String::new();
        file.take(MAX_BYTES).read_to_string(&mut text).map_err(|e| wrong(Words::io(&e)))?;
        Ok(text)
    }
}
