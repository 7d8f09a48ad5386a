//! A custodian's number that changed takes two persons, a word to the old number, and a while before a share goes there.
//!
//! The core keeps which number was last used as a digest that needs the statement key to be computed: from the store
//! alone nobody tries numbers out. The old number itself stands under `[former]` in the contacts file, held against that
//! digest; [`super::old_number`] tells it.

use std::collections::BTreeMap;

use sluis_config::agreements::Installed;
use sluis_core::agreement::Contacts;
use sluis_core::control::{NumberWord, OfCustodian, Wanted, typed};
use sluis_core::exercise::Confirmed;
use sluis_core::id::{AgreementId, CustodianId, Digest, Time, TransferId};
use sluis_core::notice::short;
use sluis_core::old_number::{Telling, Told};
use sluis_core::transfer::State;
use sluis_core::words;
use sluis_core::words::Words;

use super::Agency;
use crate::error::{CoreError, Result};
use crate::gatehouse::Caller;
use crate::store::{Number, Record, Tx, detail};
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
    ) -> Result<Option<Words>> {
        let (name, now) = (&installed.terms.agreement.agreement, self.books.now());
        let mut waits = Vec::new();
        for route in &installed.plan.routes {
            let custodian = &route.custodian;
            let (known, digest) = self.known(tx, installed, custodian).await?;
            if known.used == Some(digest) {
                continue;
            }
            let known = self.changed(tx, installed, custodian, known, digest).await?;
            let over = self.cooled(&known).is_some_and(|from| now >= from);
            // A clock that jumped ahead lets nothing pass.
            if over && !self.books.clock_is_held() {
                self.enter_number(tx, "number-used", name, custodian, []).await?;
                tx.keep_number(name, custodian, &Number::last(Some(digest))).await?;
            } else {
                waits.push(self.waits(name, custodian, &known));
            }
        }
        Ok((!waits.is_empty()).then(|| Words::join(&waits, "; ")))
    }

    /// What is known of a custodian's number, and the one of today, which is kept as used where it is. The first one is, as
    /// long as nothing was sent under the agreement or another one with the same municipality; after that it is as good as
    /// a changed one: somebody else may have had that share before, under another name of custodian or agreement.
    async fn known(
        &self,
        tx: &mut Tx,
        installed: &Installed,
        custodian: &CustodianId,
    ) -> Result<(Number, Digest)> {
        let name = &installed.terms.agreement.agreement;
        let (digest, former) = self.number(installed, custodian)?;
        let kept = tx.known_number(name, custodian).await?;
        let known = match kept.clone() {
            Some(kept) => renewed(kept, digest, &former),
            None if tx.has_sent(name, &installed.terms.agreement.municipality.id).await? => {
                Number::last(None)
            }
            None => Number::last(Some(digest)),
        };
        if known.used != Some(digest) {
            return Ok((known, digest));
        }
        let used = Number::last(known.used);
        if kept.as_ref() != Some(&used) {
            tx.keep_number(name, custodian, &used).await?;
        }
        Ok((used, digest))
    }

    /// An exercise goes to the numbers of today at once: which ones is kept, and whoever types tried that one and no other.
    pub(super) async fn exercises(&self, tx: &mut Tx, exercise: &Record<State>) -> Result<()> {
        let installed = self.books.installed(&exercise.agreement)?;
        self.changed_numbers(tx, installed).await?;
        for route in &installed.plan.routes {
            let (digest, _) = self.number(installed, &route.custodian)?;
            tx.tries(&exercise.id, &route.custodian, &digest).await?;
        }
        Ok(())
    }

    /// Who typed the share of an exercise that went to the number of today.
    pub(super) async fn tried(&self, tx: &mut Tx, installed: &Installed) -> Result<Vec<Confirmed>> {
        let name = &installed.terms.agreement.agreement;
        let mut today = BTreeMap::new();
        // Without contacts nobody's number was tried.
        let reached = installed.plan.routes.iter().filter(|_| installed.contacts.is_some());
        for route in reached {
            today.insert(&route.custodian, self.number(installed, &route.custodian)?);
        }
        let tried = tx.tried(name).await?;
        let is_of_today = |exercise: TransferId, custodian: &CustodianId| {
            let number = tried.get(&(exercise, custodian.clone()))?;
            let (digest, former) = today.get(custodian)?;
            (number == digest || former.contains(number)).then_some(())
        };
        let confirmed = self.books.confirmed(tx, name).await?.into_iter();
        let confirmed = confirmed.filter(|(id, it)| is_of_today(*id, &it.custodian).is_some());
        Ok(confirmed.map(|(_, it)| it).collect())
    }

    /// That another number stands there now is entered once, and the old one is told as soon as it is known.
    async fn changed(
        &self,
        tx: &mut Tx,
        installed: &Installed,
        custodian: &CustodianId,
        mut known: Number,
        digest: Digest,
    ) -> Result<Number> {
        let name = &installed.terms.agreement.agreement;
        if known.next != Some(digest) {
            known = Number { next: Some(digest), ..Number::last(known.used) };
            self.enter_number(tx, "number-changed", name, custodian, []).await?;
        }
        if known.told.is_none() && self.former(installed, custodian, &known)?.is_some() {
            known.told = Some(Telling::new(self.settings.resends));
            self.tell_old(tx, name, custodian, self.books.now().into()).await?;
        }
        let now = self.books.now();
        // What lies in the future too was seen by a clock that was wrong.
        let seen = known.behind.filter(|at| *at <= now && !self.books.clock_is_held());
        let is_ahead = all_done(&known).is_some_and(|from| from > now);
        known.behind = is_ahead.then(|| seen.unwrap_or(now));
        tx.keep_number(name, custodian, &known).await?;
        Ok(known)
    }

    /// What a list waits for.
    fn waits(&self, name: &AgreementId, custodian: &CustodianId, known: &Number) -> Words {
        let confirm = format!("sluis number confirm {name} {custodian}");
        let dead = format!("{confirm} --old-is-dead");
        let told = known.told.as_ref().is_some_and(|told| told.over().is_some());
        let why = old_stands(known);
        match self.cooled(known).map(Time::local) {
            Some(from) => words!(
                "art. 6: het nieuwe nummer van {custodian} geldt vanaf {from}; daarna: sluis retry",
                "art. 6: the new number of {custodian} is used from {from} on; then: sluis retry"
            ),
            None if known.used.is_none() => words!(
                "art. 6: {custodian} kreeg onder {name} nog geen deel, en er vertrokken er al naar deze gemeente. Twee personen bevestigen het nummer: {confirm}",
                "art. 6: {custodian} had no share under {name} before, and some left for this municipality already. Two persons confirm the number: {confirm}"
            ),
            None if told => words!(
                "art. 6: het nummer van {custodian} is gewijzigd, en het oude is verwittigd. Twee personen bevestigen het: {confirm}",
                "art. 6: the number of {custodian} changed, and the old one was told. Two persons confirm it: {confirm}"
            ),
            None if known.confirmed.is_some() => words!(
                "art. 6: het nummer van {custodian} is gewijzigd en bevestigd; {}. Is het dood, twee personen: {dead}",
                "art. 6: the number of {custodian} changed and is confirmed; {}. Where it is dead, two persons: {dead}";
                why
            ),
            None => words!(
                "art. 6: het nummer van {custodian} is gewijzigd; {}. Twee personen bevestigen het: {confirm}; is het oude dood: {dead}",
                "art. 6: the number of {custodian} changed; {}. Two persons confirm it: {confirm}; where the old one is dead: {dead}";
                why
            ),
        }
    }

    /// From when on the new number is used: so long after two persons confirmed it and the old one, if there is one, was
    /// told. What was done in a time that has not come counts from when that was seen, and only for as long as it has not.
    fn cooled(&self, known: &Number) -> Option<Time> {
        let (from, now) = (all_done(known)?, self.books.now());
        let from = if from > now { known.behind.unwrap_or(now) } else { from };
        Some(from.plus_ms(3_600_000 * i64::from(self.settings.number_cooling_off_hours)))
    }

    /// The digest of the number that the contacts file has now, and what it is under this party's former keys.
    fn number(
        &self,
        installed: &Installed,
        custodian: &CustodianId,
    ) -> Result<(Digest, Vec<Digest>)> {
        let number = contacts(installed).and_then(|contacts| contacts.numbers.get(custodian));
        let number = number.ok_or_else(|| {
            let why = words!(
                "{custodian} heeft geen nummer in het contactenbestand",
                "{custodian} has no number in the contacts file"
            );
            CoreError::refused("no-number", why)
        })?;
        self.keyed(&installed.terms.agreement.agreement, custodian, number)
    }

    /// The old number, where the contacts file has it: the one that was used, and no other.
    pub(super) fn former<'a>(
        &self,
        installed: &'a Installed,
        custodian: &CustodianId,
        known: &Number,
    ) -> Result<Option<&'a str>> {
        let former = contacts(installed).and_then(|contacts| contacts.former.get(custodian));
        let Some(former) = former else { return Ok(None) };
        let name = &installed.terms.agreement.agreement;
        let (digest, earlier) = self.keyed(name, custodian, former)?;
        let same = known.used.is_some_and(|used| digest == used || earlier.contains(&used));
        Ok(same.then_some(former.as_str()))
    }

    fn keyed(
        &self,
        name: &AgreementId,
        custodian: &CustodianId,
        number: &str,
    ) -> Result<(Digest, Vec<Digest>)> {
        let plain: String = number.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = zeroize::Zeroizing::new(plain);
        let bytes = zeroize::Zeroizing::new(format!("{name} {custodian} {}", *plain));
        let mut all = self.books.marks(NAMESPACE, bytes.as_bytes())?;
        Ok((all.remove(0), all))
    }

    pub(super) async fn enter_number(
        &self,
        tx: &mut Tx,
        kind: &str,
        agreement: &AgreementId,
        custodian: &CustodianId,
        more: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<()> {
        let known = [("agreement", agreement.to_string()), ("custodian", custodian.to_string())];
        tx.enter(self.books.now(), kind, None, detail(known.into_iter().chain(more))).await?;
        Ok(())
    }

    /// One person says that the number of today is right, a second one confirms; or, beside that, that the old one is
    /// dead and nobody waits until it was told.
    pub(super) async fn confirm_number(
        &self,
        caller: Caller,
        ask: &OfCustodian,
    ) -> Result<NumberWord> {
        let (name, custodian) = (&ask.agreement, &ask.custodian);
        let installed = self.books.installed(name)?;
        let mut tx = self.books.store.begin().await?;
        let (known, digest) = self.known(&mut tx, installed, custodian).await?;
        if known.used == Some(digest) {
            let why = words!(
                "het nummer van {custodian} is niet veranderd sinds het laatst gebruikt werd",
                "the number of {custodian} did not change since it was last used"
            );
            return Err(CoreError::refused("unchanged", why));
        }
        let mut known = self.changed(&mut tx, installed, custodian, known, digest).await?;
        // The very number: one that changes between the two persons is asked for anew.
        let dead = if ask.old_is_dead { " old-is-dead" } else { "" };
        let subject = format!("{name} {custodian} {}{dead}", short(&digest));
        let mut words = vec!["sluis", "number", "confirm", name.as_str(), custodian.as_str()];
        words.extend(ask.old_is_dead.then_some("--old-is-dead"));
        let wanted = Wanted {
            agreement: Some(name.clone()),
            of: format!("{name} {custodian}"),
            command: typed(words),
            ..Wanted::default()
        };
        let asked = two_persons::Word { verb: "number", subject: &subject, transfer: None, wanted };
        let two_persons::Confirmed { first, others } =
            two_persons::confirm(&self.books, &mut tx, asked, caller).await?;
        let mut word = NumberWord { first, from: None, others };
        if word.first.is_some() {
            let now = self.books.now();
            known.confirmed = Some(now);
            let told = known.told.as_ref().is_some_and(|told| told.over().is_some());
            if ask.old_is_dead && !told && known.used.is_some() {
                known.told = Some(Telling { stands: Told::Passed(now), ..Telling::new(0) });
                self.enter_number(&mut tx, "number-untold", name, custodian, []).await?;
            }
            tx.keep_number(name, custodian, &known).await?;
            word.from = self.cooled(&known);
        }
        self.books.commit(tx).await?;
        Ok(word)
    }
}

/// When all was done that a new number waits for.
fn all_done(known: &Number) -> Option<Time> {
    let confirmed = known.confirmed?;
    match known.used {
        Some(_) => Some(confirmed.max(known.told.as_ref()?.over()?)),
        None => Some(confirmed),
    }
}

/// The same number under a former key is the same number.
fn renewed(known: Number, digest: Digest, former: &[Digest]) -> Number {
    let now = |known: Digest| if former.contains(&known) { digest } else { known };
    Number { used: known.used.map(now), next: known.next.map(now), ..known }
}

fn contacts(installed: &Installed) -> Option<&Contacts> {
    installed.contacts.as_ref().map(|(contacts, _)| contacts)
}

/// How far the word to the old number is.
fn old_stands(known: &Number) -> Words {
    match known.told.as_ref().map(|told| &told.stands) {
        None => words!(
            "het oude nummer is onbekend: zet het onder [former] in het contactenbestand, met `call`, en herstart",
            "the old number is not known: put it under [former] in the contacts file, with `call`, and restart"
        ),
        Some(Told::Waiting | Told::Leaving) => {
            words!("een bericht gaat naar het oude nummer", "a message goes to the old number")
        }
        Some(Told::Unknown) => words!(
            "niemand weet of het bericht aan het oude nummer vertrok: bel het",
            "nobody knows whether the message to the old number left: call it"
        ),
        Some(Told::Rejected(code)) => words!(
            "het bericht aan het oude nummer is geweigerd ({code}): bel het",
            "the message to the old number was rejected ({code}): call it"
        ),
        Some(Told::Sent(_) | Told::Passed(_)) => Words::default(),
    }
}
