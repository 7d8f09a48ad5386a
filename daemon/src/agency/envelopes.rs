//! The stream that only the carrier has: an envelope's bytes out of the spool. The carrier has no disk.

use std::io::SeekFrom;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use sluis_core::id::TransferId;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::Agency;
use crate::error::{CoreError, Result};
use crate::role::Role;
use crate::store::RENEW;

/// Bytes read at a time.
const PIECE: usize = 256 * 1024;

/// The carrier's stream.
pub fn router(core: Arc<Agency>) -> Router {
    Router::new().route("/envelope/{transfer}", get(envelope)).with_state(core)
}

#[derive(Deserialize)]
struct From {
    offset: u64,
}

struct Reading {
    core: Arc<Agency>,
    id: TransferId,
    file: File,
    at: u64,
    renewed: Instant,
}

async fn envelope(
    State(core): State<Arc<Agency>>,
    Path(id): Path<TransferId>,
    Query(from): Query<From>,
) -> Result<Response> {
    let path = core.spooled(&id);
    let mut file =
        File::open(&path).await.map_err(CoreError::io("opening the envelope in the spool"))?;
    file.seek(SeekFrom::Start(from.offset)).await.map_err(CoreError::io("reading the envelope"))?;
    let reading = Reading { core, id, file, at: from.offset, renewed: Instant::now() };
    let pieces = futures_util::stream::try_unfold(reading, |mut reading| async move {
        let mut piece = vec![0; PIECE];
        let read = reading.file.read(&mut piece).await?;
        piece.truncate(read);
        reading.at += read as u64;
        reading.core.reached(&reading.id, reading.at);
        if reading.renewed.elapsed() > RENEW {
            reading.renewed = Instant::now();
            reading.core.renew(&reading.id).await.map_err(std::io::Error::other)?;
        }
        Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), reading)))
    });
    Ok(Body::from_stream(pieces).into_response())
}

impl Agency {
    /// So much of an envelope has left.
    fn reached(&self, id: &TransferId, at: u64) {
        if let Ok(mut progress) = self.progress.lock() {
            progress.insert(*id, at);
        }
    }

    /// Bytes are moving: the lease goes on.
    async fn renew(&self, id: &TransferId) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        tx.renew(Role::Carrier, id, self.books.up()).await?;
        Ok(tx.commit().await?)
    }
}
