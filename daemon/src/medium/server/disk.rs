//! Durable files: everything is written aside, synced and renamed, so that a kill leaves the old or the new.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sluis_core::id::Time;

/// What the name of a thing begins with while it is not in its place. No id and no number does.
const ASIDE: &str = ".aside-";

/// Makes a folder for this user alone, if it is not there, and its entry durable.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the entries of a folder durable.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// The name a thing has while it is made or taken away.
pub(super) fn aside(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{ASIDE}{name}"))
}

/// A new file; one that is there, be it a link, is refused.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).mode(0o600).open(path)
}

/// A file to read; a link is refused.
pub(super) fn open_to_read(path: &Path) -> io::Result<File> {
    options().read(true).open(path)
}

/// A file to write; a link is refused.
pub(super) fn open_to_write(path: &Path) -> io::Result<File> {
    options().read(true).write(true).open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Writes a small file whole, stamped with a time. The caller sees to it that nobody else writes the same name.
pub(super) fn put(folder: &Path, name: &str, bytes: &[u8], stamp: Time) -> io::Result<()> {
    let temporary = aside(folder, name);
    remove(&temporary)?;
    let mut file = create(&temporary)?;
    file.write_all(bytes)?;
    file.set_modified(UNIX_EPOCH + Duration::from_millis(u64::try_from(stamp.0).unwrap_or(0)))?;
    file.sync_all()?;
    fs::rename(&temporary, folder.join(name))?;
    sync_folder(folder)
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

/// Gives a file's bytes back to the disk, if it is there: also while somebody has it open. A link is not followed.
pub(super) fn empty(path: &Path) -> io::Result<()> {
    let nofollow = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
    match OpenOptions::new().write(true).custom_flags(nofollow).open(path) {
        Ok(file) => file.set_len(0),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) if e.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => Ok(()),
        Err(e) => Err(e),
    }
}

/// Removes a file, if it is there; tells whether it was.
pub(super) fn remove(path: &Path) -> io::Result<bool> {
    found(fs::remove_file(path))
}

/// Takes a folder out of sight in one step, and then away. May be repeated after any failure.
pub(super) fn remove_folder(parent: &Path, name: &str) -> io::Result<()> {
    let hidden = aside(parent, name);
    found(fs::rename(parent.join(name), &hidden))?;
    found(fs::remove_dir_all(&hidden))?;
    sync_folder(parent)
}

/// The names in a folder, after removing what a kill left half made.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Whoever put a name here that is not text, it was not this server.
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with(ASIDE) {
            names.push(name);
        } else if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
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
