//! A modem of one's own: the outgoing folder of the SMS Server Tools (`smsd`, Debian's package `smstools`).
//!
//! smsd takes a file once it can lock it, and hands the message to the modem. No operator of a gateway sees the
//! text; the network does. What became of it smsd tells its event handler (`config/providers/smsd-report.sh`).

use std::io::Write;
use std::path::{Path, PathBuf};

use sluis_core::control::Outcome;
use sluis_core::message::Reference;
use sluis_core::words;
use sluis_core::words::Words;
use zeroize::Zeroizing;

use super::Message;
use crate::{durable, files};

/// The driver's name in statements.
const DRIVER: &str = "smsd";

/// A folder that smsd watches.
#[derive(Debug)]
pub struct Smsd {
    outgoing: PathBuf,
}

impl Smsd {
    /// Over this folder, in which nothing is left that a kill kept from being laid ready: a share's text, in the clear.
    #[must_use]
    pub fn new(outgoing: PathBuf) -> Self {
        for half in std::fs::read_dir(&outgoing).into_iter().flatten().flatten() {
            let (name, half) = (half.file_name(), half.path());
            let reference = name.to_str().and_then(|name| name.strip_prefix('.'));
            if reference.is_some_and(|it| it.parse::<Reference>().is_ok())
                && let Err(error) = files::erase(&half)
            {
                tracing::error!(%error, "what was half laid ready for smsd cannot be erased");
            }
        }
        Self { outgoing }
    }

    /// Lays the message ready. The same message again is the same file, as long as smsd has not taken it.
    pub fn send(&self, message: &Message<'_>) -> Outcome {
        let text = Zeroizing::new(format!(
            "To: {}\nAlphabet: UTF-8\nReport: yes\nValidity: 12 hours\n\n{}",
            message.to.trim_start_matches('+'),
            message.text
        ));
        // Ready before it has its name: smsd leaves alone what begins with a dot.
        let part = self.outgoing.join(format!(".{}", message.reference));
        let file = self.outgoing.join(message.reference);
        let laid = write(&part, text.as_bytes()).and_then(|()| durable::rename(&part, &file));
        if let Err(error) = laid {
            let _ = files::remove(&part);
            let why = Words::io(&error);
            return Outcome::Again {
                why: words!("de map van smsd: {}", "the folder of smsd: {}"; why),
            };
        }
        // Once it has its name it may be on its way, whatever the disk says.
        let _ = files::sync_folder(&self.outgoing);
        Outcome::Accepted { driver: DRIVER.into(), message: None }
    }
}

/// Readable by the folder's group: smsd runs as a user of its own.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    files::remove(path)?;
    let mut file = durable::create_new(path, 0o660)?;
    file.mode(0o660)?;
    file.write_all(bytes)?;
    file.sync()
}
