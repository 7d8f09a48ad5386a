//! A channel that is a folder: for rehearsals and tests. Its statements say `spool`, never `sms`.

use std::path::{Path, PathBuf};

use sluis_core::control::Outcome;
use sluis_core::words;
use sluis_core::words::Words;

use super::Message;
use crate::files;

/// The driver's name in statements.
const DRIVER: &str = "spool";

/// A folder with a folder for each custodian.
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
}

impl Spool {
    /// In this folder.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes the message as a file of its own: one that comes twice lies there twice, as on a telephone.
    pub fn send(&self, message: &Message<'_>) -> Outcome {
        let folder = self.folder.join(message.custodian.as_str());
        let file = free(&folder, message.reference);
        let written = files::private_folder(&folder)
            .and_then(|()| files::write_durable(&file, format!("{}\n", message.text).as_bytes()));
        match written {
            Ok(()) => Outcome::Accepted {
                driver: DRIVER.into(),
                message: Some(message.reference.to_owned()),
            },
            // Once it has its name it may be read, and the disk does not promise that it stays.
            Err(_) if file.exists() => Outcome::Unknown { driver: DRIVER.into() },
            Err(error) => {
                let why = Words::io(&error);
                Outcome::Again {
                    why: words!("de map van de spool: {}", "the spool folder: {}"; why),
                }
            }
        }
    }
}

/// The first name for a message that no file has yet.
fn free(folder: &Path, reference: &str) -> PathBuf {
    let (mut file, mut time) = (folder.join(format!("{reference}.txt")), 1);
    while file.exists() {
        time += 1;
        file = folder.join(format!("{reference}-{time}.txt"));
    }
    file
}
