//! What monitoring reads: one verb, on a socket of its own, because whoever reads counts need not be let near lists.

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use sluis_core::health::{self, Gate, Health};
use sluis_core::id::Time;

use crate::error::Result;
use crate::gatehouse::Core;
use crate::two_persons;

/// The verb.
pub fn router<C: Core>(core: Arc<C>) -> Router {
    Router::new().route("/health", get(health::<C>)).with_state(core)
}

async fn health<C: Core>(State(core): State<Arc<C>>) -> Result<Json<Health>> {
    let books = core.books();
    let now = books.now();
    let ago = |then: Time| u64::try_from(now.0.saturating_sub(then.0) / 1000).unwrap_or_default();
    let mut tx = books.store.begin().await?;
    let deadlines = books.deadlines::<C::State>(&mut tx).await?;
    let mut gates = Vec::new();
    for (gate, seen) in books.seen.all() {
        let waiting = tx.waits_for(gate).await?;
        gates.push(Gate {
            gate: gate.to_string(),
            waiting: waiting.count,
            oldest_s: waiting.since.map(ago),
            in_vain_s: waiting.in_vain.map(ago),
            seen_s: seen.map(ago),
        });
    }
    Ok(Json(Health {
        party: books.party.clone(),
        role: core.about().0.to_string(),
        at: now,
        clock_held: books.clock_is_held(),
        set_back: u64::try_from(tx.all_set_back().await?.len()).unwrap_or(u64::MAX),
        unheard: u64::try_from(books.unheard(&mut tx).await?.len()).unwrap_or(u64::MAX),
        versions: u64::try_from(books.unapproved_count()).unwrap_or(u64::MAX),
        asked: u64::try_from(two_persons::all(books, &mut tx).await?.len()).unwrap_or(u64::MAX),
        clocks: health::count(&deadlines, books.side, now),
        transfers: tx.states().await?,
        stuck: u64::try_from(tx.stuck().await?.len()).unwrap_or(u64::MAX),
        gates,
    }))
}
