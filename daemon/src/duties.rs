//! The one gate that every verb of a person passes: has this user the duty that the verb asks for (art. 6; R47)?

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use sluis_core::control::Refused;
use sluis_core::duty::{self, Duty};
use sluis_core::words;

use crate::gatehouse::{Caller, Core};

/// Puts the gate before every verb of a socket for persons.
pub fn guarded<C: Core>(core: Arc<C>, verbs: Router) -> Router {
    verbs.route_layer(from_fn_with_state(core, guard::<C>))
}

async fn guard<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let verb = request.uri().path().trim_start_matches('/');
    let asked = duty::of(verb);
    if asked.is_some_and(|duty| core.books().duties.has(caller.0.uid, duty)) {
        return next.run(request).await;
    }
    let duty = asked.map_or("none", Duty::name);
    tracing::warn!(uid = caller.0.uid, verb, duty, "a verb is refused to this person");
    let words = words!(
        "art. 6: `{verb}` vraagt de taak `{duty}`, die {} niet heeft; [duties] in sluis.toml geeft ze",
        "art. 6: `{verb}` asks for the duty `{duty}`, which {} has not; [duties] of sluis.toml gives it",
        caller.0.name()
    );
    (StatusCode::FORBIDDEN, Json(Refused::new("not-your-duty", words))).into_response()
}
