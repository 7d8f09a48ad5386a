//! A body on its way to the disk, in constant memory.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use futures_util::StreamExt as _;
use sluis_core::tus::Checksum;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};
use tokio::sync::OwnedMutexGuard;

use super::checksum::Check;
use super::refusal::Refusal;
use super::upload::Upload;
use super::zone::Space;

/// Runs work on the disk where it may block. It goes on to its end even if nobody waits for it any more.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

/// The next piece of a body, or that it ended.
pub(super) async fn next(
    stream: &mut BodyDataStream,
    idle: Duration,
) -> Result<Option<Bytes>, Refusal> {
    match tokio::time::timeout(idle, stream.next()).await {
        Ok(piece) => piece.transpose().map_err(|_| Refusal::Cut),
        Err(_) => Err(Refusal::Idle),
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
        let written = write(&upload, body, checksum, idle).await;
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
    upload: &Arc<Upload>,
    body: Body,
    checksum: Option<Checksum>,
    idle: Duration,
) -> Result<u64, Refusal> {
    let checked = checksum.is_some();
    let opening = Arc::clone(upload);
    let data = blocking(move || Ok(opening.open_to_write(checked)?)).await?;
    let mut data = File::from_std(data);
    let mut check = checksum.map(Check::new);
    let mut copied = copy(upload, &mut data, body, check.as_mut(), idle).await;
    if copied.is_ok() && check.is_some_and(|check| !check.agrees()) {
        copied = Err(Refusal::Checksum);
    }
    let keep = match &copied {
        Ok(()) => true,
        // Without its end, a chunk cannot be checked.
        Err(refusal) => !checked && refusal.is_interruption(),
    };
    // Waits for a write that is still under way.
    let data = data.into_std().await;
    let settling = Arc::clone(upload);
    let settled = blocking(move || Ok(settling.settle(&data, keep)?)).await;
    copied.and(settled)
}

async fn copy(
    upload: &Upload,
    data: &mut File,
    body: Body,
    mut check: Option<&mut Check>,
    idle: Duration,
) -> Result<(), Refusal> {
    let mut at = upload.offset();
    data.seek(std::io::SeekFrom::Start(at)).await?;
    let mut stream = body.into_data_stream();
    while let Some(piece) = next(&mut stream, idle).await? {
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
        data.write_all(&piece).await?;
    }
    Ok(data.flush().await?)
}
