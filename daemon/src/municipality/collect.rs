//! Collecting: the bytes of an envelope become a file of the keeper's own in the vault.
//!
//! Never renamed or linked out of the drop zone: a descriptor left behind there could change it after it was
//! digested. Digested on the way, fsync, compared with `sent`, renamed, fsync of the folder.

use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use sluis_core::control::Kept;
use sluis_core::id::{Digest, TransferId};
use sluis_core::receipt::State;
use sluis_core::statement::Sent;
use tokio::sync::OwnedMutexGuard;

use super::Municipality;
use crate::durable::{self, Out};
use crate::error::{CoreError, Result};
use crate::files;
use crate::role::Role;
use crate::store::RENEW;
use crate::threads::{blocking, kept_up};

/// Where the envelope of a transfer is, and where it grows.
struct Places {
    whole: PathBuf,
    part: PathBuf,
}

impl Municipality {
    /// Where the envelope goes of a transfer that is being fetched, and what it is to be.
    async fn places(&self, id: &TransferId) -> Result<(Places, Sent)> {
        let mut tx = self.books.store.begin().await?;
        let (record, _) = self.books.load::<State>(&mut tx, id).await?;
        let State::Announced { sent } = record.state else {
            return Err(CoreError::to_gate("not-now", "this transfer is not being fetched"));
        };
        self.its_vault(&mut tx).await?;
        let folder = self.vault(&record.agreement, id, &record.code);
        Ok((
            Places { whole: folder.join("envelope.age"), part: folder.join("envelope.part") },
            sent,
        ))
    }

    /// The same once nobody else is at it: it may have ended while this waited. Only what is known here has a turn.
    async fn in_turn(&self, id: &TransferId) -> Result<(OwnedMutexGuard<()>, Places, Sent)> {
        self.places(id).await?;
        let turn = self.turn(id).lock_owned().await;
        let (places, sent) = self.places(id).await?;
        Ok((turn, places, sent))
    }

    /// Does this, however long it takes: nobody else is given the fetch meanwhile, to begin at the same.
    async fn renewing<T>(&self, id: &TransferId, work: impl Future<Output = T>) -> T {
        let renew = || async move {
            if let Err(error) = self.renew(id).await {
                tracing::warn!(%error, "the lease of a fetch cannot be renewed");
            }
        };
        kept_up(work, RENEW, renew).await
    }

    async fn renew(&self, id: &TransferId) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        tx.renew(Role::Fetcher, id, self.books.up()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// How much of an envelope is here, and its digest once it is whole: read again from the disk.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn kept(&self, id: &TransferId) -> Result<Kept> {
        let (_turn, places, sent) = self.in_turn(id).await?;
        let whole = places.whole.clone();
        let look = blocking(move || places.look(&sent));
        let (kept, stamp) =
            self.renewing(id, look).await?.map_err(CoreError::io("looking at the vault"))?;
        if kept.ciphertext.is_some() {
            self.hold_stamp(id, stamp, &whole);
        }
        Ok(kept)
    }

    /// Takes bytes from this offset on. When they are whole and are what `sent` says, the file is durable
    /// under its own name.
    ///
    /// # Errors
    /// [`CoreError::Refused`] with the code `mismatch` where they are something else; nothing is kept then.
    pub async fn keep(&self, id: &TransferId, offset: u64, body: BodyDataStream) -> Result<Kept> {
        let (_turn, places, sent) = self.in_turn(id).await?;
        let writing = || CoreError::io("writing the envelope into the vault");
        let (part, at) = (places.part.clone(), offset);
        let begun = blocking(move || begin(&part, at));
        let (mut file, mut hasher) = self.renewing(id, begun).await?.map_err(writing())?;
        let (mut reached, mut renewed) = (offset, Instant::now());
        let mut body = body;
        let mut cut = false;
        while let Some(piece) = body.next().await {
            let Ok(piece) = piece else {
                cut = true;
                break;
            };
            reached += piece.len() as u64;
            if reached > sent.size {
                let _ = files::remove(&places.part);
                return Err(CoreError::to_gate("mismatch", "more bytes than were announced"));
            }
            (file, hasher) =
                blocking(move || append(file, hasher, &piece)).await?.map_err(writing())?;
            if renewed.elapsed() > RENEW {
                renewed = Instant::now();
                self.renew(id).await?;
            }
        }
        let part = places.part.clone();
        let all = blocking(move || settled(&file, &part));
        self.renewing(id, all).await?.map_err(writing())?;
        if cut || reached < sent.size {
            return Ok(Kept { offset: reached, ciphertext: None });
        }
        let digest = Digest::finish(hasher);
        if digest != sent.ciphertext {
            let _ = files::remove(&places.part);
            // Bytes that a crash tore are fetched again from the start; only a whole fetch is final.
            let code = if offset == 0 { "mismatch" } else { "torn" };
            return Err(CoreError::to_gate(code, "the envelope is not the one that was announced"));
        }
        places.publish().map_err(writing())?;
        self.hold_stamp(id, stamp_of(&places.whole), &places.whole);
        Ok(Kept { offset: reached, ciphertext: Some(digest) })
    }

    /// Remembers which file was digested and found right.
    fn hold_stamp(&self, id: &TransferId, stamp: Option<Stamp>, whole: &Path) {
        tracing::debug!(transfer = ?id, there = whole.exists(), "an envelope is whole in the vault");
        if let (Ok(mut held), Some(stamp)) = (self.held.lock(), stamp) {
            held.insert(*id, stamp);
        }
    }

    /// Whether the vault holds the very file that was digested and found to be what `sent` says. No digest is
    /// computed here: this runs inside a transaction.
    pub(super) fn holds(&self, id: &TransferId, whole: &Path) -> bool {
        let held = self.held.lock().ok().and_then(|held| held.get(id).copied());
        held.is_some() && held == stamp_of(whole)
    }
}

/// Which file, as it was when it was digested: inode, size, time of change.
pub(super) type Stamp = (u64, u64, i64, i64);

fn stamp_of(path: &Path) -> Option<Stamp> {
    let meta = std::fs::symlink_metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    Some((meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec()))
}

impl Places {
    /// What is here. A part that is whole already, after a crash, is digested: it counts or it goes.
    fn look(&self, sent: &Sent) -> std::io::Result<(Kept, Option<Stamp>)> {
        if !self.whole.exists() {
            let offset = std::fs::metadata(&self.part).map_or(0, |meta| meta.len());
            if offset < sent.size {
                return Ok((Kept { offset, ciphertext: None }, None));
            }
            let (digest, size) = digest_of(&self.part)?;
            if size != sent.size || Digest::finish(digest) != sent.ciphertext {
                files::remove(&self.part)?;
                return Ok((Kept { offset: 0, ciphertext: None }, None));
            }
            self.publish()?;
        }
        // A kill may have come between the rename and the sync.
        self.named()?;
        let stamp = stamp_of(&self.whole);
        let (digest, offset) = digest_of(&self.whole)?;
        let digest = Digest::finish(digest);
        if digest != sent.ciphertext {
            files::remove(&self.whole)?;
            return Ok((Kept { offset: 0, ciphertext: None }, None));
        }
        Ok((Kept { offset, ciphertext: Some(digest) }, stamp))
    }

    /// Under its own name, durably, bytes and name: also those that a killed process wrote and never synced.
    fn publish(&self) -> std::io::Result<()> {
        settled(&durable::open(&self.part)?, &self.part)?;
        durable::rename(&self.part, &self.whole)?;
        self.named()
    }

    /// Makes its name durable; one that the disk did not take is not there any more.
    fn named(&self) -> std::io::Result<()> {
        let synced = files::sync_folder(self.whole.parent().unwrap_or(Path::new(".")));
        if synced.is_err() {
            let _ = files::remove(&self.whole);
        }
        synced
    }
}

/// Makes what arrived durable. What the disk did not take is not there any more: nobody goes on from it.
#[track_caller]
fn settled(file: &Out, part: &Path) -> std::io::Result<()> {
    let synced = file.sync();
    if synced.is_err() {
        let _ = files::remove(part);
    }
    synced
}

/// The part file, open at its end, with the digest of what is in it: only an offset that agrees goes on.
fn begin(part: &Path, offset: u64) -> std::io::Result<(Out, Sha256)> {
    if let Some(folder) = part.parent() {
        files::private_folder(folder)?;
    }
    if offset == 0 {
        return Ok((files::create_private(part)?, Sha256::new()));
    }
    let (hasher, length) = digest_of(part)?;
    if length != offset {
        return Err(std::io::Error::other(format!(
            "{length} bytes are here, the fetcher goes on at {offset}"
        )));
    }
    let mut file = durable::open(part)?;
    file.from(length)?;
    Ok((file, hasher))
}

fn append(mut file: Out, mut hasher: Sha256, piece: &Bytes) -> std::io::Result<(Out, Sha256)> {
    file.write_all(piece)?;
    hasher.update(piece);
    Ok((file, hasher))
}

fn digest_of(path: &Path) -> std::io::Result<(Sha256, u64)> {
    let mut file = files::open_plain(path)?;
    let (mut hasher, mut length) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((hasher, length));
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
}
