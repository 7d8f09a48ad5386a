//! Notices in the books: made, heard, listed; and the clocks that run from them. The same on both sides.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use sluis_core::agreement::{Agreement, Language, Side};
use sluis_core::control::{MakeNotice, NoticeRow};
use sluis_core::deadline::{self, Deadline};
use sluis_core::evidence::{Terms, Verified};
use sluis_core::id::{AgreementId, Digest, Time, TransferId};
use sluis_core::notice::{Entered, Notice, Register, Sort};
use sluis_core::statement::{Body, Statement};

use crate::books::{Books, CoreError, Result, detail};
use crate::gatehouse::{Caller, Core};
use crate::persons::find;
use crate::store::{Stored, Tx};

impl Books {
    /// The notices under an agreement that have an effect, in the order of the ledger.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn notices(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Register> {
        let mut entered = Vec::new();
        for (signed, at) in tx.notices(agreement).await? {
            let claimed = Statement::read(signed.statement.as_bytes())?;
            let terms = self.terms(tx, &claimed.header.terms).await?;
            let by = terms.agreement.side_of(&claimed.header.issuer);
            let by = by.ok_or_else(|| CoreError::refused("notice", "a notice of no party"))?;
            let verified = Verified::check(&signed, &terms, by)?;
            let Body::Notice(sort, notice) = &verified.statement().body else { continue };
            entered.push(Entered {
                digest: verified.digest(),
                by,
                at: said_at(&verified, at),
                transfer: verified.statement().header.transfer,
                sort: *sort,
                notice: notice.clone(),
            });
        }
        Ok(Register(entered))
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
        language: Language,
    ) -> Result<Digest> {
        self.is_agreed(terms)?;
        let register = self.notices(tx, &terms.agreement.agreement).await?;
        let fault = register.may(&terms.agreement, self.side, sort, &notice, self.now());
        fault.map_err(|fault| CoreError::refused("notice", fault.text(language)))?;
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
    ) -> Result<std::result::Result<(), String>> {
        let mut register = self.notices(tx, &said.statement().header.agreement).await?;
        register.0.retain(|entered| entered.digest != said.digest());
        // As it was when it was said: a letter that was long on its way is no later notice.
        let at = said_at(said, self.now());
        let terms = self.terms(tx, &said.statement().header.terms).await?;
        let may = register.may(&terms.agreement, self.side.other(), sort, notice, at);
        Ok(may.map_err(|fault| fault.text(Language::En)))
    }

    /// Every clock that runs here, with the agreement that it is under.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn deadlines<S: Stored>(&self, tx: &mut Tx) -> Result<Vec<(AgreementId, Deadline)>> {
        let mut due = Vec::new();
        for installed in self.agreements.iter() {
            let agreement = &installed.terms.agreement;
            let name = &agreement.agreement;
            let clocks = self.notices(tx, name).await?.deadlines(agreement);
            due.extend(clocks.into_iter().map(|clock| (name.clone(), clock)));
        }
        for record in tx.recent::<S>(LOOKED_AT).await? {
            let terms = self.terms(tx, &record.terms).await?;
            let said = tx.said_when(&record.id).await?;
            let code = record.code.to_string();
            let clocks = deadline::of_transfer(&terms.agreement, &code, self.side, |kind| {
                said.iter().find(|(known, _)| known == kind).map(|(_, at)| *at)
            });
            due.extend(clocks.into_iter().map(|clock| (record.agreement.clone(), clock)));
            if let Some((_, at)) = said.iter().find(|(kind, _)| kind == "destroyed") {
                let by = Side::Municipality;
                let word = self.verified(tx, &terms, &record.id, "destroyed", by).await?;
                if let Some(Body::Destroyed(body)) = word.map(|word| word.statement().body.clone())
                {
                    let clock = deadline::backups(&code, *at, body.backups_until);
                    due.extend(clock.into_iter().map(|clock| (record.agreement.clone(), clock)));
                }
            }
        }
        due.sort_by_key(|(_, deadline)| deadline.due);
        Ok(due)
    }
}

/// How many transfers are looked at for clocks: the open ones and those that changed last.
const LOOKED_AT: i64 = 500;

/// How far the other party's clock may be ahead of ours.
const SKEW_MS: i64 = 600_000;

/// When it was said: by the signed time, so that both ledgers judge alike, but never later than it was heard.
fn said_at(said: &Verified, heard: Time) -> Time {
    said.statement().header.time.min(heard.plus_ms(SKEW_MS))
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
) -> Result<Json<NoticeRow>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let installed = books.agreements.get(&ask.agreement);
    let installed = installed.ok_or_else(|| CoreError::NoAgreement(ask.agreement.to_string()))?;
    let transfer = match &ask.code {
        Some(code) => Some(find::<C>(&mut tx, code).await?.id),
        None => None,
    };
    let terms = &installed.terms;
    core.worded(&mut tx, &mut ask).await?;
    let digest = books.notify(&mut tx, terms, transfer, ask.sort, ask.notice, ask.language).await?;
    let known = detail([("by", caller.0.name()), ("statement", digest.to_string())]);
    tx.enter(books.now(), ask.sort.kind(), transfer, known).await?;
    let register = books.notices(&mut tx, &ask.agreement).await?;
    books.commit(tx).await?;
    let made = register.0.into_iter().find(|entered| entered.digest == digest);
    let made = made.ok_or_else(|| CoreError::refused("notice", "it was not kept"))?;
    Ok(Json(row(&ask.agreement, &terms.agreement, made)))
}

async fn list<C: Core>(State(core): State<Arc<C>>) -> Result<Json<Vec<NoticeRow>>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let mut rows = Vec::new();
    for installed in books.agreements.iter() {
        let agreement = &installed.terms.agreement;
        let register = books.notices(&mut tx, &agreement.agreement).await?;
        rows.extend(register.0.into_iter().map(|it| row(&agreement.agreement, agreement, it)));
    }
    Ok(Json(rows))
}

fn row(id: &AgreementId, agreement: &Agreement, entered: Entered) -> NoticeRow {
    NoticeRow {
        agreement: id.clone(),
        digest: entered.digest,
        by: agreement.party(entered.by).id.clone(),
        at: entered.at,
        transfer: entered.transfer,
        sort: entered.sort,
        notice: entered.notice,
    }
}

async fn deadlines<C: Core>(State(core): State<Arc<C>>) -> Result<Json<Vec<Deadline>>> {
    let books = core.books();
    let mut tx = books.store.begin().await?;
    let due = books.deadlines::<C::State>(&mut tx).await?;
    Ok(Json(due.into_iter().map(|(_, deadline)| deadline).collect()))
}
