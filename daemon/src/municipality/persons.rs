//! The verbs that persons at the municipality have beyond those of every core: ready, line, take, and those of
//! [`retain`]; and the bytes that the fetcher hands in.

use std::ffi::OsString;
use std::path::{Path as FsPath, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use sluis_core::control::{ByCode, Kept, LineAnswer, Row, TypedLine};
use sluis_core::id::TransferId;
use sluis_core::receipt;
use sluis_core::words;
use tokio_util::io::ReaderStream;

use super::{Municipality, retain};
use crate::books::{CoreError, Result, detail};
use crate::duties;
use crate::files;
use crate::gatehouse::Caller;
use crate::persons::{self, find, row};

/// The verbs of persons at the municipality.
pub fn router(core: Arc<Municipality>) -> Router {
    let verbs = Router::new()
        .route("/ready", post(ready))
        .route("/line", post(line))
        .route("/take", post(take))
        .with_state(Arc::clone(&core))
        .merge(retain::router(Arc::clone(&core)))
        .merge(persons::router(Arc::clone(&core)));
    duties::guarded(core, verbs)
}

/// The stream that only the fetcher has.
pub fn envelopes(core: Arc<Municipality>) -> Router {
    Router::new().route("/envelope/{transfer}", get(kept).put(keep)).with_state(core)
}

async fn ready(
    State(core): State<Arc<Municipality>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Json<Row>> {
    let mut tx = core.books.store.begin().await?;
    let mut record = find::<Municipality>(&mut tx, &ask.code).await?;
    let terms = core.books.terms(&mut tx, &record.terms).await?;
    core.advance(&mut tx, &mut record, &terms, receipt::Event::Ready).await?;
    tx.enter(core.books.now(), "ready", Some(record.id), detail([("by", caller.0.name())])).await?;
    let row = row(&*core, &mut tx, &record).await?;
    core.books.commit(tx).await?;
    Ok(Json(row))
}

async fn line(
    State(core): State<Arc<Municipality>>,
    caller: ConnectInfo<Caller>,
    Json(typed): Json<TypedLine>,
) -> Result<Json<LineAnswer>> {
    Ok(Json(core.line(caller.0, &typed).await?))
}

/// Streams the one opened file; who took it is entered first.
async fn take(
    State(core): State<Arc<Municipality>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Response> {
    let mut tx = core.books.store.begin().await?;
    let record = find::<Municipality>(&mut tx, &ask.code).await?;
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
    tx.enter(core.books.now(), "taken", Some(record.id), detail([("by", caller.0.name())])).await?;
    core.books.commit(tx).await?;
    tracing::info!(code = %ask.code, "an opened file is taken");
    let body =
        Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file), 256 * 1024));
    let shown = files::shown(&name).chars().filter(char::is_ascii).collect::<String>();
    Ok(([("x-name", shown)], body).into_response())
}

fn only_file(folder: &FsPath) -> std::io::Result<Option<(OsString, PathBuf)>> {
    let mut entries = std::fs::read_dir(folder)?;
    let Some(first) = entries.next().transpose()? else { return Ok(None) };
    let alone = entries.next().is_none() && first.file_type()?.is_file();
    Ok(alone.then(|| (first.file_name(), first.path())))
}

#[derive(Deserialize)]
struct From {
    offset: u64,
}

async fn kept(
    State(core): State<Arc<Municipality>>,
    Path(id): Path<TransferId>,
) -> Result<Json<Kept>> {
    Ok(Json(core.kept(&id).await?))
}

async fn keep(
    State(core): State<Arc<Municipality>>,
    Path(id): Path<TransferId>,
    Query(from): Query<From>,
    request: Request,
) -> Result<Json<Kept>> {
    Ok(Json(core.keep(&id, from.offset, request.into_body().into_data_stream()).await?))
}
