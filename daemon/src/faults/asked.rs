//! What a test asks for, in the folder that `SLUIS_FAULTS` names: one fault at a time.
//!
//! `ask` is `NAME<tab>NTH<tab>FAULT`, with `kill`, `EIO`, `ENOSPC` or `delay` as the fault; it is taken away when the fault
//! comes, so that a process that starts again runs on. Each point that is passed is a line of `passed`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

/// Long enough for others to overtake, and far from any deadline.
const DELAY: Duration = Duration::from_millis(150);

/// What was asked for last, as it was read, and how often its point was passed since.
static ASKED: Mutex<(String, u32)> = Mutex::new((String::new(), 0));

/// A point in this line.
///
/// # Errors
/// The one that was asked for.
pub fn at(line: &Location<'_>, what: &'static str) -> io::Result<()> {
    let Some(folder) = std::env::var_os("SLUIS_FAULTS").map(PathBuf::from) else { return Ok(()) };
    let file = line.file();
    let file = file.rsplit_once("daemon/src/").map_or(file, |(_, below)| below);
    let name = format!("{file}:{} {what}", line.line());
    passed(&folder, &name)?;
    match due(&folder, &name) {
        Some(fault) => fire(&folder, &name, &fault),
        None => Ok(()),
    }
}

/// The fault that comes now.
fn due(folder: &Path, name: &str) -> Option<String> {
    let ask = fs::read_to_string(folder.join("ask")).unwrap_or_default();
    let mut asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner);
    if asked.0 != ask {
        *asked = (ask.clone(), 0);
    }
    let [point, nth, fault] = ask.trim().split('\t').collect::<Vec<_>>()[..] else { return None };
    asked.1 += u32::from(point == name);
    (point == name && nth.parse() == Ok(asked.1)).then(|| fault.to_owned())
}

fn passed(folder: &Path, line: &str) -> io::Result<()> {
    let file: io::Result<File> =
        OpenOptions::new().append(true).create(true).open(folder.join("passed"));
    file?.write_all(format!("{line}\n").as_bytes())
}

fn fire(folder: &Path, name: &str, fault: &str) -> io::Result<()> {
    fs::remove_file(folder.join("ask"))?;
    passed(folder, &format!("{name}\t{fault}"))?;
    match fault {
        "EIO" => Err(Errno::IO.into()),
        "ENOSPC" => Err(Errno::NOSPC.into()),
        "delay" => {
            std::thread::sleep(DELAY);
            Ok(())
        }
        _ => {
            kill_process(getpid(), Signal::KILL)?;
            // Nothing comes after it, not even on another thread.
            loop {
                std::thread::park();
            }
        }
    }
}
