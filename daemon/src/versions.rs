//! Versions of agreements: the first one counts when it is installed, each later one when two persons say so
//! (R83, R84). Until then nothing begins under it, and it changes no rule. What is no transfer is said under the version
//! that counts. What the other party says under it is heard by the rules and the keys of that version; no list is fetched.

use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use axum::{Json, Router};
use sluis_core::control::{Agree, Agreed, Waiting, Wanted, typed};
use sluis_core::duty::APPROVE;
use sluis_core::evidence::{Terms, Verified};
use sluis_core::id::{AgreementId, Time};
use sluis_core::notice::MAX_A_DAY;
use sluis_core::statement::{Body, Statement};
use sluis_core::words;

use crate::books::counting::{agree, is_a_version, not_agreed, since};
use crate::books::{Books, UNHEARD_MS};
use crate::error::{CoreError, Result};
use crate::gatehouse::{Caller, Core};
use crate::store::{Tx, detail};
use crate::two_persons::{self, Confirmed, Word, confirm};

/// What is typed for it.
fn wanted(agreement: &AgreementId, version: u32, stolen: bool) -> Wanted {
    let stolen = stolen.then_some("--stolen");
    let words = ["sluis", "agreement", "approve", agreement.as_str()].into_iter().chain(stolen);
    Wanted {
        agreement: Some(agreement.clone()),
        of: format!("{agreement} v{version}"),
        command: typed(words),
        ..Wanted::default()
    }
}

/// All that waits for a second person, or for two.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn all_waiting(books: &Books, tx: &mut Tx) -> Result<Vec<Waiting>> {
    let mut rows = two_persons::all(books, tx).await?;
    for row in &mut rows {
        if let Some(id) = row.wanted.transfer {
            row.rehearsal = tx.is_rehearsal(&id).await?;
            // A person knows it by its code.
            if row.subject == id.to_string() {
                row.subject.clone_from(&row.wanted.of);
            }
        }
    }
    rows.extend(waiting(books, tx, &rows).await?);
    Ok(rows)
}

/// The versions that wait for two persons and of which nobody has said so yet: of the others there is a line in `asked`.
///
/// # Errors
/// [`CoreError::Store`].
async fn waiting(books: &Books, tx: &mut Tx, asked: &[Waiting]) -> Result<Vec<Waiting>> {
    let mut rows = Vec::new();
    for installed in books.agreements.iter() {
        let terms = &installed.terms;
        let name = &terms.agreement.agreement;
        let subject = format!("{name} {}", terms.digest);
        let begun = |it: &Waiting| it.verb == APPROVE && it.subject.starts_with(&subject);
        if books.unapproved(name).is_none() || asked.iter().any(begun) {
            continue;
        }
        let at = tx.number(&since(terms)).await?.map_or(books.now(), Time);
        let wanted = wanted(name, terms.agreement.version, false);
        rows.push(Waiting {
            verb: APPROVE.into(),
            subject,
            by: None,
            at,
            until: None,
            rehearsal: false,
            wanted,
        });
    }
    Ok(rows)
}

impl Books {
    /// The version of this agreement that waits for a second person, if one does.
    #[must_use]
    pub fn unapproved(&self, agreement: &AgreementId) -> Option<u32> {
        self.unapproved.lock().ok()?.get(agreement).copied()
    }

    /// Of how many agreements a version waits.
    #[must_use]
    pub fn unapproved_count(&self) -> usize {
        self.unapproved.lock().map(|it| it.len()).unwrap_or_default()
    }

    /// Nothing is said under a version that does not count yet.
    ///
    /// # Errors
    /// [`CoreError::Refused`].
    pub fn is_agreed(&self, terms: &Terms) -> Result<()> {
        let agreement = &terms.agreement.agreement;
        let installed = self.agreements.get(agreement).map(|installed| installed.terms.digest);
        match self.unapproved(agreement) {
            Some(_) if installed == Some(terms.digest) => Err(not_agreed(&terms.agreement)),
            _ => Ok(()),
        }
    }
}

/// The verb of whoever lets a version count.
pub fn router<C: Core>(core: Arc<C>) -> Router {
    Router::new().route("/agree", post(agreed::<C>)).with_state(core)
}

async fn agreed<C: Core>(
    State(core): State<Arc<C>>,
    caller: ConnectInfo<Caller>,
    Json(ask): Json<Agree>,
) -> Result<Json<Agreed>> {
    let books = core.books();
    let installed = books.installed(&ask.agreement)?;
    let terms = &installed.terms;
    let (version, digest) = (terms.agreement.version, terms.digest);
    let answer = |waits, others| Json(Agreed { version, digest, waits, others });
    if books.unapproved(&ask.agreement).is_none() {
        return Ok(answer(false, Vec::new()));
    }
    if ask.digest != terms.digest {
        return Err(CoreError::refused(
            "other-version",
            words!(
                "versie {} heeft de digest {}: bekijk ze opnieuw",
                "version {} has the digest {}: look at it again",
                version,
                digest
            ),
        ));
    }
    let mut tx = books.store.begin().await?;
    if !is_a_version(&mut tx, terms).await? {
        return Err(CoreError::refused(
            "version-not-newer",
            words!(
                "een andere tekst van {} telde al als versie {version} of later: een wijziging is een nieuwe versie, verhoog `version`",
                "another text of {} has counted as version {version} or later: a change is a new version, raise `version`",
                ask.agreement
            ),
        ));
    }
    books.keys_follow(&mut tx, terms, ask.stolen).await?;
    // Who put the file there tells nothing: root does it for whoever asks. So two persons have looked at this one.
    let subject = format!("{} {digest}{}", ask.agreement, if ask.stolen { " stolen" } else { "" });
    let name = caller.0.name();
    let wanted = wanted(&ask.agreement, version, ask.stolen);
    let word = Word { verb: APPROVE, subject: &subject, transfer: None, wanted };
    let Confirmed { first, others } = confirm(books, &mut tx, word, caller.0).await?;
    let Some(first) = first else {
        books.commit(tx).await?;
        return Ok(answer(true, others));
    };
    let by = vec![("by", name), ("after", first)];
    agree(&mut tx, books.now(), terms, "agreement-approved", by).await?;
    books.forget_keys(&ask.agreement);
    let followed = follows(&*core, &mut tx, terms).await;
    let done = match followed {
        Ok(()) => books.commit(tx).await,
        Err(error) => Err(error),
    };
    // Also where nothing of it counts: its keys were read.
    books.forget_keys(&ask.agreement);
    done?;
    if let Ok(mut unapproved) = books.unapproved.lock() {
        unapproved.remove(&ask.agreement);
    }
    books.wake_all();
    core.after().await;
    Ok(answer(false, Vec::new()))
}

/// What follows when a version comes to count.
async fn follows<C: Core>(core: &C, tx: &mut Tx, terms: &Terms) -> Result<()> {
    let (books, name) = (core.books(), &terms.agreement.agreement);
    books.tell_processors(tx, name).await?;
    weigh_again(core, tx, terms).await?;
    // What waited for this goes on at once.
    Ok(tx.sooner(name, books.now(), UNHEARD_MS).await?)
}

/// What the other party said under a version that waited was weighed by the rules that counted before. What those void is
/// weighed once more, now that this version counts: only what has a term goes by the text, and of that no more than a party
/// says in a day.
async fn weigh_again<C: Core>(core: &C, tx: &mut Tx, terms: &Terms) -> Result<()> {
    let (books, name) = (core.books(), &terms.agreement.agreement);
    let (mut weighed, version) = (0, terms.agreement.version.to_string());
    for signed in tx.all_void(name).await? {
        let said = Statement::read(signed.statement.as_bytes())?;
        let has_a_term = matches!(said.body, Body::Notice(sort, _) if sort.has_a_term());
        let theirs = said.header.issuer != books.party && said.header.terms == terms.digest;
        if !has_a_term || !theirs || weighed >= MAX_A_DAY {
            continue;
        }
        weighed += 1;
        let under = books.terms(tx, &terms.digest).await?;
        // By the keys of this version, which may take a stolen one back: what that signed stays without effect.
        let Ok(said) = Verified::check(&signed, &under, books.side.other()) else { continue };
        if core.heard(tx, &said).await?.is_ok() {
            tx.takes_effect(&said.digest()).await?;
            let under = said.statement().header.agreement.to_string();
            let known = [
                ("agreement", under),
                ("statement", said.digest().to_string()),
                ("version", version.clone()),
            ];
            tx.enter(books.now(), "takes-effect", None, detail(known)).await?;
        }
    }
    Ok(())
}
