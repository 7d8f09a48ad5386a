//! Which version of an agreement counts here.

use std::path::Path;

use sluis_config::agreements;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Time};

use crate::error::Result;
use crate::store::{Tx, detail};

/// Which version counts: the one whose number is that of its agreement.
fn names(terms: &Terms) -> (String, String) {
    let agreement = &terms.agreement.agreement;
    (format!("agreed:{agreement}"), format!("agreed:{agreement}:{}", terms.digest))
}

/// Whether the installed version counts. The first one under its name does.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn counts(tx: &mut Tx, now: Time, installed: &Terms) -> Result<bool> {
    let (latest, own) = names(installed);
    let (latest, own) = (tx.number(&latest).await?, tx.number(&own).await?);
    if latest.is_none() {
        agree(tx, now, installed, "agreement-installed", Vec::new()).await?;
    }
    Ok(latest == own || latest.is_none())
}

/// Since when a version that does not count waits here.
pub(crate) fn since(terms: &Terms) -> String {
    format!("waits:{}:{}", terms.agreement.agreement, terms.digest)
}

/// Notes that a version waits, from the first time that it is seen.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn begins_to_wait(tx: &mut Tx, now: Time, terms: &Terms) -> Result<()> {
    let since = since(terms);
    if tx.number(&since).await?.is_none() {
        tx.set_number(&since, now.0).await?;
    }
    Ok(())
}

/// Whether this text may count: it did before, or its number is higher than that of every other text that ever did. What
/// follows from a change (a publication, the register of processors) goes by that number.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn is_a_version(tx: &mut Tx, terms: &Terms) -> Result<bool> {
    if tx.number(&names(terms).1).await?.is_some() {
        return Ok(true);
    }
    for text in tx.versions(&terms.agreement.agreement).await? {
        let Ok((other, _)) = agreements::parse(Path::new("(store)"), &text) else { continue };
        let counted = tx.number(&names(&other).1).await?.is_some();
        if counted && other.agreement.version >= terms.agreement.version {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The version that counts, as it was kept; nothing where none ever did.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn counting(tx: &mut Tx, agreement: &AgreementId) -> Result<Option<Terms>> {
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

pub(crate) async fn agree(
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
