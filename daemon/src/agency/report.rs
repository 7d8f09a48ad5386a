//! What an operator's report does: it may end a doubt or show a loss, and frees nothing.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use sluis_core::control::Reported;
use sluis_core::message::Reference;
use sluis_core::transfer::{Event, Report, State as Stage};

use super::Agency;
use super::outcome::plain;
use crate::error::{CoreError, Result};
use crate::gatehouse::Core;

/// The largest report, in bytes.
const MAX_BYTES: usize = 4096;

/// The one verb of the gate `reports`.
pub fn router(core: Arc<Agency>) -> Router {
    Router::new()
        .route("/report", post(report))
        .layer(DefaultBodyLimit::max(MAX_BYTES))
        .with_state(core)
}

/// 204 whatever became of it: whoever reports learns nothing of what is here.
async fn report(State(core): State<Arc<Agency>>, Json(word): Json<Reported>) -> Result<StatusCode> {
    let known = core.reported(word).await?;
    if known {
        core.after().await;
    }
    Ok(StatusCode::NO_CONTENT)
}

impl Agency {
    /// Whether it changed anything.
    async fn reported(&self, word: Reported) -> Result<bool> {
        let Ok(reference) = word.reference.parse::<Reference>() else { return Ok(false) };
        let mut tx = self.books.store.begin().await?;
        let Some(mut record) = tx.transfer::<Stage>(&reference.transfer).await? else {
            return Ok(false);
        };
        // An operator speaks of its own channel only.
        let routes = record.state.envelope().map(|envelope| &envelope.routes);
        let own = routes.is_some_and(|routes| {
            routes.iter().any(|it| it.index == reference.index && it.channel == word.channel)
        });
        if !own {
            return Ok(false);
        }
        let report = match word.report {
            Report::Failed { code } => {
                Report::Failed { code: plain(&code).chars().take(40).collect() }
            }
            other => other,
        };
        let before = record.state.clone();
        let terms = self.books.terms(&mut tx, &record.terms).await?;
        let event = Event::Reported(reference.index, report);
        match self.advance(&mut tx, &mut record, &terms, event, None).await {
            Ok(()) if record.state != before => {
                self.books.commit(tx).await?;
                Ok(true)
            }
            Ok(()) | Err(CoreError::Illegal(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
