//! What a test asks for, in the folder that `SLUIS_FAULTS` names.
//!
//! Each file in `ask` is a fault by its name, `INDEX<tab>NTH<tab>FAULT<tab>POINT`: at the NTH passing of the point, whose `/`
//! are `%`, comes `kill`, `EIO`, `ENOSPC`, `delay`, `panic`, or `hold`, which waits until the test takes `held` away. It is
//! taken away when it comes, and counted down until then, so that a process that starts again goes on from there. Each point
//! that is passed is a line of `passed`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Signal, getpid, kill_process};

/// Long enough for others to overtake, and far from any deadline.
const DELAY: Duration = Duration::from_millis(150);
/// How often who is held looks whether it may go on.
const LOOK: Duration = Duration::from_millis(5);

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
    match due(&folder.join("ask"), &name) {
        Some(fault) => fire(&folder, &name, &fault),
        None => Ok(()),
    }
}

/// The fault that comes now, of those that were asked for the first of this point.
fn due(asked: &Path, name: &str) -> Option<String> {
    let name = name.replace('/', "%");
    let entries = fs::read_dir(asked).ok()?.flatten();
    let mut files: Vec<_> = entries.filter_map(|it| it.file_name().into_string().ok()).collect();
    files.sort();
    let file = files.into_iter().find(|file| file.split('\t').nth(3) == Some(&name))?;
    let [index, nth, fault, point] = file.split('\t').collect::<Vec<_>>()[..] else { return None };
    let nth: u32 = nth.parse().ok()?;
    if nth > 1 {
        let later = format!("{index}\t{}\t{fault}\t{point}", nth - 1);
        let _ = fs::rename(asked.join(&file), asked.join(later));
        return None;
    }
    // Of two threads that pass here at once, or where it was taken back, one takes it.
    fs::remove_file(asked.join(&file)).ok().map(|()| fault.to_owned())
}

fn passed(folder: &Path, line: &str) -> io::Result<()> {
    let file: io::Result<File> =
        OpenOptions::new().append(true).create(true).open(folder.join("passed"));
    file?.write_all(format!("{line}\n").as_bytes())
}

fn fire(folder: &Path, name: &str, fault: &str) -> io::Result<()> {
    passed(folder, &format!("{name}\t{fault}"))?;
    match fault {
        "EIO" => Err(Errno::IO.into()),
        "ENOSPC" => Err(Errno::NOSPC.into()),
        "delay" => {
            std::thread::sleep(DELAY);
            Ok(())
        }
        // As a library may, which quotes what it has read.
        "panic" => std::panic::panic_any("at a cell with 85073003328".to_owned()),
        "hold" => {
            let held = folder.join("held");
            File::create(&held)?;
            while held.exists() {
                std::thread::sleep(LOOK);
            }
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
