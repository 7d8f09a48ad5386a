//! Notices in the books: made, heard, listed; and the clocks that run from them. The same on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use sluis_core::agreement::articles::Processor;
use sluis_core::agreement::{Agreement, Side};
use sluis_core::control::{MakeNotice, Noted, NoticeRow, Under, Wanted};
use sluis_core::deadline::{self, Deadline};
use sluis_core::evidence::{Terms, Verified};
use sluis_core::exercise;
use sluis_core::id::{AgreementId, Digest, SKEW_MS, Time, TransferCode, TransferId};
use sluis_core::notice::{self, Entered, Fault, Late, Notice, Register, Sort};
use sluis_core::statement::{Body, Statement};
use sluis_core::words;
use sluis_core::words::Words;

use crate::books::{Books, counting, find};
use crate::error::{CoreError, Effect, Result};
use crate::gatehouse::{Caller, Core};
use crate::store::{Stored, Tx, detail};
use crate::two_persons;

/// How many notices of the other party are weighed in 24 hours of our own clock, whatever times they give.
const HEARD_A_DAY: usize = 1000;

/// A notice as it is known here.
struct Known {
    entered: Entered,
    /// When it was entered here.
    heard: Time,
    void: Option<Words>,
}

impl Books {
    /// Only what is installed can be asked for by its name.
    ///
    /// # Errors
    /// [`CoreError::NoAgreement`].
    pub fn is_here(&self, of: &Under) -> Result<()> {
        match &of.agreement {
            Some(name) if self.agreements.get(name).is_none() => {
                Err(CoreError::NoAgreement(name.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The notices under an agreement that have an effect, in the order of the ledger.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn notices(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Register> {
        let known = self.all_notices(tx, agreement).await?.into_iter();
        Ok(Register(known.filter(|it| it.void.is_none()).map(|it| it.entered).collect()))
    }

    /// Those without an effect too.
    async fn all_notices(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        let all = tx.notices(agreement).await?;
        for (place, kept) in all.iter().enumerate() {
            let (statement, terms, by) = self.read_again(tx, &kept.signed).await?;
            let Statement { header, body: Body::Notice(sort, notice) } = statement else {
                continue;
            };
            let (seen, heard) = match sort {
                sort if sort.has_a_term() && by != self.side => {
                    // What was heard before another notice was not heard after it, nor after now: so a clock that was ahead
                    // is known once it is set right.
                    let later = all.iter().skip(place).map(|it| it.at);
                    // One that was behind says nothing of what was signed before that.
                    let heard = later.fold(self.now(), Time::min).max(header.time.min(kept.at));
                    (tx.time_of(&self.party, agreement, &header.seen).await?, heard)
                }
                _ => (None, kept.at),
            };
            let entered = Entered {
                digest: kept.signed.digest(),
                by,
                at: notice::counts_from(sort, header.time, seen, heard),
                said: header.time,
                version: terms.agreement.version,
                transfer: header.transfer,
                sort,
                notice,
            };
            known.push(Known { entered, heard: kept.at, void: kept.void.clone() });
        }
        Ok(known)
    }

    /// Makes a notice, if it may be made now.
    ///
    /// # Errors
    /// [`CoreError::Refused`] with the article.
    pub async fn notify(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        transfer: Option<TransferId>,
        sort: Sort,
        notice: Notice,
    ) -> Result<Digest> {
        self.is_agreed(terms)?;
        let register = self.notices(tx, &terms.agreement.agreement).await?;
        let fault = register.may(&terms.agreement, self.side, sort, &notice, self.now());
        fault.map_err(|fault| CoreError::refused("notice", fault.words()))?;
        self.say(tx, terms, transfer, Body::Notice(sort, notice)).await
    }

    /// What the other party's notice does, which is in the ledger already: an effect, or why there is none.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn hear_notice(
        &self,
        tx: &mut Tx,
        said: &Verified,
        sort: Sort,
        notice: &Notice,
    ) -> Effect {
        let (now, header) = (self.now(), &said.statement().header);
        let known = self.all_notices(tx, &header.agreement).await?;
        let lately = |it: &&Known| it.entered.by != self.side && now.0 - it.heard.0 < 86_400_000;
        if known.iter().filter(lately).count() > HEARD_A_DAY {
            return Ok(Err(Fault::TooMany.words()));
        }
        let (own, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|it| it.entered.digest == said.digest());
        let Some(heard) = own.into_iter().next().map(|it| it.entered) else {
            return Err(not_kept());
        };
        let others = others.into_iter().filter(|it| it.void.is_none());
        let said_under = self.terms(tx, &header.terms).await?;
        let terms = self.rules_for(tx, said_under).await?;
        let register = Register(others.map(|it| it.entered).collect());
        // As it was when it was said: a letter that was long on its way is no later notice, and a clock that is ahead makes
        // no report void.
        let notice = Notice { found: heard.found(), ..notice.clone() };
        let judged = heard.judged();
        if let Err(fault) = register.may(&terms.agreement, heard.by, sort, &notice, judged) {
            return Ok(Err(fault.words()));
        }
        self.mark_late(tx, &register, &heard).await?;
        Ok(Ok(()))
    }

    /// What came too late is taken, and marked in the ledger (R27, R43, R60).
    async fn mark_late(&self, tx: &mut Tx, register: &Register, entered: &Entered) -> Result<()> {
        let Some(late) = register.late(entered) else { return Ok(()) };
        let by = match late {
            Late::Day => ("on", entered.notice.on.map(|on| on.to_string())),
            Late::Clock(_, by) => ("late_s", Some(by.as_secs().to_string())),
        };
        let known = [
            ("statement", entered.digest.to_string()),
            ("kind", entered.sort.kind().to_owned()),
            (by.0, by.1.unwrap_or_default()),
        ];
        tx.enter(self.now(), "late", entered.transfer, detail(known)).await?;
        Ok(())
    }

    /// A new version of an agreement whose register of this party's processors is another one, or under which a change that
    /// a person told has its version: that is said by itself (R70), under the version before it, which the other party has.
    /// So it is known when that clock was met.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub(crate) async fn tell_processors(&self, tx: &mut Tx, name: &AgreementId) -> Result<()> {
        let Some(installed) = self.agreements.get(name) else { return Ok(()) };
        let new = &installed.terms.agreement;
        let older = former(tx, new).await?;
        let before = older.into_iter().max_by_key(|terms| terms.agreement.version);
        let Some(before) = before else { return Ok(()) };
        let plain =
            format!("Register van verwerkers / register of processors: versie {}", new.version);
        let told = self.notices(tx, name).await?.0.iter().any(|it| {
            it.sort == Sort::Processors
                && (it.by, it.version) == (self.side, before.agreement.version)
        });
        let changes = register_changes(&before.agreement, new, self.side);
        if changes.is_none() && !told {
            return Ok(());
        }
        for text in changes.into_iter().chain([plain]) {
            let notice = Notice::of(text);
            match self.notify(tx, &before, None, Sort::Processors, notice).await {
                Ok(_) => return Ok(()),
                Err(CoreError::Store(error)) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(agreement = name.as_str(), %error, "the change of processors is not told; say it with: sluis processors");
                }
            }
        }
        Ok(())
    }

    /// Every clock that runs here, with the agreement that it is under.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn deadlines<S: Stored>(&self, tx: &mut Tx) -> Result<Vec<(AgreementId, Deadline)>> {
        let (mut due, mut exercises) = (Vec::new(), BTreeSet::new());
        for installed in self.agreements.iter() {
            let name = &installed.terms.agreement.agreement;
            let agreement = &self.counting(tx, name).await?.agreement;
            let former = former(tx, agreement).await?;
            let former: Vec<&Agreement> = former.iter().map(|it| &it.agreement).collect();
            let mut clocks = self.notices(tx, name).await?.deadlines(agreement, &former);
            let confirmed = self.confirmed(tx, name).await?.into_iter().map(|(_, it)| it);
            let tried =
                exercise::tried_since(agreement, &confirmed.collect::<Vec<_>>(), self.now());
            clocks.extend(deadline::of_rehearsal(agreement, tried));
            due.extend(clocks.into_iter().map(|clock| (name.clone(), clock)));
            exercises.extend(self.exercises(tx, name).await?.into_keys());
        }
        let rehearsals = tx.rehearsals().await?;
        for record in tx.clocked::<S>(LOOKED_AT).await? {
            let rehearsal = rehearsals.contains(&record.id);
            let terms = self.terms(tx, &record.terms).await?;
            let said = tx.said_when(&record.id).await?;
            let code = record.code.to_string();
            let opened = tx.was_opened(&record.id).await?;
            let clocks =
                deadline::of_transfer(&terms.agreement, &code, self.side, opened, |kind| {
                    // Of an exercise no list is kept.
                    let told = kind != "delivered" || !exercises.contains(&record.id);
                    said.iter().find(|(known, _)| told && known == kind).map(|(_, at)| *at)
                });
            let clocks = clocks.into_iter().map(|clock| Deadline { rehearsal, ..clock });
            due.extend(clocks.map(|clock| (record.agreement.clone(), clock)));
            if let Some((_, at)) = said.iter().find(|(kind, _)| kind == "destroyed") {
                let by = Side::Municipality;
                let word = self.verified(tx, &terms, &record.id, "destroyed", by).await?;
                if let Some(Body::Destroyed(body)) = word.map(|word| word.statement().body.clone())
                {
                    let clock = deadline::backups(&code, *at, body.backups_until)
                        .map(|clock| Deadline { rehearsal, ..clock });
                    due.extend(clock.into_iter().map(|clock| (record.agreement.clone(), clock)));
                }
            }
        }
        let done = |(name, it): &(AgreementId, Deadline)| {
            let others = due.iter().filter(|(of, _)| of == name);
            // How long a list is kept runs at the municipality alone.
            self.side == Side::Municipality && deadline::is_done(it, others.map(|(_, other)| other))
        };
        let mut due: Vec<_> = due.iter().filter(|it| !done(it)).cloned().collect();
        due.sort_by_key(|(_, deadline)| deadline.due);
        Ok(due)
    }
}

/// The versions of an agreement before this one that counted here.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn former(tx: &mut Tx, agreement: &Agreement) -> Result<Vec<Terms>> {
    let counted = counting::counted(tx, &agreement.agreement).await?.into_iter();
    Ok(counted.filter(|it| it.agreement.version < agreement.version).collect())
}

/// How many transfers are looked at for clocks: of the open ones the oldest, of the others those that changed last. What
/// was late of any other is in the ledger (`missed`) and in the report of its year.
const LOOKED_AT: i64 = 500;

/// What changed among a party's processors, for people; nothing where it is the same.
fn register_changes(before: &Agreement, new: &Agreement, side: Side) -> Option<String> {
    let own = |agreement: &Agreement| -> BTreeMap<String, Processor> {
        let of = agreement.processors.iter().filter(|it| it.works_for == side);
        of.map(|it| (it.name.clone(), it.clone())).collect()
    };
    let (old, now) = (own(before), own(new));
    let came = now.keys().filter(|name| !old.contains_key(*name)).map(|name| format!("+ {name}"));
    let went = old.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("- {name}"));
    let other = now.iter().filter(|(name, it)| old.get(*name).is_some_and(|old| old != *it));
    let other = other.map(|(name, _)| format!("~ {name}"));
    let changes: Vec<String> = came.chain(went).chain(other).collect();
    (!changes.is_empty()).then(|| {
        format!(
            "Register van verwerkers / register of processors: versie {}\n{}",
            new.version,
            changes.join("\n")
        )
    })
}

fn not_kept() -> CoreError {
    CoreError::refused("notice", words!("het werd niet bewaard", "it was not kept"))
}

/// The verbs about notices, the same for persons on both sides.
pub fn router<C: Core>(core: Arc<C>) -> Router {
    Router::new()
        .route("/notice", post(make::<C>))
        .route("/notices", get(list::<C>))
        .route("/deadlines", get(deadlines::<C>))
        .with_state(core)
}

async fn make<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
    Json(mut ask): Json<MakeNotice>,
) -> Result<Json<Noted>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let sort = ask.sort;
    // A page is of one text. All else is said under the version that counts: nobody waits for a later one.
    let terms = &match sort {
        Sort::Publication => books.installed(&ask.agreement)?.terms.clone(),
        _ => books.counting(&mut tx, &ask.agreement).await?,
    };
    if sort == Sort::Override {
        return Err(CoreError::refused(
            "not-here",
            words!(
                "wat een lijst doorlaat, zeggen twee personen van die lijst: sluis override",
                "what lets a list pass is said by two persons of that list: sluis override"
            ),
        ));
    }
    let transfer = match &ask.code {
        Some(code) => Some(under::<C>(&mut tx, code, &ask.agreement).await?),
        None => None,
    };
    core.worded(&mut tx, &mut ask).await?;
    let mut known = vec![("by", caller.0.name())];
    let mut noted = Noted {
        row: None,
        first: None,
        withdrawn: Vec::new(),
        stays: Vec::new(),
        waits: sort == Sort::TerminateAtOnce && !books.heard.once(&ask.agreement),
        others: Vec::new(),
    };
    if ask.notice.takes_two(sort, books.side) {
        // Not even asked for, where it may not be said at all.
        let register = books.notices(&mut tx, &ask.agreement).await?;
        register
            .may(&terms.agreement, books.side, sort, &ask.notice, books.now())
            .map_err(|fault| CoreError::refused("notice", fault.words()))?;
        let subject = word_for_word(&ask)?;
        let (verb, wanted) = (sort.kind(), Wanted::from(&ask));
        let word = two_persons::Word { verb, subject: &subject, transfer, wanted };
        let confirmed = two_persons::confirm(books, &mut tx, word, caller.0).await?;
        (noted.first, noted.others) = (confirmed.first, confirmed.others);
        let Some(first) = &noted.first else {
            books.commit(tx).await?;
            return Ok(Json(noted));
        };
        known.push(("after", first.clone()));
    }
    let digest = books.notify(&mut tx, terms, transfer, sort, ask.notice).await?;
    known.push(("statement", digest.to_string()));
    tx.enter(books.now(), sort.kind(), transfer, detail(known)).await?;
    (noted.withdrawn, noted.stays) = core.noted(&mut tx, &ask.agreement, sort).await?;
    let register = books.notices(&mut tx, &ask.agreement).await?;
    let made = register.0.iter().find(|entered| entered.digest == digest).cloned();
    let made = made.ok_or_else(not_kept)?;
    books.mark_late(&mut tx, &register, &made).await?;
    books.commit(tx).await?;
    core.after().await;
    noted.row = Some(row(&terms.agreement, &register, made, None));
    Ok(Json(noted))
}

/// The transfer that a notice is about: one under the same agreement.
async fn under<C: Core>(
    tx: &mut Tx,
    code: &TransferCode,
    agreement: &AgreementId,
) -> Result<TransferId> {
    let record = find::<C::State>(tx, code).await?;
    if record.agreement == *agreement {
        return Ok(record.id);
    }
    let why = words!(
        "{code} is een zending onder {}, niet onder {agreement}",
        "{code} is a transfer under {}, not under {agreement}",
        record.agreement
    );
    Err(CoreError::refused("other-agreement", why))
}

/// The second person confirms this very notice: the same text, day and paper.
fn word_for_word(ask: &MakeNotice) -> Result<String> {
    let said = (&ask.agreement, &ask.code, ask.sort, &ask.notice);
    let json = serde_json::to_vec(&said).map_err(|_| {
        CoreError::refused("notice", words!("het is niet te schrijven", "it cannot be written"))
    })?;
    Ok(format!("{} {}", ask.agreement, Digest::of(&json)))
}

async fn list<C: Core>(
    State(core): State<Arc<C>>,
    Query(of): Query<Under>,
) -> Result<Json<Vec<NoticeRow>>> {
    let books = core.books();
    books.is_here(&of)?;
    let mut tx = books.store.begin().await?;
    let mut rows = Vec::new();
    for installed in books.agreements.iter().filter(|it| of.has(&it.terms.agreement.agreement)) {
        let name = &installed.terms.agreement.agreement;
        let agreement = &books.counting(&mut tx, name).await?.agreement;
        let register = books.notices(&mut tx, name).await?;
        let known = books.all_notices(&mut tx, name).await?.into_iter();
        rows.extend(known.map(|it| row(agreement, &register, it.entered, it.void)));
    }
    Ok(Json(rows))
}

fn row(
    agreement: &Agreement,
    register: &Register,
    entered: Entered,
    void: Option<Words>,
) -> NoticeRow {
    let said = entered.said;
    // What has no effect meets no clock.
    let late = if void.is_none() { register.late(&entered) } else { None };
    NoticeRow {
        agreement: agreement.agreement.clone(),
        digest: entered.digest,
        by: agreement.party(entered.by).id.clone(),
        at: entered.at,
        said: Some(said).filter(|said| said.0.abs_diff(entered.at.0) > SKEW_MS.unsigned_abs()),
        ends: if void.is_none() { register.ends_otherwise(&entered, agreement) } else { None },
        late: late.is_some(),
        late_why: late.map(Late::words),
        late_s: late.and_then(Late::seconds),
        contradicted: register.is_contradicted(&entered.digest),
        transfer: entered.transfer,
        sort: entered.sort,
        notice: entered.notice,
        void,
    }
}

/// Each with its agreement: of two agreements clocks are alike.
async fn deadlines<C: Core>(
    State(core): State<Arc<C>>,
    Query(of): Query<Under>,
) -> Result<Json<Vec<(AgreementId, Deadline)>>> {
    let books = core.books();
    books.is_here(&of)?;
    let mut tx = books.store.begin().await?;
    let mut due = books.deadlines::<C::State>(&mut tx).await?;
    due.retain(|(agreement, _)| of.has(agreement));
    Ok(Json(due))
}
