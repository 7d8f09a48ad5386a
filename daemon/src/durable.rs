//! Every step that changes a disk, one call each. Nothing else here changes one; a test holds that.
//!
//! What must hold together over a crash is built from these: see `files` and the drop zone's `disk`. An error of
//! a sync ends the step for good: the kernel may have let go of what it could not write, and a second sync would say that
//! all is well. Who goes on begins anew, from bytes of his own.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::panic::Location;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags, RenameFlags};

use crate::faults::{at, point};

/// A file that is written.
#[derive(Debug)]
pub struct Out {
    file: File,
    /// The line that opened it, which names its writes.
    line: &'static Location<'static>,
}

/// A new or emptied file of this mode, never through a link.
///
/// # Errors
/// Those of the system, as everywhere here.
#[track_caller]
pub fn create(path: &Path, mode: u32) -> io::Result<Out> {
    point("create")?;
    opened(options().create(true).truncate(true).mode(mode).open(path))
}

/// A new file of this mode; one that is there, be it a link, is refused.
#[track_caller]
pub fn create_new(path: &Path, mode: u32) -> io::Result<Out> {
    point("create")?;
    opened(options().create_new(true).mode(mode).open(path))
}

/// A file as it is, made if it is not there; a link is refused.
#[track_caller]
pub fn keep(path: &Path, mode: u32) -> io::Result<Out> {
    point("create")?;
    opened(options().create(true).truncate(false).mode(mode).open(path))
}

/// A file that is there, to be written on; a link is refused.
#[track_caller]
pub fn open(path: &Path) -> io::Result<Out> {
    opened(options().open(path))
}

/// The same below an open folder; a pipe that nobody reads is `ENXIO`.
#[track_caller]
pub fn open_below(folder: impl AsFd, name: &Path) -> io::Result<Out> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty());
    opened(file.map(File::from).map_err(io::Error::from))
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    options.write(true).custom_flags(flags.bits().cast_signed());
    options
}

#[track_caller]
fn opened(file: io::Result<File>) -> io::Result<Out> {
    let line = Location::caller();
    file.map(|file| Out { file, line })
}

impl Out {
    /// Makes its bytes durable.
    #[track_caller]
    pub fn sync(&self) -> io::Result<()> {
        sync(&self.file)
    }

    /// Cuts it to this length.
    #[track_caller]
    pub fn cut(&self, length: u64) -> io::Result<()> {
        point("cut")?;
        self.file.set_len(length)
    }

    /// Sets its mode, whatever the umask.
    #[track_caller]
    pub fn mode(&self, mode: u32) -> io::Result<()> {
        point("mode")?;
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    /// Sets the time of its last change.
    #[track_caller]
    pub fn stamp(&self, time: SystemTime) -> io::Result<()> {
        point("stamp")?;
        self.file.set_modified(time)
    }

    /// Whether it is a file, and no pipe or device.
    pub fn is_plain(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.is_file())
    }

    /// How long it is.
    pub fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Goes on writing from here.
    pub fn from(&mut self, offset: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(offset)).map(drop)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        at(self.line, "write")?;
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl AsFd for Out {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Makes the bytes of a file, or the names in a folder, durable.
#[track_caller]
pub fn sync(file: &File) -> io::Result<()> {
    point("sync")?;
    file.sync_all()
}

/// Makes the names in a folder durable.
#[track_caller]
pub fn sync_folder(path: &Path) -> io::Result<()> {
    point("sync folder")?;
    File::open(path)?.sync_all()
}

/// Another name, in one step, over what is there.
#[track_caller]
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    point("rename")?;
    fs::rename(from, to)
}

/// Another name, each below an open folder; where it is not to go over what is there, that is `AlreadyExists`.
#[track_caller]
pub fn rename_below(
    from: (impl AsFd, &Path),
    to: (impl AsFd, &Path),
    over: bool,
) -> io::Result<()> {
    point("rename")?;
    let flags = if over { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
    Ok(rustix::fs::renameat_with(from.0, from.1, to.0, to.1, flags)?)
}

/// Removes a file or a link.
#[track_caller]
pub fn remove_file(path: &Path) -> io::Result<()> {
    point("remove")?;
    fs::remove_file(path)
}

/// Removes an empty folder.
#[track_caller]
pub fn remove_folder(path: &Path) -> io::Result<()> {
    point("remove folder")?;
    fs::remove_dir(path)
}

/// Removes a folder with all in it; links are removed, not followed.
#[track_caller]
pub fn remove_all(path: &Path) -> io::Result<()> {
    point("remove all")?;
    fs::remove_dir_all(path)
}

/// Makes a folder.
#[track_caller]
pub fn folder(path: &Path, mode: u32) -> io::Result<()> {
    point("folder")?;
    DirBuilder::new().mode(mode).create(path)
}

/// Makes a folder with those above it, unless they are there.
#[track_caller]
pub fn folders(path: &Path, mode: u32) -> io::Result<()> {
    point("folder")?;
    DirBuilder::new().recursive(true).mode(mode).create(path)
}

/// Sets the mode of a file or folder.
#[track_caller]
pub fn mode(path: &Path, mode: u32) -> io::Result<()> {
    point("mode")?;
    fs::set_permissions(path, Permissions::from_mode(mode))
}

/// Gives it to a group; a link is given itself.
#[track_caller]
pub fn group(path: &Path, group: u32) -> io::Result<()> {
    point("group")?;
    std::os::unix::fs::lchown(path, None, Some(group))
}
