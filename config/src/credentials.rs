//! Secrets as files: `$CREDENTIALS_DIRECTORY` first, then the folder of `paths.credentials`.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use secrecy::SecretString;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use crate::strict::ConfigError;

/// What this process has in memory gets into no core dump, and no other process of its user looks into it. Before it reads a
/// secret.
///
/// # Errors
/// Those of the system.
pub fn no_dump() -> io::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    setrlimit(Resource::Core, none)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// Opens a file, never through a link; with its path.
fn open(path: PathBuf) -> Result<(PathBuf, File), (PathBuf, io::Error)> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    match std::fs::OpenOptions::new().read(true).custom_flags(nofollow).open(&path) {
        Ok(file) => Ok((path, file)),
        Err(error) => Err((path, error)),
    }
}

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
        let mut opened = self.folders.iter().map(|folder| open(folder.join(name)));
        // What cannot be read is there, and no other is taken in its place.
        let absent = |it: &Result<_, (_, io::Error)>| matches!(it, Err((_, e)) if e.kind() == ErrorKind::NotFound);
        let Some(found) = opened.find(|it| !absent(it)) else {
            let folders: Vec<_> = self.folders.iter().map(|f| f.display().to_string()).collect();
            return Err(wrong(words!(
                "niet gevonden in {}; zet hem daar terug, met rechten 600. Een nieuwe sleutel: docs/operations.md, Changing keys",
                "not found in {}; put it back there, with mode 600. A new key: docs/operations.md, Changing keys",
                folders.join(", ")
            )));
        };
        let (path, file) = found.map_err(|(path, error)| {
            let path = path.display();
            wrong(words!("{path}: {}", "{path}: {}"; Words::io(&error)))
        })?;
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
