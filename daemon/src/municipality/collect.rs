//! Collecting: the bytes of an envelope become a file of the keeper's own in the vault.
//!
//! Never renamed or linked out of the drop zone: a descriptor left behind there could change it after it was
//! digested. Digested on the way, fsync, compared with `sent`, renamed, fsync of the folder.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest as _, Sha256};
use sluis_core::control::Kept;
use sluis_core::id::{Digest, TransferId};
use sluis_core::receipt::State;
use sluis_core::statement::Sent;

use super::Municipality;
use crate::books::{CoreError, Result};
use crate::files;
use crate::files::blocking;

/// How often a running fetch renews its lease, in bytes.
const RENEW: u64 = 64 << 20;

/// Where the envelope of a transfer is, and where it grows.
struct Places {
    whole: PathBuf,
    part: PathBuf,
}

impl Municipality {
    async fn places(&self, id: &TransferId) -> Result<(Places, Sent)> {
        let mut tx = self.books.store.begin().await?;
        let (record, _) = self.load(&mut tx, id).await?;
        let State::Announced { sent } = record.state else {
            return Err(CoreError::refused("not-now", "this transfer is not being fetched"));
        };
        let folder = self.vault(&record.agreement, id, &record.code);
        Ok((
            Places { whole: folder.join("envelope.age"), part: folder.join("envelope.part") },
            sent,
        ))
    }

    /// How much of an envelope is here, and its digest once it is whole.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn kept(&self, id: &TransferId) -> Result<Kept> {
        let (places, sent) = self.places(id).await?;
        let turn = self.turn(id);
        let _turn = turn.lock().await;
        blocking(move || {
            if places.whole.exists() {
                let (digest, offset) = digest_of(&places.whole)?;
                return Ok(Kept { offset, ciphertext: Some(Digest::finish(digest)) });
            }
            let offset = std::fs::metadata(&places.part).map_or(0, |meta| meta.len());
            Ok(Kept { offset: offset.min(sent.size), ciphertext: None })
        })
        .await?
        .map_err(CoreError::io("looking at the vault"))
    }

    /// Takes bytes from this offset on. When they are whole and are what `sent` says, the file is durable
    /// under its own name.
    ///
    /// # Errors
    /// [`CoreError::Refused`] with the code `mismatch` where they are something else; nothing is kept then.
    pub async fn keep(&self, id: &TransferId, offset: u64, body: BodyDataStream) -> Result<Kept> {
        let (places, sent) = self.places(id).await?;
        let turn = self.turn(id);
        let _turn = turn.lock().await;
        let writing = || CoreError::io("writing the envelope into the vault");
        let (part, at) = (places.part.clone(), offset);
        let (mut file, mut hasher) = blocking(move || begin(&part, at)).await?.map_err(writing())?;
        let (mut reached, mut renewed) = (offset, offset);
        let mut body = body;
        let mut cut = false;
        while let Some(piece) = body.next().await {
            let Ok(piece) = piece else {
                cut = true;
                break;
            };
            reached += piece.len() as u64;
            if reached > sent.size {
                let _ = std::fs::remove_file(&places.part);
                return Err(CoreError::refused("mismatch", "more bytes than were announced"));
            }
            (file, hasher) =
                blocking(move || append(file, hasher, &piece)).await?.map_err(writing())?;
            if reached - renewed > RENEW {
                renewed = reached;
                let mut tx = self.books.store.begin().await?;
                tx.renew(id, self.books.now()).await?;
                tx.commit().await?;
            }
        }
        let finished = blocking(move || file.sync_all()).await?;
        finished.map_err(writing())?;
        if cut || reached < sent.size {
            return Ok(Kept { offset: reached, ciphertext: None });
        }
        let digest = Digest::finish(hasher);
        if digest != sent.ciphertext {
            let _ = std::fs::remove_file(&places.part);
            return Err(CoreError::refused(
                "mismatch",
                "the envelope is not the one that was announced",
            ));
        }
        std::fs::rename(&places.part, &places.whole)
            .and_then(|()| files::sync_folder(places.whole.parent().unwrap_or(Path::new("."))))
            .map_err(writing())?;
        Ok(Kept { offset: reached, ciphertext: Some(digest) })
    }

    /// Whether the vault holds exactly what `sent` says, read again from the disk.
    pub(super) async fn holds(&self, whole: PathBuf, sent: &Sent) -> Result<bool> {
        let read = blocking(move || digest_of(&whole)).await?;
        Ok(read.is_ok_and(|(hasher, size)| {
            size == sent.size && Digest::finish(hasher) == sent.ciphertext
        }))
    }
}

/// The part file, open at its end, with the digest of what is in it: only an offset that agrees goes on.
fn begin(part: &Path, offset: u64) -> std::io::Result<(std::fs::File, Sha256)> {
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
    let mut file = std::fs::OpenOptions::new().write(true).open(part)?;
    file.seek(SeekFrom::End(0))?;
    Ok((file, hasher))
}

fn append(
    mut file: std::fs::File,
    mut hasher: Sha256,
    piece: &Bytes,
) -> std::io::Result<(std::fs::File, Sha256)> {
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
