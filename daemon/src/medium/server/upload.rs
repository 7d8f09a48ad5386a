//! One upload: its folder `files/<id>/` on disk, and how far it is good.
//!
//! `data` holds the bytes and its length is the offset. While a chunk with an announced checksum is written, `verified`
//! holds the offset at which it began: until the checksum agrees, only what lies before counts, also after a kill.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};
use sluis_core::id::{Time, TransferId, UploadId};
use sluis_core::tus;
use tokio::sync::OwnedMutexGuard;

use super::disk;
use super::refusal::Refusal;
use crate::durable::{self, Out};
use crate::files;

const DATA: &str = "data";
const INFO: &str = "info.json";
const VERIFIED: &str = "verified";
/// The largest `info.json` that is read; metadata has at most 4 KiB.
const MAX_INFO: u64 = 64 * 1024;

/// What stands in `info.json`: said at creation and never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Info {
    /// Bytes when complete.
    pub(super) length: u64,
    /// When it expires, complete or not.
    pub(super) expires: Time,
    /// `Upload-Metadata` as it came.
    pub(super) metadata: String,
}

/// An upload that lives.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) id: UploadId,
    pub(super) info: Info,
    pub(super) transfer: Option<TransferId>,
    files: PathBuf,
    offset: AtomicU64,
    ending: AtomicBool,
    writer: Arc<tokio::sync::Mutex<()>>,
    /// Held by the one who removes it.
    pub(super) removal: Mutex<()>,
}

impl Upload {
    /// Makes an empty one, durably: it is there whole or not at all.
    pub(super) fn create(files: &Path, id: UploadId, info: Info) -> io::Result<Self> {
        let name = id.to_string();
        let temporary = disk::aside(files, &name);
        let made = Self::fill(&temporary, &info)
            .and_then(|()| durable::rename(&temporary, &files.join(&name)))
            .and_then(|()| durable::sync_folder(files));
        if let Err(error) = made {
            // On a full disk the little that was made must not stay; the next start would find it too.
            let _ = disk::remove_folder(files, &name);
            return Err(error);
        }
        Ok(Self::new(files, id, info, 0))
    }

    fn fill(folder: &Path, info: &Info) -> io::Result<()> {
        disk::folder(folder)?;
        durable::create_new(&folder.join(DATA), 0o600)?.sync()?;
        disk::put(folder, INFO, &serde_json::to_vec(info)?, info.expires)
    }

    /// Finds one again after a restart, and drops what a kill left unverified.
    pub(super) fn load(files: &Path, id: UploadId) -> io::Result<Self> {
        let folder = files.join(id.to_string());
        disk::names(&folder)?;
        let mut text = Vec::new();
        disk::open_to_read(&folder.join(INFO))?.take(MAX_INFO).read_to_end(&mut text)?;
        let info: Info = serde_json::from_slice(&text)?;
        let data = durable::open(&folder.join(DATA))?;
        let verified = Self::verified(&folder)?;
        let length = data.length()?;
        if length > info.length || verified.is_some_and(|verified| verified > length) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{} does not have the length that it says", folder.display()),
            ));
        }
        if let Some(verified) = verified {
            data.cut(verified)?;
        }
        // What arrived before a kill may still be in memory only; from here on it counts.
        data.sync()?;
        if verified.is_some() {
            disk::remove(&folder.join(VERIFIED))?;
            durable::sync_folder(&folder)?;
        }
        Ok(Self::new(files, id, info, verified.unwrap_or(length)))
    }

    fn verified(folder: &Path) -> io::Result<Option<u64>> {
        let mut text = String::new();
        match disk::open_to_read(&folder.join(VERIFIED)) {
            Ok(file) => file.take(32).read_to_string(&mut text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        tus::number(VERIFIED, &text)
            .map(Some)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn new(files: &Path, id: UploadId, info: Info, offset: u64) -> Self {
        let transfer =
            tus::metadata(&info.metadata).ok().and_then(|pairs| tus::named_transfer(&pairs));
        Self {
            id,
            info,
            transfer,
            files: files.to_owned(),
            offset: AtomicU64::new(offset),
            ending: AtomicBool::new(false),
            writer: Arc::default(),
            removal: Mutex::default(),
        }
    }

    /// How far it is good and durable.
    pub(super) fn offset(&self) -> u64 {
        self.offset.load(Ordering::SeqCst)
    }

    /// Whether it is whole.
    pub(super) fn is_complete(&self) -> bool {
        self.offset() == self.info.length
    }

    /// The right to write, of which there is one.
    pub(super) fn lock(&self) -> Result<OwnedMutexGuard<()>, Refusal> {
        Arc::clone(&self.writer).try_lock_owned().map_err(|_| Refusal::Locked)
    }

    /// Whether somebody began to remove it: whoever reads or writes stops.
    pub(super) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::SeqCst)
    }

    /// The data, to read.
    pub(super) fn open_to_read(&self) -> io::Result<File> {
        disk::open_to_read(&self.folder().join(DATA))
    }

    /// The data, to write on from the offset; `checked` where the bytes count only once their checksum agreed.
    pub(super) fn open_to_write(&self, checked: bool) -> io::Result<Out> {
        let mut data = durable::open(&self.folder().join(DATA))?;
        data.cut(self.offset())?;
        data.from(self.offset())?;
        // One may be left from a chunk that could not be taken back because the disk failed.
        self.forget_verified(&data)?;
        if checked {
            let offset = self.offset().to_string();
            disk::put(&self.folder(), VERIFIED, offset.as_bytes(), Time::default())?;
        }
        Ok(data)
    }

    /// Ends a writing: what was written counts from now on, or is taken back. Durable when it returns.
    pub(super) fn settle(&self, data: &Out, keep: bool) -> io::Result<u64> {
        if !keep {
            data.cut(self.offset())?;
        }
        if let Err(error) = data.sync() {
            // Bytes that the disk did not take are not to be found and counted at the next start.
            let _ = data.cut(self.offset());
            return Err(error);
        }
        self.forget_verified(data)?;
        let offset = data.length()?;
        self.offset.store(offset, Ordering::SeqCst);
        Ok(offset)
    }

    fn forget_verified(&self, data: &Out) -> io::Result<()> {
        let note = self.folder().join(VERIFIED);
        if note.symlink_metadata().is_ok() {
            // The length must be durable before the note that guards it goes.
            data.sync()?;
            disk::remove(&note)?;
            durable::sync_folder(&self.folder())?;
        }
        Ok(())
    }

    /// Tells whoever reads or writes to stop, and takes it off the disk. May be repeated.
    ///
    /// Emptied before it loses its name: a reader that stands still would keep its bytes on the disk otherwise.
    pub(super) fn erase(&self) -> io::Result<()> {
        self.ending.store(true, Ordering::SeqCst);
        files::empty(&self.folder().join(DATA))?;
        disk::remove_folder(&self.files, &self.id.to_string())
    }

    fn folder(&self) -> PathBuf {
        self.files.join(self.id.to_string())
    }
}
