//! The one gate that every verb of a person passes: has this user the duty that the verb asks for (art. 6; R47)?

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use sluis_config::schema::Owner;
use sluis_core::agreement::Side;
use sluis_core::control::Refused;
use sluis_core::duty::{self, Duty};
use sluis_core::words;

use crate::books::Result;
use crate::gatehouse::{Caller, Core};
use crate::holders::Holders;

/// Who has which duty; everybody who may connect has all of them where nothing is configured.
#[derive(Debug, Clone, Default)]
pub struct Duties(Option<BTreeMap<Duty, Holders>>);

impl Duties {
    /// As `[duties]` says at the core of this side.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where a user or group is none here.
    pub fn new(configured: Option<&BTreeMap<Duty, Vec<Owner>>>, side: Side) -> Result<Self> {
        let Some(configured) = configured else { return Ok(Self(None)) };
        let mut held = BTreeMap::new();
        for (duty, owners) in configured {
            held.insert(*duty, Holders::of("[duties]", owners)?);
        }
        let ours = Duty::ALL.iter().filter(|duty| duty.is_of(side));
        for duty in ours.filter(|duty| !held.contains_key(duty)) {
            tracing::info!(duty = duty.name(), "nobody has this duty");
        }
        Ok(Self(Some(held)))
    }

    /// Whether this user has the duty. Whoever has any may look.
    #[must_use]
    pub fn has(&self, uid: u32, duty: Duty) -> bool {
        let Some(held) = &self.0 else { return true };
        match duty {
            Duty::View => held.values().any(|holders| holders.has(uid)),
            duty => held.get(&duty).is_some_and(|holders| holders.has(uid)),
        }
    }
}

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
