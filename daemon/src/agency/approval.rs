//! A second person: lets a list go that somebody else offered, or not; lets pass what one breaks, with a reason
//! (art. 6: separation of duties, R47; R84).

use std::sync::Arc;

use axum::extract::{ConnectInfo, State as Of};
use axum::routing::post;
use axum::{Json, Router};
use sluis_core::control::{ByCode, Overridden, Override, Reject, Row, Wanted, typed_with};
use sluis_core::id::{Digest, TransferId};
use sluis_core::notice::{Notice, Sort, check_text};
use sluis_core::policy::Reason;
use sluis_core::transfer::{Event, Illegal, State};
use sluis_core::words;
use sluis_core::words::Words;

use super::Agency;
use crate::books::find;
use crate::error::{CoreError, Result};
use crate::gatehouse::Caller;
use crate::persons::row;
use crate::store::detail;
use crate::two_persons;

/// The verbs of second persons.
pub fn router(core: Arc<Agency>) -> Router {
    Router::new()
        .route("/approve", post(approve))
        .route("/reject", post(reject))
        .route("/override", post(let_pass))
        .with_state(core)
}

async fn approve(
    Of(core): Of<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Json<Row>> {
    super::persons::act(&core, &ask.code, "approve", caller.0, Event::Approve(caller.0.uid)).await
}

async fn reject(
    Of(core): Of<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Reject>,
) -> Result<Json<Row>> {
    let why = ask.why.trim();
    if let Err(fault) = check_text(why) {
        return Err(CoreError::refused("why", fault.words()));
    }
    let mut tx = core.books.store.begin().await?;
    let mut record = find::<State>(&mut tx, &ask.code).await?;
    if !matches!(record.state, State::Admitted { .. }) {
        return Err(Illegal::new(record.state.name(), "Reject").of(record.code).into());
    }
    let terms = core.books.terms(&mut tx, &record.terms).await?;
    let reasons = vec![Reason::Rejected { why: why.to_owned() }];
    core.advance(&mut tx, &mut record, &terms, Event::Refused(reasons.clone(), None), None).await?;
    let by = detail([("by", caller.0.name()), ("why", why.to_owned())]);
    tx.enter(core.books.now(), "reject", Some(record.id), by).await?;
    let row = row(&*core, &mut tx, &record).await?;
    let entered = core.books.commit(tx).await;
    core.after_refusal(entered, &record, &reasons)?;
    Ok(Json(row))
}

/// One person asks, a second one confirms; then it is said, and the next list may break these rules.
async fn let_pass(
    Of(core): Of<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Override>,
) -> Result<Json<Overridden>> {
    let mut tx = core.books.store.begin().await?;
    let record = find::<State>(&mut tx, &ask.code).await?;
    let State::Refused { reasons, list } = &record.state else {
        return Err(Illegal::new(record.state.name(), "Override").of(record.code).into());
    };
    let mut rules = Vec::new();
    for reason in reasons {
        let rule = reason.overridable().ok_or_else(|| {
            let why = Words::of(|it| reason.text(it));
            CoreError::refused(
                "not-to-override",
                words!("niemand laat dit door. {}", "nobody lets this pass. {}"; why),
            )
        })?;
        rules.push(rule);
    }
    let list = *list;
    if list.is_none() {
        return Err(CoreError::refused(
            "not-to-override",
            words!("bied het bestand opnieuw aan", "offer the file again"),
        ));
    }
    let text = format!("{}: {}", rules.join(", "), ask.why.trim());
    // It is kept and shown from the first person on.
    check_text(&text).map_err(|fault| CoreError::refused("notice", fault.words()))?;
    // The same words: a second person confirms what the first one said.
    let subject = format!("{} {text}", ask.code);
    let code = ask.code.to_string();
    let wanted = Wanted {
        agreement: Some(record.agreement.clone()),
        command: typed_with(["sluis", "override", &code], "--reason", &ask.why),
        code: Some(record.code),
        of: code,
        ..Wanted::default()
    };
    let transfer = Some(record.id);
    let word = two_persons::Word { verb: "override", subject: &subject, transfer, wanted };
    let two_persons::Confirmed { first, others } =
        two_persons::confirm(&core.books, &mut tx, word, caller.0).await?;
    if first.is_some() {
        let installed = core.books.installed(&record.agreement)?;
        let notice = Notice { case: list, ..Notice::of(text) };
        let said = core.books.notify(&mut tx, &installed.terms, None, Sort::Override, notice);
        let _: Digest = said.await?;
    }
    let row = row(&*core, &mut tx, &record).await?;
    core.books.commit(tx).await?;
    if first.is_some() {
        core.offered_again(&record.id);
    }
    Ok(Json(Overridden { row, first, others }))
}

impl Agency {
    /// The drop of a refused transfer is looked at again, and nothing else that lies beside it.
    fn offered_again(&self, id: &TransferId) {
        let lying = self.lying.lock().ok().and_then(|lying| lying.get(id).cloned());
        if let (Some(drop), Ok(mut returned)) = (lying, self.returned.lock()) {
            returned.push(drop);
        }
        self.offered.notify_one();
    }
}
