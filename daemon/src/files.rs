//! Files as the rules want them: durable in the right order, never through a link, names only as data.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use sluis_core::words;

use crate::durable::{self, Out};

/// Opens a file for reading: no link is followed, no pipe waits for a writer.
///
/// # Errors
/// Those of the system.
pub fn open_plain(path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// A new or emptied file of our own, 0600, never through a link.
///
/// # Errors
/// Those of the system.
#[track_caller]
pub fn create_private(path: &Path) -> io::Result<Out> {
    durable::create(path, 0o600)
}

/// A folder that only its owner reads, with those above it; its name is durable, also where it was there already: a kill
/// may have come between making it and that.
///
/// # Errors
/// Those of the system; an empty one whose name may not be durable is gone then.
#[track_caller]
pub fn private_folder(path: &Path) -> io::Result<()> {
    let Some(above) = path.parent() else { return Ok(()) };
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    if !above.is_dir() {
        private_folder(above)?;
    }
    let was_there = path.is_dir();
    if !was_there {
        match durable::folder(path, 0o700) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
    }
    match sync_folder(above) {
        // Who may not read the folder above did not make one in it.
        Err(e) if was_there && e.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        Err(e) => {
            // The next who asks is not to find one that is there already.
            let _ = durable::remove_folder(path);
            Err(e)
        }
        synced => synced,
    }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// Those of the system: an error of fsync ends the step, it is never tried again as if clean.
#[track_caller]
pub fn sync_folder(path: &Path) -> io::Result<()> {
    durable::sync_folder(path)
}

/// Gives a file or folder to a group, unless it has it already: a service may not be allowed to ask.
///
/// # Errors
/// Those of the system.
#[track_caller]
pub fn give_to_group(path: &Path, group: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    match group {
        Some(group) if std::fs::symlink_metadata(path)?.gid() != group => {
            durable::group(path, group)
        }
        _ => Ok(()),
    }
}

/// Writes a whole file so that after a crash it is there or not: temporary name, fsync, rename, fsync.
///
/// # Errors
/// Those of the system; the temporary file is gone then.
#[track_caller]
pub fn write_durable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let named = match written(&part, bytes) {
        Ok(()) => durable::rename(&part, path),
        failed => failed,
    };
    if named.is_err() {
        let _ = durable::remove_file(&part);
    }
    named?;
    match path.parent() {
        Some(folder) => sync_folder(folder),
        None => Ok(()),
    }
}

#[track_caller]
fn written(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync()
}

/// Removes a file or folder with all in it; nothing there is fine. Links are removed, not followed.
///
/// # Errors
/// Those of the system.
#[track_caller]
pub fn remove(path: &Path) -> io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => durable::remove_all(path),
        Ok(_) => durable::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Gives the bytes of a file, or of all files in a folder, back to the disk, if it is there: who has it open reads nothing
/// more. A link is not followed, and what another user owns is left to its name. Each name is looked up in its open folder:
/// whoever may change the folder meanwhile leads nowhere else.
///
/// # Errors
/// Those of the system.
#[track_caller]
pub fn empty(path: &Path) -> io::Result<()> {
    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else { return Ok(()) };
    let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
    match File::open(above) {
        Ok(above) => empty_below(&above, Path::new(name)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

#[track_caller]
fn empty_below(above: &File, name: &Path) -> io::Result<()> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(above, name, flags, Mode::empty()) {
        Ok(folder) => {
            let folder = File::from(folder);
            for entry in rustix::fs::Dir::read_from(&folder)? {
                let entry = entry?;
                let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
                if name != Path::new(".") && name != Path::new("..") {
                    empty_below(&folder, name)?;
                }
            }
            return Ok(());
        }
        Err(Errno::NOTDIR | Errno::LOOP) => {}
        Err(Errno::NOENT | Errno::ACCESS | Errno::PERM) => return Ok(()),
        Err(e) => return Err(e.into()),
    }
    let file = match durable::open_below(above, name) {
        Ok(file) => file,
        Err(e) => {
            let passed = [Errno::LOOP, Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::NXIO];
            let passed = passed.iter().any(|it| e.raw_os_error() == Some(it.raw_os_error()));
            return if passed { Ok(()) } else { Err(e) };
        }
    };
    if file.is_plain()? {
        file.cut(0)?;
        file.sync()?;
    }
    Ok(())
}

/// Removes it for good: nobody who has it open reads more of it, and after a power cut it is not there again.
///
/// # Errors
/// Those of the system.
#[track_caller]
pub fn erase(path: &Path) -> io::Result<()> {
    empty(path)?;
    remove(path)?;
    match path.parent() {
        Some(folder) if folder.exists() => sync_folder(folder),
        _ => Ok(()),
    }
}

/// A name for people: control and direction characters escaped, so that no name speaks to a terminal.
#[must_use]
pub fn shown(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.push_str(&words::shown(chunk.valid()));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_emptied_leads_nowhere_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir_all(path("drop/inner")).unwrap();
        std::fs::create_dir(path("state")).unwrap();
        for name in ["state/agency.db", "drop/list.csv", "drop/inner/list.csv"] {
            std::fs::write(path(name), "bytes").unwrap();
        }
        std::os::unix::fs::symlink("../state", path("drop/link")).unwrap();
        std::os::unix::fs::symlink("../state/agency.db", path("drop/file")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("drop/pipe"),
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .unwrap();
        empty(&path("drop")).unwrap();
        let bytes = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        assert_eq!(bytes("state/agency.db"), "bytes");
        assert_eq!((bytes("drop/list.csv").len(), bytes("drop/inner/list.csv").len()), (0, 0));
        empty(&path("gone/too")).unwrap();
        empty(&path("drop/link")).unwrap();
        assert_eq!(bytes("state/agency.db"), "bytes");
    }
}
