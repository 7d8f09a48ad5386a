//! Retention: what is kept and until when, who destroys it, what an attestation is held against (art. 2 and 3).
//!
//! A list goes on the word of two persons, or on its last day where the agreement leaves that to the keeper; never by
//! a clock that jumped. First it is gone, then that is said.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{ConnectInfo, State as Of};
use axum::routing::{get, post};
use axum::{Json, Router};
use sluis_core::control::{AskStock, Asked, Destroy, MakeNotice, Over, Retention, Wanted, typed};
use sluis_core::id::{AgreementId, Time, TransferCode, TransferId};
use sluis_core::notice::Sort;
use sluis_core::receipt::{Event, State};
use sluis_core::retention::{Due, Retained, Stock, last_day};
use sluis_core::transfer::states;
use sluis_core::words;
use sluis_core::words::Words;

use super::Municipality;
use crate::books::find;
use crate::error::{CoreError, Result};
use crate::gatehouse::Caller;
use crate::persons::row;
use crate::store::{JobRow, Tx, detail};
use crate::{files, two_persons};

/// The states in which the vault holds a whole list.
pub(super) const HOLD: [&str; 4] = ["Collected", "Removed", "Opened", "Destroying"];
/// How many lists of a state are looked at; the oldest are the first.
pub(super) const LOOKED_AT: i64 = 10_000;
/// How many lists `retention` shows: as many as fit an answer.
const SHOWN: usize = 8_000;
/// How many strays of the vault are named.
const NAMED: usize = 20;
/// How often it is looked whose last day has come.
const LOOK_MS: i64 = 600_000;
/// How soon once more, where something could not go.
const AGAIN_MS: i64 = 5_000;
/// The entry of somebody's word that the custodians were asked to delete their messages.
const MESSAGES_ASKED: &str = "messages-asked";
/// The entry that announces that a list goes by itself.
const PLANNED: &str = "destruction-planned";

/// The verbs about retention.
pub fn router(core: Arc<Municipality>) -> Router {
    Router::new()
        .route("/retention", get(retention))
        .route("/stock", post(stock))
        .route("/destroy", post(destroy))
        .with_state(core)
}

async fn retention(Of(core): Of<Arc<Municipality>>) -> Result<Json<Retention>> {
    let mut tx = core.books.store.begin().await?;
    let mut lists: Vec<Retained> =
        core.retained(&mut tx, core.books.now()).await?.into_iter().map(|(_, it)| it).collect();
    lists.sort_by_key(|list| list.last_day);
    lists.truncate(SHOWN);
    Ok(Json(Retention { lists, clock_held: core.books.clock_is_held() }))
}

async fn stock(Of(core): Of<Arc<Municipality>>, Json(ask): Json<AskStock>) -> Result<Json<Stock>> {
    let mut tx = core.books.store.begin().await?;
    Ok(Json(core.stock(&mut tx, &ask.agreement).await?))
}

/// One person asks, a second one confirms; then what the vault holds of it goes.
async fn destroy(
    Of(core): Of<Arc<Municipality>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Destroy>,
) -> Result<Json<Asked>> {
    let books = &core.books;
    let mut tx = books.store.begin().await?;
    let mut record = find::<State>(&mut tx, &ask.code).await?;
    if !record.state.can_be_destroyed() {
        let state = record.state.name();
        let why = match record.state {
            State::Destroying { .. } | State::Destroyed { .. } => {
                words!("er is niets meer te vragen", "there is nothing left to ask")
            }
            State::Ended { .. } | State::Failed { .. } => {
                words!("de envelop is ongeopend weggegooid", "its envelope is discarded, unopened")
            }
            _ => words!(
                "ze is nog onderweg; het agentschap kan ze stoppen (sluis withdraw)",
                "it is still on its way; the agency can stop it (sluis withdraw)"
            ),
        };
        let of = row(&*core, &mut tx, &record).await?.called();
        let stands = Words::of(|language| states::shown(state, language).to_owned());
        let text = words!(
            "wat in de kluis staat wordt vernietigd; {of} is {}",
            "what stands in the vault is destroyed; {of} is {}";
            Words::join(&[stands, why], ": ")
        );
        return Err(CoreError::refused("not-kept", text));
    }
    let (id, subject) = (record.id, record.id.to_string());
    let code = record.code.to_string();
    let known = messages_asked(&mut tx, &id).await?;
    // Whoever confirms says what nobody said yet.
    let unsaid = (!known && !ask.messages_asked).then_some("--messages-asked");
    let wanted = Wanted {
        agreement: Some(record.agreement.clone()),
        command: typed(["sluis", "destroy", &code].into_iter().chain(unsaid)),
        code: Some(record.code),
        of: code,
        ..Wanted::default()
    };
    let word = two_persons::Word { verb: "destroy", subject: &subject, transfer: Some(id), wanted };
    let first = two_persons::confirm(books, &mut tx, word, caller.0).await?.first;
    if ask.messages_asked && !known {
        let by = detail([("by", caller.0.name())]);
        tx.enter(books.now(), MESSAGES_ASKED, Some(id), by).await?;
    }
    let routes = record.state.sent().map(|sent| sent.routes.clone()).unwrap_or_default();
    if first.is_some() {
        let terms = books.terms(&mut tx, &record.terms).await?;
        core.advance(&mut tx, &mut record, &terms, Event::Destroy).await?;
    }
    let row = row(&*core, &mut tx, &record).await?;
    books.commit(tx).await?;
    Ok(Json(Asked {
        row,
        first,
        custodians: routes.into_iter().map(|route| route.custodian).collect(),
        messages_asked: ask.messages_asked || known,
    }))
}

/// Copies of which the core knows nothing: what somebody took from the vault is with that person. Of backups it is said
/// until when they may hold it.
pub(super) async fn out_of_reach(tx: &mut Tx, id: &TransferId) -> Result<Vec<String>> {
    let taken = tx.entered_as(id, "taken").await?.map(|_| "taken");
    Ok(taken.into_iter().chain(["snapshots"]).map(str::to_owned).collect())
}

/// Whether somebody said that the custodians were asked to delete their messages.
pub(super) async fn messages_asked(tx: &mut Tx, id: &TransferId) -> Result<bool> {
    Ok(tx.entered_as(id, MESSAGES_ASKED).await?.is_some())
}

impl Municipality {
    /// The lists that the vault holds, with the last day of each. What an exercise brought is no list (R88).
    async fn retained(&self, tx: &mut Tx, now: Time) -> Result<Vec<(TransferId, Retained)>> {
        let mut lists = Vec::new();
        for state in HOLD {
            for record in tx.in_state::<State>(state, LOOKED_AT).await? {
                if record.state.sent().is_some_and(|sent| sent.exercise) {
                    continue;
                }
                let agreement = self.books.terms(tx, &record.terms).await?.agreement;
                let said = tx.said_when(&record.id).await?;
                let when = |kind: &str| {
                    said.iter().find(|(known, _)| known == kind).map(|(_, at): &(_, Time)| *at)
                };
                let delivered = when("delivered").unwrap_or(record.created);
                let (last_day, days_left) = last_day(&agreement, delivered, now);
                let subject = record.id.to_string();
                let asked = two_persons::waiting(&self.books, tx, "destroy", &subject).await?;
                let retained = Retained {
                    code: record.code,
                    agreement: record.agreement,
                    state: state.to_owned(),
                    delivered,
                    opened: when("opened"),
                    last_day,
                    days_left,
                    destroy: agreement.retention.destroy,
                    announced: tx.entered_as(&record.id, PLANNED).await?,
                    asked_by: asked.map(|asked| asked.name),
                    rehearsal: tx.is_rehearsal(&record.id).await?,
                };
                lists.push((record.id, retained));
            }
        }
        Ok(lists)
    }

    /// Announces what goes by itself soon and begins to destroy what goes today. Asked only where the clock is believed.
    pub(super) async fn retire(&self, now: Time) -> Result<()> {
        if now.0.abs_diff(self.looked.load(Ordering::SeqCst)) < LOOK_MS.unsigned_abs() {
            return Ok(());
        }
        self.looked.store(now.plus_ms(AGAIN_MS - LOOK_MS).0, Ordering::SeqCst);
        let mut tx = self.books.store.begin().await?;
        let lists = self.retained(&mut tx, now).await?;
        drop(tx);
        let mut went = true;
        for (id, list) in &lists {
            // One that cannot go holds up no other.
            if let Err(error) = self.retire_one(id, list, now).await {
                tracing::error!(code = %list.code, %error, "a list cannot be destroyed by itself");
                went = false;
            }
        }
        if went {
            self.looked.store(now.0, Ordering::SeqCst);
        }
        Ok(())
    }

    /// How much of it there is to do, on a clock that is believed.
    pub(super) async fn due(&self, tx: &mut Tx) -> Result<Over> {
        let (now, mut over) = (self.books.now(), Over::default());
        let lists = self.retained(tx, now).await?;
        // What is fetched still, or going already, is not begun on.
        let stands = |list: &Retained| matches!(list.state.as_str(), "Removed" | "Opened");
        for (_, list) in lists.iter().filter(|(_, list)| stands(list)) {
            match list.due(now) {
                Due::Announce => over.announce += 1,
                Due::Destroy => over.destroy += 1,
                Due::Nothing => {}
            }
        }
        Ok(over)
    }

    async fn retire_one(&self, id: &TransferId, list: &Retained, now: Time) -> Result<()> {
        let due = list.due(now);
        if due == Due::Nothing {
            return Ok(());
        }
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, id).await?;
        if !record.state.can_be_destroyed() {
            return Ok(());
        }
        let day = || detail([("on", list.last_day.to_string())]);
        if due == Due::Announce {
            tx.enter(now, PLANNED, Some(*id), day()).await?;
        } else {
            tx.enter(now, "destruction-due", Some(*id), day()).await?;
            tx.unask("destroy", &id.to_string()).await?;
            self.advance(&mut tx, &mut record, &terms, Event::Destroy).await?;
        }
        self.books.commit(tx).await
    }

    /// Erases what the vault holds of it, and says so.
    pub(super) async fn destroy(&self, tx: &mut Tx, job: &JobRow) -> Result<()> {
        let Some(id) = job.transfer else { return Ok(()) };
        let (mut record, terms) = self.books.load::<State>(tx, &id).await?;
        if !matches!(record.state, State::Destroying { .. }) {
            return Ok(());
        }
        // In another vault, or where none is mounted, it is not there either: that is no destruction.
        self.its_vault(tx).await?;
        // An opening that is under way would write what is erased here. It ends by itself, and says nothing.
        let turn = self.turn(&id);
        let Ok(_turn) = turn.try_lock() else {
            let why = words!(
                "ze wordt net geopend; vraag het straks opnieuw",
                "an opening of it is under way; ask again soon"
            );
            return Err(CoreError::refused("busy", why));
        };
        self.forget(&id);
        let folder = self.vault(&record.agreement, &id, &record.code);
        files::erase(&folder).map_err(CoreError::io("destroying what the vault holds"))?;
        if let Some(parent) = folder.parent() {
            files::sync_folder(parent).map_err(CoreError::io("making the destruction durable"))?;
        }
        self.advance(tx, &mut record, &terms, Event::Destroyed).await
    }

    /// What there is to attest: the books held against the vault itself.
    async fn stock(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Stock> {
        self.books.installed(agreement)?;
        // In another vault, or where none is mounted, nothing is kept either: that is nothing to sign.
        self.its_vault(tx).await?;
        let lists = self
            .retained(tx, self.books.now())
            .await?
            .into_iter()
            .filter(|(_, it)| it.agreement == *agreement);
        let (ids, lists): (Vec<_>, Vec<_>) = lists.unzip();
        let here = self.in_vault(agreement)?;
        let name = |id: &TransferId, code: &TransferCode| {
            self.vault(agreement, id, code).file_name().map(OsString::from)
        };
        let mut missing = Vec::new();
        for (id, list) in ids.iter().zip(&lists) {
            let folder = name(id, &list.code).unwrap_or_default();
            // What is being destroyed may be gone already.
            if !here.contains(&folder) && list.state != "Destroying" {
                missing.push(list.code);
            }
        }
        let mut known = BTreeSet::new();
        for state in HOLD.into_iter().chain(["Announced"]) {
            for record in tx.in_state::<State>(state, LOOKED_AT).await? {
                known.extend(name(&record.id, &record.code));
            }
        }
        let stray = here.difference(&known).take(NAMED).map(|name| files::shown(name)).collect();
        let attested = self.books.notices(tx, agreement).await?;
        let last = attested.0.iter().rev().find(|entered| entered.sort == Sort::Attestation);
        Ok(Stock {
            destroyed: tx.said_since(agreement, "destroyed", Sort::Attestation.kind()).await?,
            since: last.map(|entered| entered.at.date()),
            missing,
            stray,
            ..Stock::of(&lists)
        })
    }

    /// The names in an agreement's folder of the vault.
    fn in_vault(&self, agreement: &AgreementId) -> Result<BTreeSet<OsString>> {
        let folder = self.settings.vault.join(agreement.as_str());
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(BTreeSet::new());
            }
            entries => entries.map_err(CoreError::io(folder.display()))?,
        };
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        names.collect::<std::io::Result<_>>().map_err(CoreError::io(folder.display()))
    }

    /// An attestation has the counts of this moment before what a person adds, or is not made.
    pub(super) async fn attested(&self, tx: &mut Tx, ask: &mut MakeNotice) -> Result<()> {
        let stock = self.stock(tx, &ask.agreement).await?;
        if let Some(why) = stock.contradicts() {
            return Err(CoreError::refused("not-so", why));
        }
        let counts = stock.text(ask.language);
        let added = ask.notice.text.trim();
        ask.notice.text = if added.is_empty() { counts } else { format!("{counts}\n{added}") };
        Ok(())
    }
}
