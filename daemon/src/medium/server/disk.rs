//! Durable files: everything is written aside, synced and renamed, so that a kill leaves the old or the new.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluis_core::id::Time;

use crate::durable;

/// What the name of a thing begins with while it is not in its place. No id and no number does.
const ASIDE: &str = ".aside-";

/// Makes a folder for this user alone, if it is not there, and its entry durable.
#[track_caller]
pub(super) fn folder(path: &Path) -> io::Result<()> {
    durable::folders(path, 0o700)?;
    match path.parent() {
        Some(parent) => durable::sync_folder(parent),
        None => Ok(()),
    }
}

/// The name a thing has while it is made or taken away.
pub(super) fn aside(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{ASIDE}{name}"))
}

/// A file to read; a link is refused.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Writes a small file whole, stamped with a time. The caller sees to it that nobody else writes the same name.
#[track_caller]
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8], stamp: Time) -> io::Result<()> {
    let temporary = aside(folder, name);
    remove(&temporary)?;
    let named = match written(&temporary, bytes, stamp) {
        Ok(()) => durable::rename(&temporary, &folder.join(name)),
        failed => failed,
    };
    if named.is_err() {
        let _ = remove(&temporary);
    }
    named?;
    durable::sync_folder(folder)
}

#[track_caller]
fn written(path: &Path, bytes: &[u8], stamp: Time) -> io::Result<()> {
    let mut file = durable::create_new(path, 0o600)?;
    file.write_all(bytes)?;
    file.stamp(UNIX_EPOCH + Duration::from_millis(u64::try_from(stamp.0).unwrap_or(0)))?;
    file.sync()
}

/// The time a file was stamped with.
pub(super) fn stamp(path: &Path) -> io::Result<Time> {
    let modified = fs::symlink_metadata(path)?.modified()?;
    Ok(Time(millis(modified)))
}

fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Removes a file, if it is there; tells whether it was.
#[track_caller]
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    if path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(false);
    }
    found(durable::remove_file(path))
}

/// Takes a folder out of sight in one step, and then away. May be repeated after any failure.
#[track_caller]
pub(super) fn remove_folder(parent: &Path, name: &str) -> io::Result<()> {
    let hidden = aside(parent, name);
    found(durable::rename(&parent.join(name), &hidden))?;
    found(durable::remove_all(&hidden))?;
    durable::sync_folder(parent)
}

/// The names in a folder, after removing what a kill left half made.
#[track_caller]
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Whoever put a name here that is not text, it was not this server.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with(ASIDE) {
            names.push(name);
        } else if entry.file_type()?.is_dir() {
            durable::remove_all(&entry.path())?;
        } else {
            durable::remove_file(&entry.path())?;
        }
    }
    Ok(names)
}

fn found(outcome: io::Result<()>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
