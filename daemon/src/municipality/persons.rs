//! The verbs that persons at the municipality have beyond those of every core: ready, line, those of [`take`] and of
//! [`retain`]; and the bytes that the fetcher hands in.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Path, Query, Request, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use sluis_core::control::{ByCode, Kept, LineAnswer, Row, TypedLine};
use sluis_core::id::TransferId;
use sluis_core::receipt;

use super::take::take;
use super::{Municipality, retain};
use crate::books::find;
use crate::duties;
use crate::error::Result;
use crate::gatehouse::Caller;
use crate::persons::{self, row};
use crate::store::detail;

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
    let mut record = find::<receipt::State>(&mut tx, &ask.code).await?;
    core.books.may_go_on(&mut tx, &record.agreement).await?;
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
