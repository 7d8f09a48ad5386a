//! What persons can ask either core, and say to either. Each side adds verbs of its own.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use sluis_core::control::{
    About, AskHead, AskSaid, AskTerms, ByCode, ClockWord, Detail, MAX_BYTES, Over, Pending, Row,
    Said, SaidAgain, SayAgain, TermsText, Under, Waiting, Wanted, typed,
};
use sluis_core::ledger::Part;
use sluis_core::statement::Signed;
use sluis_core::words;
use sluis_core::words::Words;

use crate::books::find;
use crate::error::{CoreError, Result};
use crate::gatehouse::{Caller, Core};
use crate::store::{Record, Stored, Tx, detail};
use crate::{health, notices, restore, two_persons, versions};

/// How many transfers `list` shows: the open ones and those that changed last.
const LISTED: i64 = 500;
/// Lines of the ledger in one answer.
const LINES: i64 = 2000;
/// Statements in one answer, however small they are.
const SAID: usize = 500;

/// The verbs that both cores have.
pub fn router<C: Core>(core: Arc<C>) -> Router {
    Router::new()
        .route("/about", get(about::<C>))
        .route("/clock", post(clock::<C>))
        .route("/say-again", post(say_again::<C>))
        .route("/waiting", get(waiting::<C>))
        .route("/list", get(list::<C>))
        .route("/show", post(show::<C>))
        .route("/ledger", get(ledger::<C>))
        .route("/head", post(head::<C>))
        .route("/said", post(said::<C>))
        .route("/terms", post(terms::<C>))
        .with_state(Arc::clone(&core))
        .merge(restore::router(Arc::clone(&core)))
        .merge(versions::router(Arc::clone(&core)))
        .merge(health::router(Arc::clone(&core)))
        .merge(notices::router(core))
}

async fn about<C: Core>(State(core): State<Arc<C>>) -> Result<Json<About>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let entries = tx.head().await?.number;
    let set_back = tx.all_set_back().await?.into_iter().map(|it| it.agreement).collect();
    let unheard = books.unheard(&mut tx).await?.into_iter().collect();
    drop(tx);
    let (role, folder) = core.about();
    let about = About {
        party: books.party.clone(),
        role: role.to_string(),
        folder: folder.display().to_string(),
        entries,
        clock_held: books.clock_is_held(),
        unapproved: books
            .unapproved
            .lock()
            .map(|it| it.keys().cloned().collect())
            .unwrap_or_default(),
        installed: books.agreements.iter().map(|it| it.terms.digest).collect(),
        set_back,
        unheard,
    };
    Ok(Json(about))
}

/// One person says that the clock is right, a second one confirms; then what is over expires.
async fn clock<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
) -> Result<Json<ClockWord>> {
    let books = core.books();
    if books.believed().await?.is_some() {
        return Ok(Json(ClockWord { held: false, first: None, over: Over::default() }));
    }
    let mut tx = books.store.begin().await?;
    let over = core.over(&mut tx).await?;
    let command = typed(["sluis", "clock"]);
    let wanted = Wanted { of: "clock".into(), command, ..Wanted::default() };
    let word = two_persons::Word { verb: "clock", subject: "clock", transfer: None, wanted };
    let first = two_persons::confirm(books, &mut tx, word, caller.0).await?.first;
    match first {
        Some(_) => books.believe_clock(tx).await?,
        None => books.commit(tx).await?,
    }
    Ok(Json(ClockWord { held: first.is_none(), first, over }))
}

/// The other party lost what this one said, or the key to its letters: it is brought once more.
async fn say_again<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<SayAgain>,
) -> Result<Json<SaidAgain>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    books.may_speak(&mut tx, &ask.agreement).await?;
    let word = books.say_again(&mut tx, &ask.agreement, ask.from).await?;
    let range = [("from", word.from.to_string()), ("until", word.until.to_string())];
    let known = [("agreement", ask.agreement.to_string()), ("by", caller.0.name())];
    tx.enter(books.now(), "said-again", None, detail(known.into_iter().chain(range))).await?;
    books.commit(tx).await?;
    Ok(Json(word))
}

/// What waits for a second person.
async fn waiting<C: Core>(State(core): State<Arc<C>>) -> Result<Json<Vec<Waiting>>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    Ok(Json(versions::all_waiting(books, &mut tx).await?))
}

async fn list<C: Core>(
    State(core): State<Arc<C>>,
    Query(of): Query<Under>,
) -> Result<Json<Vec<Row>>> {
    let mut tx = core.books().store.begin().await?;
    let records = match &of.agreement {
        Some(only) => tx.recent_under::<C::State>(only, LISTED).await?,
        None => tx.recent::<C::State>(LISTED).await?,
    };
    // What ran under an agreement that is here no more is shown still.
    if records.is_empty() {
        core.books().is_here(&of)?;
    }
    let rehearsals = tx.rehearsals().await?;
    let mut rows = Vec::new();
    for record in &records {
        let rehearsal = rehearsals.contains(&record.id);
        rows.push(Row { rehearsal, ..named(&*core, &mut tx, record).await? });
    }
    Ok(Json(rows))
}

/// A transfer as it is shown, marked where it is a rehearsal.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn row<C: Core>(core: &C, tx: &mut Tx, record: &Record<C::State>) -> Result<Row> {
    let rehearsal = tx.is_rehearsal(&record.id).await?;
    Ok(Row { rehearsal, ..named(core, tx, record).await? })
}

/// The same; what took its place has a code too, which only the store knows.
async fn named<C: Core>(core: &C, tx: &mut Tx, record: &Record<C::State>) -> Result<Row> {
    let mut row = core.row(tx, record).await?;
    if row.mover == "itself" && row.note.is_empty() {
        row.note = in_the_way(&tx.waiting(&record.id).await?);
    }
    let Some(by) = record.state.replaced_by() else { return Ok(row) };
    let code = tx.transfer::<C::State>(&by).await?.map(|it| it.code.to_string());
    let code = code.unwrap_or_else(|| by.to_string());
    Ok(Row { note: words!("door {code}", "by {code}"), ..row })
}

/// What is in the way of what moves on by itself.
fn in_the_way(waiting: &[Pending]) -> Words {
    let tried: Vec<_> = waiting.iter().filter(|it| it.why.is_some()).map(Pending::words).collect();
    Words::join(&tried, "; ")
}

async fn show<C: Core>(
    State(core): State<Arc<C>>,
    Json(ask): Json<ByCode>,
) -> Result<Json<Detail>> {
    let mut tx = core.books().store.begin().await?;
    let record = find::<C::State>(&mut tx, &ask.code).await?;
    let detail = Detail {
        row: row(&*core, &mut tx, &record).await?,
        state: serde_json::to_value(&record.state).unwrap_or_default(),
        timeline: tx.timeline(&record.id).await?,
        waiting: tx.waiting(&record.id).await?,
    };
    Ok(Json(detail))
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

async fn ledger<C: Core>(
    State(core): State<Arc<C>>,
    Query(ask): Query<After>,
) -> Result<Json<Vec<String>>> {
    let mut tx = core.books().store.begin().await?;
    Ok(Json(tx.ledger(ask.after, LINES).await?))
}

/// This ledger's head, signed over what a folder of evidence is to hold.
async fn head<C: Core>(
    State(core): State<Arc<C>>,
    Json(ask): Json<AskHead>,
) -> Result<Json<Signed>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let (agreement, of) = match ask {
        AskHead::Transfer(code) => {
            let record = find::<C::State>(&mut tx, &code).await?;
            (record.agreement, Part::Transfer(record.id))
        }
        AskHead::Agreement(agreement, Some(year)) => (agreement, Part::Year(year)),
        AskHead::Agreement(agreement, None) => (agreement, Part::All),
    };
    Ok(Json(books.signed_head(&mut tx, &agreement, of).await?))
}

/// A part of what was said. It ends before the answer could be too large: as JSON in JSON a statement takes at most
/// twice its bytes.
async fn said<C: Core>(State(core): State<Arc<C>>, Json(ask): Json<AskSaid>) -> Result<Json<Said>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let until = match ask.until {
        Some(until) => until,
        None => tx.head().await?.number,
    };
    // The part ends where the first of the two is full.
    let (decided, through) = tx.decided(&ask.agreement, (ask.after, until)).await?;
    let limit = i64::try_from(SAID).unwrap_or(i64::MAX);
    let mut statements = tx.said(&ask.agreement, (ask.after, through), limit).await?;
    let mut bytes = 0;
    let fits = statements.iter().take_while(|once| {
        bytes += once.signed.statement.len() + once.signed.signature.len();
        bytes <= MAX_BYTES / 4
    });
    let fits = fits.count();
    let cut = statements.len() == SAID || fits < statements.len();
    statements.truncate(fits);
    let last = statements.last().filter(|_| cut).map(|once| once.entry);
    let through = last.unwrap_or(through);
    let decided = decided.into_iter().filter(|it| it.entry <= through).collect();
    Ok(Json(Said { statements, decided, until: through, more: through < until }))
}

async fn terms<C: Core>(
    State(core): State<Arc<C>>,
    Json(ask): Json<AskTerms>,
) -> Result<Json<TermsText>> {
    let mut tx = core.books().store.begin().await?;
    let text = tx.terms(&ask.terms).await?;
    let text = text.ok_or_else(|| CoreError::NoAgreement(ask.terms.to_string()))?;
    Ok(Json(TermsText { text }))
}
