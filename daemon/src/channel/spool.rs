//! A channel that is a folder: for rehearsals and tests. Its statements say `spool`, never `sms`.

use std::path::PathBuf;

use sluis_core::control::Outcome;

use super::Message;
use crate::files;
use sluis_core::words;
use sluis_core::words::Words;

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

    /// Writes the message as a file of its own; the same message again is the same file.
    pub fn send(&self, message: &Message<'_>) -> Outcome {
        let folder = self.folder.join(message.custodian.as_str());
        let file = folder.join(format!("{}.txt", message.reference));
        let written = files::private_folder(&folder)
            .and_then(|()| files::write_durable(&file, format!("{}\n", message.text).as_bytes()));
        match written {
            Ok(()) => Outcome::Accepted {
                driver: "spool".into(),
                message: Some(message.reference.to_owned()),
            },
            Err(error) => {
                let why = Words::io(&error);
                Outcome::Again {
                    why: words!("de map van de spool: {}", "the spool folder: {}"; why),
                }
            }
        }
    }
}
