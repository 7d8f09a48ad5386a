//! A body on its way to the disk, in constant memory.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt as _;
use sluis_core::tus::Checksum;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::checksum::Check;
use super::refusal::Refusal;
use super::upload::Upload;
use super::zone::{Space, hold};
use crate::durable::Out;

/// Runs work on the disk where it may block. It goes on to its end even if nobody waits for it any more.
pub(super) async fn blocking<T: Send + 'static>(
    space: &Space,
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let turn = Arc::clone(&space.turns).acquire_owned().await.map_err(std::io::Error::other)?;
    let work = move || {
        let done = work();
        drop(turn);
        done
    };
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

/// The least that a body brings, in bytes a second. Slower than any line that is left, faster than who drips.
const LEAST_RATE: u64 = 1024;

/// The pieces of a body. It may pause for `idle`, and in each time of that length it brings its least.
pub(super) struct Pieces {
    stream: BodyDataStream,
    idle: Duration,
    since: Instant,
    brought: u64,
}

impl Pieces {
    pub(super) fn of(body: Body, idle: Duration) -> Self {
        Self { stream: body.into_data_stream(), idle, since: Instant::now(), brought: 0 }
    }

    /// The next piece, or that it ended.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Ok(piece) = tokio::time::timeout(self.idle, self.stream.next()).await else {
            return Err(Refusal::Idle);
        };
        let Some(piece) = piece.transpose().map_err(|_| Refusal::Cut)? else { return Ok(None) };
        self.brought = self.brought.saturating_add(piece.len() as u64);
        if self.since.elapsed() >= self.idle {
            if self.brought < LEAST_RATE.saturating_mul(self.idle.as_secs()) {
                return Err(Refusal::Idle);
            }
            (self.since, self.brought) = (Instant::now(), 0);
        }
        Ok(Some(piece))
    }
}

/// Appends a body to an upload; gives the new offset. `writer` is the right to do so.
///
/// A task of its own: when the connection dies, the request's future is dropped wherever it is, but the body then ends
/// here, and what arrived is synced and the right given back in the order in which it must be.
pub(super) async fn receive(
    space: Arc<Space>,
    upload: Arc<Upload>,
    writer: OwnedMutexGuard<()>,
    body: Body,
    checksum: Option<Checksum>,
    idle: Duration,
) -> Result<u64, Refusal> {
    let task = tokio::spawn(async move {
        let written = write(&space, &upload, body, checksum, idle).await;
        // Given back before anybody hears of it, so that the sender's next request is not refused.
        drop(writer);
        if upload.is_complete() {
            space.changed.notify_waiters();
        }
        // A removal may have overtaken this; whatever went wrong then, it is gone.
        if upload.is_ending() { Err(Refusal::Gone) } else { written }
    });
    task.await.map_err(std::io::Error::other)?
}

async fn write(
    space: &Space,
    upload: &Arc<Upload>,
    body: Body,
    checksum: Option<Checksum>,
    idle: Duration,
) -> Result<u64, Refusal> {
    let checked = checksum.is_some();
    let opening = Arc::clone(upload);
    let opened = blocking(space, move || Ok(opening.open_to_write(checked)?));
    let data = Arc::new(Mutex::new(opened.await?));
    let mut check = checksum.map(Check::new);
    let mut copied = copy((space, upload), &data, body, check.as_mut(), idle).await;
    if copied.is_ok() && check.is_some_and(|check| !check.agrees()) {
        copied = Err(Refusal::Checksum);
    }
    let keep = match &copied {
        Ok(()) => true,
        // Without its end, a chunk cannot be checked.
        Err(refusal) => !checked && refusal.is_interruption(),
    };
    let settling = Arc::clone(upload);
    let settled = blocking(space, move || Ok(settling.settle(&hold(&data), keep)?)).await;
    copied.and(settled)
}

async fn copy(
    (space, upload): (&Space, &Upload),
    data: &Arc<Mutex<Out>>,
    body: Body,
    mut check: Option<&mut Check>,
    idle: Duration,
) -> Result<(), Refusal> {
    let mut at = upload.offset();
    let mut pieces = Pieces::of(body, idle);
    while let Some(piece) = pieces.next().await? {
        at = at.saturating_add(piece.len() as u64);
        if upload.is_ending() {
            return Err(Refusal::Gone);
        }
        if at > upload.info.length {
            return Err(Refusal::TooLarge);
        }
        if let Some(check) = check.as_mut() {
            check.update(&piece);
        }
        let data = Arc::clone(data);
        blocking(space, move || Ok(hold(&data).write_all(&piece)?)).await?;
    }
    Ok(())
}
