//! Taking: the one opened file is streamed to whoever asks for it. A list that is destroyed meanwhile is not handed out
//! to its end.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use sluis_core::control::ByCode;
use sluis_core::{receipt, words};
use tokio::io::AsyncReadExt;
use tokio::time::Instant;

use super::Municipality;
use crate::books::find;
use crate::error::{CoreError, Result};
use crate::files;
use crate::gatehouse::Caller;
use crate::store::detail;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;
/// How long one taking may last.
const MOST: Duration = Duration::from_secs(1800);

/// Streams the one opened file; who took it is entered first.
pub(super) async fn take(
    State(core): State<Arc<Municipality>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Response> {
    let mut tx = core.books.store.begin().await?;
    let record = find::<receipt::State>(&mut tx, &ask.code).await?;
    if !matches!(record.state, receipt::State::Opened { .. }) {
        let why = words!(
            "het is nog niet open: sluis open {}",
            "it is not open yet: sluis open {}",
            ask.code
        );
        return Err(CoreError::refused("not-open", why));
    }
    let folder = core.opened_folder(&record);
    let (name, path) = only_file(&folder)
        .map_err(CoreError::io("looking at the opened files"))?
        .ok_or_else(|| {
            let why = words!(
                "er zit meer dan één bestand in; ze staan in {}",
                "it holds more than one file; they stand in {}",
                folder.display()
            );
            CoreError::refused("a-folder", why)
        })?;
    let file = files::open_plain(&path).map_err(CoreError::io("opening the file"))?;
    let length = file.metadata().map_err(CoreError::io("opening the file"))?.len();
    tx.enter(core.books.now(), "taken", Some(record.id), detail([("by", caller.0.name())])).await?;
    core.books.commit(tx).await?;
    tracing::info!(code = %ask.code, "an opened file is taken");
    let shown = files::shown(&name).chars().filter(char::is_ascii).collect::<String>();
    let body = Body::from_stream(pieces(file, length, Instant::now() + MOST));
    Ok(([("x-name", shown)], body).into_response())
}

fn only_file(folder: &Path) -> io::Result<Option<(OsString, PathBuf)>> {
    let mut entries = std::fs::read_dir(folder)?;
    let Some(first) = entries.next().transpose()? else { return Ok(None) };
    let alone = entries.next().is_none() && first.file_type()?.is_file();
    Ok(alone.then(|| (first.file_name(), first.path())))
}

/// The bytes of an opened list. Whoever destroys it empties its file first: no piece leaves after that, and what had left
/// does not pass for the whole.
fn pieces(file: File, length: u64, until: Instant) -> impl Stream<Item = io::Result<Bytes>> {
    let file = tokio::fs::File::from_std(file);
    futures_util::stream::try_unfold((file, length), move |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; PIECE];
        let read = file.read(&mut piece).await?;
        piece.truncate(read);
        if read == 0 || file.metadata().await?.len() != length || Instant::now() > until {
            return Err(io::Error::other("it was destroyed, or taken too slowly"));
        }
        Ok(Some((Bytes::from(piece), (file, left.saturating_sub(read as u64)))))
    })
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    /// A list of three pieces, as it is destroyed, and who takes it.
    async fn taken(until: Instant, destroyed: bool) -> (usize, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("opened/lijst.csv");
        std::fs::create_dir(folder.path().join("opened")).unwrap();
        std::fs::write(&path, vec![b'x'; 3 * PIECE]).unwrap();
        let file = files::open_plain(&path).unwrap();
        let mut pieces = Box::pin(pieces(file, 3 * PIECE as u64, until));
        let mut got = pieces.next().await.map_or(0, |piece| piece.map_or(0, |it| it.len()));
        if destroyed {
            files::erase(&folder.path().join("opened")).unwrap();
        }
        let mut whole = got > 0;
        while let Some(piece) = pieces.next().await {
            whole &= piece.is_ok();
            got += piece.map_or(0, |it| it.len());
        }
        (got, whole)
    }

    #[tokio::test]
    async fn a_list_that_is_destroyed_while_it_is_taken_does_not_leave_and_a_part_is_no_whole() {
        let late = Instant::now() + MOST;
        assert_eq!(taken(late, false).await, (3 * PIECE, true));
        assert_eq!(taken(late, true).await, (PIECE, false));
        assert_eq!(taken(Instant::now() - Duration::from_millis(1), false).await, (0, false));
    }
}
