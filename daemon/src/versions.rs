//! Versions of agreements: the first one counts when it is installed, each later one when two persons say so
//! (R83, R84). Until then nothing begins under it, and nothing that the other party says under it is heard.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use axum::{Json, Router};
use sluis_config::agreements;
use sluis_core::control::{Agree, Agreed};
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Time};
use sluis_core::words;

use crate::books::{Books, CoreError, Result, detail};
use crate::gatehouse::{Caller, Core};
use crate::store::Tx;
use crate::two_persons::confirm;

/// Which version counts: the one whose number is that of its agreement.
fn names(terms: &Terms) -> (String, String) {
    let agreement = &terms.agreement.agreement;
    (format!("agreed:{agreement}"), format!("agreed:{agreement}:{}", terms.digest))
}

/// Whether the installed version counts. The first one under its name does.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn counts(tx: &mut Tx, now: Time, installed: &Terms) -> Result<bool> {
    let (latest, own) = names(installed);
    let (latest, own) = (tx.number(&latest).await?, tx.number(&own).await?);
    if latest.is_none() {
        agree(tx, now, installed, "agreement-installed", Vec::new()).await?;
    }
    Ok(latest == own || latest.is_none())
}

/// The version that counts, as it was kept; nothing where none ever did.
///
/// # Errors
/// [`CoreError::Store`].
pub async fn counting(tx: &mut Tx, agreement: &AgreementId) -> Result<Option<Terms>> {
    for text in tx.versions(agreement).await? {
        let Ok((terms, _)) = agreements::parse(Path::new("(store)"), &text) else { continue };
        let (latest, own) = names(&terms);
        let own = tx.number(&own).await?;
        if own.is_some() && own == tx.number(&latest).await? {
            return Ok(Some(terms));
        }
    }
    Ok(None)
}

async fn agree(
    tx: &mut Tx,
    now: Time,
    terms: &Terms,
    entry: &str,
    by: Vec<(&'static str, String)>,
) -> Result<()> {
    let (latest, own) = names(terms);
    let number = tx.number(&latest).await?.unwrap_or_default() + 1;
    tx.set_number(&latest, number).await?;
    tx.set_number(&own, number).await?;
    let known = [
        ("agreement", terms.agreement.agreement.to_string()),
        ("version", terms.agreement.version.to_string()),
        ("digest", terms.digest.to_string()),
    ];
    tx.enter(now, entry, None, detail(known.into_iter().chain(by))).await?;
    Ok(())
}

impl Books {
    /// The version of this agreement that waits for a second person, if one does.
    #[must_use]
    pub fn unapproved(&self, agreement: &AgreementId) -> Option<u32> {
        self.unapproved.lock().ok()?.get(agreement).copied()
    }

    /// Nothing is said or heard under a version that does not count yet.
    ///
    /// # Errors
    /// [`CoreError::Refused`].
    pub fn is_agreed(&self, terms: &Terms) -> Result<()> {
        let agreement = &terms.agreement.agreement;
        let installed = self.agreements.get(agreement).map(|installed| installed.terms.digest);
        match self.unapproved(agreement) {
            Some(version) if installed == Some(terms.digest) => Err(CoreError::refused(
                "unapproved",
                words!(
                    "art. 6: versie {version} van {agreement} wacht op twee personen: sluis agreement approve {agreement}",
                    "art. 6: version {version} of {agreement} waits for two persons: sluis agreement approve {agreement}"
                ),
            )),
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
    let installed = books.agreements.get(&ask.agreement);
    let installed = installed.ok_or_else(|| CoreError::NoAgreement(ask.agreement.to_string()))?;
    let terms = &installed.terms;
    let (version, digest) = (terms.agreement.version, terms.digest);
    let answer = |waits| Json(Agreed { version, digest, waits });
    if books.unapproved(&ask.agreement).is_none() {
        return Ok(answer(false));
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
    books.keys_follow(&mut tx, terms, ask.stolen).await?;
    // Who put the file there tells nothing: root does it for whoever asks. So two persons have looked at this one.
    let subject = format!("{} {digest}{}", ask.agreement, if ask.stolen { " stolen" } else { "" });
    let name = caller.0.name();
    let first = confirm(books, &mut tx, "agreement-approve", &subject, None, caller.0).await?;
    let Some(first) = first else {
        books.commit(tx).await?;
        return Ok(answer(true));
    };
    let by = vec![("by", name), ("after", first)];
    agree(&mut tx, books.now(), terms, "agreement-approved", by).await?;
    books.forget_keys(&ask.agreement);
    books.tell_processors(&mut tx, &ask.agreement).await?;
    let done = books.commit(tx).await;
    books.forget_keys(&ask.agreement);
    done?;
    if let Ok(mut unapproved) = books.unapproved.lock() {
        unapproved.remove(&ask.agreement);
    }
    Ok(answer(false))
}
