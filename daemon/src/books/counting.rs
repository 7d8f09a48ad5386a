//! Which version of an agreement counts here, and what holds while a later one waits for two persons.

use std::path::Path;

use sluis_config::{Installed, agreements};
use sluis_core::agreement::Agreement;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, Time};
use sluis_core::words;

use super::Books;
use crate::error::{CoreError, Result};
use crate::store::{Tx, detail};

/// The code of what waits until two persons let a version count.
pub(crate) const UNAPPROVED: &str = "unapproved";

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
    if ever_counted(tx, terms).await? {
        return Ok(true);
    }
    let counted = counted(tx, &terms.agreement.agreement).await?;
    Ok(counted.iter().all(|other| other.agreement.version < terms.agreement.version))
}

/// Every version of an agreement that ever counted here, as it was kept.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn counted(tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<Terms>> {
    let mut counted = Vec::new();
    for text in tx.versions(agreement).await? {
        let Ok((terms, _)) = agreements::parse(Path::new("(store)"), &text) else { continue };
        if ever_counted(tx, &terms).await? {
            counted.push(terms);
        }
    }
    Ok(counted)
}

/// The version that counts, as it was kept; nothing where none ever did.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn counting(tx: &mut Tx, agreement: &AgreementId) -> Result<Option<Terms>> {
    for terms in counted(tx, agreement).await? {
        let (latest, own) = names(&terms);
        if tx.number(&own).await? == tx.number(&latest).await? {
            return Ok(Some(terms));
        }
    }
    Ok(None)
}

/// Whether this text ever counted here: no list is fetched under one that never did, nor does it make rules.
///
/// # Errors
/// [`CoreError::Store`].
pub(crate) async fn ever_counted(tx: &mut Tx, terms: &Terms) -> Result<bool> {
    Ok(tx.number(&names(terms).1).await?.is_some())
}

/// Two persons have not let this version count.
pub(crate) fn not_agreed(agreement: &Agreement) -> CoreError {
    let (version, agreement) = (agreement.version, &agreement.agreement);
    CoreError::refused(
        UNAPPROVED,
        words!(
            "art. 6: versie {version} van {agreement} wacht op twee personen: sluis agreement approve {agreement}",
            "art. 6: version {version} of {agreement} waits for two persons: sluis agreement approve {agreement}"
        ),
    )
}

/// A version that never counted here, and that another one replaced before it could.
fn not_installed(agreement: &Agreement) -> CoreError {
    let (version, agreement) = (agreement.version, &agreement.agreement);
    CoreError::refused(
        UNAPPROVED,
        words!(
            "art. 6: deze tekst van {agreement}, versie {version}, telde hier nooit en is hier niet geïnstalleerd: zet dat bestand terug en keur het eerst goed, of deze lijst wordt niet opgehaald en vervalt",
            "art. 6: this text of {agreement}, version {version}, never counted here and is not installed here: put that file back and approve it first, or this list is not fetched and expires"
        ),
    )
}

/// A version that never counted here was overtaken by one that does.
fn overtaken(agreement: &Agreement, by: u32) -> CoreError {
    let (version, agreement) = (agreement.version, &agreement.agreement);
    CoreError::refused(
        UNAPPROVED,
        words!(
            "art. 6: deze tekst van {agreement}, versie {version}, telde hier nooit, en versie {by} nu wel: deze lijst wordt niet opgehaald en vervalt; vraag het agentschap ze opnieuw te sturen onder versie {by}",
            "art. 6: this text of {agreement}, version {version}, never counted here, and version {by} does now: this list is not fetched and expires; ask the agency to send it again under version {by}"
        ),
    )
}

impl Books {
    /// Whether a list that was sealed under these terms may be fetched: they count here, or did.
    ///
    /// # Errors
    /// [`CoreError::Refused`] by [`UNAPPROVED`].
    pub(crate) async fn may_fetch(&self, tx: &mut Tx, sealed: &Terms) -> Result<()> {
        if ever_counted(tx, sealed).await? {
            return Ok(());
        }
        let counting = self.counting(tx, &sealed.agreement.agreement).await?;
        let by = counting.agreement.version;
        if sealed.agreement.version <= by {
            return Err(overtaken(&sealed.agreement, by));
        }
        let installed = self.agreements.get(&sealed.agreement.agreement);
        let waits = installed.is_some_and(|it| it.terms.digest == sealed.digest);
        Err(if waits { not_agreed(&sealed.agreement) } else { not_installed(&sealed.agreement) })
    }

    /// An agreement as it is installed here, whether it counts or waits.
    ///
    /// # Errors
    /// [`CoreError::NoAgreement`].
    pub(crate) fn installed(&self, agreement: &AgreementId) -> Result<&Installed> {
        let installed = self.agreements.get(agreement);
        installed.ok_or_else(|| CoreError::NoAgreement(agreement.to_string()))
    }

    /// The version of an agreement that counts; the installed one where none does yet.
    ///
    /// # Errors
    /// [`CoreError::NoAgreement`].
    pub(crate) async fn counting(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Terms> {
        let installed = self.installed(agreement)?;
        let waits = self.unapproved(agreement).is_some();
        let counting = if waits { counting(tx, agreement).await? } else { None };
        Ok(counting.unwrap_or_else(|| installed.terms.clone()))
    }

    /// Whose rules hold for what was said under these terms: their own, or of those that count where these never did. So
    /// what the other party says under a version that it approved first is heard, and changes no rule here.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(crate) async fn rules_for(&self, tx: &mut Tx, said: Terms) -> Result<Terms> {
        if ever_counted(tx, &said).await? {
            return Ok(said);
        }
        self.counting(tx, &said.agreement.agreement).await
    }
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
