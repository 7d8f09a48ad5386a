//! The verbs that persons at the agency have beyond those of every core.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use axum::{Json, Router};
use sluis_core::control::{ByCode, May, Might, NumberWord, OfCustodian, Refused, Retry, Row, Send};
use sluis_core::id::TransferCode;
use sluis_core::policy::Reason;
use sluis_core::transfer::Event;
use sluis_core::words::Words;
use sluis_core::{transfer, words};

use super::{Agency, approval};
use crate::books::find;
use crate::duties;
use crate::error::{CoreError, Result};
use crate::gatehouse::{Caller, Core};
use crate::persons::{self, row};
use crate::store::detail;

/// The verbs of persons at the agency.
pub fn router(core: Arc<Agency>) -> Router {
    let verbs = Router::new()
        .route("/send", post(send))
        .route("/may", post(may))
        .route("/withdraw", post(withdraw))
        .route("/retry", post(retry))
        .route("/redeliver", post(redeliver))
        .route("/number", post(number))
        .with_state(Arc::clone(&core))
        .merge(approval::router(Arc::clone(&core)))
        .merge(persons::router(Arc::clone(&core)));
    duties::guarded(core, verbs)
}

/// Takes what a person laid ready: the person says that it is complete.
async fn send(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Send>,
) -> Result<Json<Row>> {
    let code = core.claim_ready(&ask, caller.0.uid).await?.map_err(|reasons| refused(&reasons))?;
    note(&core, &code, "send", caller.0).await
}

/// Why what a person sent will not leave.
fn refused(reasons: &[Reason]) -> CoreError {
    if reasons.is_empty() {
        let gone = words!(
            "het werd weggenomen terwijl het bekeken werd",
            "it was taken away while it was looked at"
        );
        return CoreError::refused("gone", gone);
    }
    let line = |it: &Reason| Words::of(|language| it.line(language));
    let words = Words::join(&reasons.iter().map(line).collect::<Vec<_>>(), "\n  ");
    let stays = reasons.iter().all(|it| it.overridable().is_some());
    let words = match stays {
        true => words!(
            "er is niets verzonden; tot twee personen het doorlaten ligt het in de outbox (sluis list heeft de code):\n  {}",
            "nothing was sent; until two persons let it pass it lies in the outbox (sluis list has the code):\n  {}";
            words
        ),
        false => words!("er is niets verzonden:\n  {}", "nothing was sent:\n  {}"; words),
    };
    let reasons = reasons.iter().map(Reason::told).collect();
    CoreError::Refused(Refused { reasons, ..Refused::new("not-sent", words) })
}

/// Whether one file of this size might leave now: everything that is known without reading it.
async fn may(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<May>,
) -> Result<Json<Might>> {
    Ok(Json(core.might(ask, caller.0.uid).await?))
}

async fn withdraw(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Json<Row>> {
    act(&core, &ask.code, "withdraw", caller.0, Event::Withdraw).await
}

async fn retry(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Retry>,
) -> Result<Json<Row>> {
    act(&core, &ask.code, "retry", caller.0, Event::Retry(ask.share)).await
}

async fn redeliver(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<ByCode>,
) -> Result<Json<Row>> {
    let code = core.redeliver(&ask.code, caller.0.uid).await?;
    note(&core, &code, "redeliver", caller.0).await
}

async fn number(
    State(core): State<Arc<Agency>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<OfCustodian>,
) -> Result<Json<NumberWord>> {
    Ok(Json(core.confirm_number(caller.0, &ask).await?))
}

pub(super) async fn act(
    core: &Agency,
    code: &TransferCode,
    verb: &str,
    caller: Caller,
    event: Event,
) -> Result<Json<Row>> {
    let mut tx = core.books.store.begin().await?;
    let mut record = find::<transfer::State>(&mut tx, code).await?;
    let terms = core.books.terms(&mut tx, &record.terms).await?;
    let stops = matches!(event, Event::Withdraw);
    if stops && record.state.envelope().is_some() {
        // An older store would say of what was opened since that nothing of it is out.
        core.books.may_go_on(&mut tx, &record.agreement).await?;
    }
    let in_doubt = stops && record.state.is_in_doubt();
    if in_doubt {
        core.shut(&mut tx, &mut record, &terms).await?;
    } else {
        core.advance(&mut tx, &mut record, &terms, event, None).await?;
    }
    let goes_on = stops && !in_doubt && !record.state.is_over();
    if !goes_on {
        tx.enter(core.books.now(), verb, Some(record.id), detail([("by", caller.name())])).await?;
    }
    let row = row(core, &mut tx, &record).await?;
    core.books.commit(tx).await?;
    core.after().await;
    if in_doubt {
        return Err(may_be_out(code));
    }
    if goes_on {
        return Err(CoreError::refused(
            "set-back",
            words!(
                "er vertrokken al delen waarvan deze databank niets weet: een oudere werd teruggezet. De zending is mislukt, met elk deel als vertrokken; sluis show {code} zegt wat er nog kan",
                "shares left already of which this store knows nothing: an older one was put back. The transfer has failed, with every share counted as out; sluis show {code} says what can be done"
            ),
        ));
    }
    Ok(Json(row))
}

/// A withdrawal that came too late for what a provider put off: it may have sent it.
fn may_be_out(code: &TransferCode) -> CoreError {
    CoreError::refused(
        "may-be-out",
        words!(
            "een aanbieder zei \"later\" en kan zijn bericht toch verzonden hebben: er kunnen genoeg delen buiten zijn om {code} te openen, en ze is niet ingetrokken. Wat nog wachtte vertrekt niet meer. Bel de gemeente; daarna kan sluis redeliver {code}",
            "a provider said \"later\" and may have sent its message all the same: enough shares may be out to open {code}, and it is not withdrawn. What still waited leaves no more. Call the municipality; sluis redeliver {code} is possible after that"
        ),
    )
}

/// Enters who asked, and shows where the transfer stands.
async fn note(core: &Agency, code: &TransferCode, verb: &str, caller: Caller) -> Result<Json<Row>> {
    let mut tx = core.books.store.begin().await?;
    let record = find::<transfer::State>(&mut tx, code).await?;
    tx.enter(core.books.now(), verb, Some(record.id), detail([("by", caller.name())])).await?;
    let row = row(core, &mut tx, &record).await?;
    core.books.commit(tx).await?;
    core.after().await;
    Ok(Json(row))
}
