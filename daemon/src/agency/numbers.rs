//! A custodian's number that changed takes two persons and a while before a share goes there.
//!
//! The core keeps which number was last used as a digest that needs the statement key to be computed: from the store
//! alone nobody tries numbers out.

use sluis_config::agreements::Installed;
use sluis_core::agreement::Language;
use sluis_core::control::{NumberWord, OfCustodian};
use sluis_core::id::{AgreementId, CustodianId, Digest, Time};
use sluis_core::notice::short;
use sluis_core::statement::Signer;

use super::Agency;
use crate::books::{CoreError, Result, detail};
use crate::gatehouse::Caller;
use crate::store::{Number, Tx};
use crate::two_persons;

/// Under which a number is signed, to be digested; such a signature goes nowhere.
const NAMESPACE: &str = "number-v1@sluis";

impl Agency {
    /// Why no list is sealed for the numbers of today: which one changed, and what it waits for. What may be used is
    /// kept as used.
    pub(super) async fn changed_numbers(
        &self,
        tx: &mut Tx,
        installed: &Installed,
    ) -> Result<Option<String>> {
        let (name, now) = (&installed.terms.agreement.agreement, self.books.now());
        let mut waits = Vec::new();
        for route in &installed.plan.routes {
            let (digest, former) = self.number(installed, &route.custodian)?;
            let fresh = Number { used: digest, next: None, confirmed: None };
            let known = tx.known_number(name, &route.custodian).await?.unwrap_or(fresh);
            let known = renewed(known, digest, &former);
            if known.used == digest || self.has_cooled(&known, digest, now) {
                if known.used != digest {
                    self.enter_number(tx, "number-used", name, &route.custodian).await?;
                }
                tx.keep_number(name, &route.custodian, &fresh).await?;
                continue;
            }
            if known.next != Some(digest) {
                let changed = Number { next: Some(digest), confirmed: None, ..known };
                tx.keep_number(name, &route.custodian, &changed).await?;
                self.enter_number(tx, "number-changed", name, &route.custodian).await?;
            }
            let confirmed = known.confirmed.filter(|_| known.next == Some(digest));
            let from = confirmed.map(|at| self.cooled(at).local());
            waits.push(self.waits(name, &route.custodian, from.as_deref()));
        }
        Ok((!waits.is_empty()).then(|| waits.join("; ")))
    }

    fn waits(&self, name: &AgreementId, custodian: &CustodianId, from: Option<&str>) -> String {
        match (self.language, from) {
            (Language::En, None) => format!(
                "art. 6: the number of {custodian} changed. Call {custodian} on the old one; two persons confirm it: sluis number confirm {name} {custodian}"
            ),
            (Language::En, Some(from)) => {
                format!(
                    "art. 6: the new number of {custodian} is used from {from} on; then: sluis retry"
                )
            }
            (_, None) => format!(
                "art. 6: het nummer van {custodian} is gewijzigd. Bel {custodian} op het oude; twee personen bevestigen het: sluis number confirm {name} {custodian}"
            ),
            (_, Some(from)) => format!(
                "art. 6: het nieuwe nummer van {custodian} geldt vanaf {from}; daarna: sluis retry"
            ),
        }
    }

    fn cooled(&self, confirmed: Time) -> Time {
        confirmed.plus_ms(3_600_000 * i64::from(self.settings.number_cooling_off_hours))
    }

    /// A clock that jumped ahead lets nothing pass.
    fn has_cooled(&self, known: &Number, digest: Digest, now: Time) -> bool {
        let over = known.confirmed.is_some_and(|at| now >= self.cooled(at));
        known.next == Some(digest) && over && !self.books.clock_is_held()
    }

    /// The digest of the number that the contacts file has now, and what it is under this party's former keys.
    fn number(
        &self,
        installed: &Installed,
        custodian: &CustodianId,
    ) -> Result<(Digest, Vec<Digest>)> {
        let contacts = installed.contacts.as_ref();
        let number = contacts.and_then(|(contacts, _)| contacts.numbers.get(custodian));
        let number = number.ok_or_else(|| {
            CoreError::refused(
                "no-number",
                format!("{custodian} has no number in the contacts file"),
            )
        })?;
        let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        let name = &installed.terms.agreement.agreement;
        let bytes = zeroize::Zeroizing::new(format!("{name} {custodian} {plain}"));
        // Ed25519 signs the same bytes the same way, each time.
        let under =
            |signer: &Signer| Ok(Digest::of(signer.sign(NAMESPACE, bytes.as_bytes())?.as_bytes()));
        let mut all = self.books.signers().iter().map(under).collect::<Result<Vec<_>>>()?;
        Ok((all.remove(0), all))
    }

    async fn enter_number(
        &self,
        tx: &mut Tx,
        kind: &str,
        agreement: &AgreementId,
        custodian: &CustodianId,
    ) -> Result<()> {
        let known =
            detail([("agreement", agreement.to_string()), ("custodian", custodian.to_string())]);
        tx.enter(self.books.now(), kind, None, known).await?;
        Ok(())
    }

    /// One person says that the number of today is right, a second one confirms.
    pub(super) async fn confirm_number(
        &self,
        caller: Caller,
        ask: &OfCustodian,
    ) -> Result<NumberWord> {
        let installed = self.books.agreements.get(&ask.agreement);
        let installed =
            installed.ok_or_else(|| CoreError::NoAgreement(ask.agreement.to_string()))?;
        let (digest, former) = self.number(installed, &ask.custodian)?;
        let mut tx = self.books.store.begin().await?;
        let known = tx.known_number(&ask.agreement, &ask.custodian).await?;
        let known = known.map(|known| renewed(known, digest, &former));
        let known = known.filter(|known| known.used != digest).ok_or_else(|| {
            let why =
                format!("the number of {} did not change since it was last used", ask.custodian);
            CoreError::refused("unchanged", why)
        })?;
        // The very number: one that changes between the two persons is asked for anew.
        let subject = format!("{} {} {}", ask.agreement, ask.custodian, short(&digest));
        let first =
            two_persons::confirm(&self.books, &mut tx, "number", &subject, None, caller).await?;
        let mut word = NumberWord { first, from: None };
        if word.first.is_some() {
            let now = self.books.now();
            let confirmed = Number { next: Some(digest), confirmed: Some(now), ..known };
            tx.keep_number(&ask.agreement, &ask.custodian, &confirmed).await?;
            word.from = Some(self.cooled(now));
        }
        self.books.commit(tx).await?;
        Ok(word)
    }
}

/// The same number under a former key is the same number.
fn renewed(known: Number, digest: Digest, former: &[Digest]) -> Number {
    let now = |known: Digest| if former.contains(&known) { digest } else { known };
    Number { used: now(known.used), next: known.next.map(now), ..known }
}
