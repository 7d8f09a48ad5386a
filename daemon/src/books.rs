//! A party's books: what it says, what it hears, and the ledger of both, in one transaction with its state.
//!
//! Only a core has books; only here is anything signed.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use seen::Seen;
use sluis_config::{Agreements, agreements};
use sluis_core::agreement::Side;
use sluis_core::agreement::keys::Keys;
use sluis_core::control::{Lane, Place};
use sluis_core::evidence::{Terms, Verified};
use sluis_core::id::{AgreementId, Digest, PartyId, Time, TransferCode, TransferId};
use sluis_core::keyring::{Identities, Signers};
use sluis_core::statement::{self, Body, FormError, Header, Signed, Signer, Statement, Tip};
use sluis_core::words;
use sluis_core::words::Words;
use tokio::sync::Notify;

use crate::clock::SharedClock;
use crate::error::{CoreError, Result};
use crate::holders::Duties;
use crate::intact;
use crate::role::Role;
use crate::steady::Steady;
use crate::store::{Record, Store, Stored, Tx};

pub(crate) mod counting;
mod head;
mod heard;
mod keys;
mod letters;
pub mod seen;
mod time;

pub use heard::{Heard, NOT_HEARD, UNHEARD, UNHEARD_MS, not_heard};

/// The queue that takes letters to the other party, on each side.
#[must_use]
pub fn postman(side: Side) -> Role {
    match side {
        Side::Agency => Role::Carrier,
        Side::Municipality => Role::Fetcher,
    }
}

/// How many statements are remembered as verified; more are verified again each time.
const REMEMBERED: usize = 200_000;

/// A party's books.
pub struct Books {
    /// State, ledger, work.
    pub store: Store,
    /// The only time that counts here.
    pub clock: SharedClock,
    /// Whose books.
    pub party: PartyId,
    /// On which side.
    pub side: Side,
    /// What is agreed with whom.
    pub agreements: Agreements,
    /// Who may do what here.
    pub duties: Duties,
    /// Versions of agreements that no second person let count yet.
    pub(crate) unapproved: Mutex<BTreeMap<AgreementId, u32>>,
    signers: Arc<Signers>,
    mailbox: Identities,
    /// The keys of the version of each agreement that counts.
    pub(crate) keys: Mutex<BTreeMap<AgreementId, Keys>>,
    changed: Notify,
    /// Who waits for work, by gate and lane.
    waiting: Mutex<BTreeMap<(Role, Lane), Arc<Notify>>>,
    /// Statements that verified since this process began, by their bytes and signature.
    known: Mutex<HashSet<Digest>>,
    /// What the clock was last seen to say, and how far it is ahead of what is believed.
    pub(crate) steady: Steady,
    /// When each gate last asked for work.
    pub(crate) seen: Seen,
    pub(crate) ahead: AtomicI64,
    /// What was heard of the other parties since this process began.
    pub(crate) heard: Heard,
}

impl std::fmt::Debug for Books {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Books({})", self.party)
    }
}

impl Books {
    /// Opens the books and keeps the text of each agreement for as long as transfers rest on it.
    ///
    /// # Errors
    /// [`CoreError::Store`], or [`CoreError::NoAgreement`] where an agreement is not this party's.
    pub async fn open(
        store: Store,
        clock: SharedClock,
        party: PartyId,
        side: Side,
        agreements: Agreements,
        signers: Signers,
        mailbox: Identities,
    ) -> Result<Self> {
        let signers = Arc::new(signers);
        store.sign_with(keys::signs_ends(&party, &signers));
        let own = keys::own(side, &agreements, &signers)?;
        intact::check(&mut store.begin().await?, &party, &own).await?;
        let books = Self {
            store,
            clock,
            party,
            side,
            agreements,
            duties: Duties::default(),
            unapproved: Mutex::default(),
            signers,
            mailbox,
            keys: Mutex::default(),
            changed: Notify::new(),
            waiting: Mutex::default(),
            known: Mutex::default(),
            steady: Steady::default(),
            seen: Seen::default(),
            ahead: AtomicI64::default(),
            heard: Heard::default(),
        };
        // Nothing is entered by who has not the keys for it.
        books.has_its_keys().await?;
        books.install().await?;
        Ok(books)
    }

    /// Takes the texts that lie here into the store; what waits for two persons is told.
    async fn install(&self) -> Result<()> {
        let (mut tx, now) = (self.store.begin().await?, self.now());
        let mut waiting = BTreeMap::new();
        heard::forget_words(&mut tx).await?;
        for installed in self.agreements.iter() {
            let agreement = &installed.terms.agreement;
            tx.keep_terms(&installed.terms.digest, &agreement.agreement, &installed.text).await?;
            if !counting::counts(&mut tx, now, &installed.terms).await? {
                counting::begins_to_wait(&mut tx, now, &installed.terms).await?;
                waiting.insert(agreement.agreement.clone(), agreement.version);
            }
        }
        tx.commit().await?;
        if let Ok(mut unapproved) = self.unapproved.lock() {
            *unapproved = waiting;
        }
        Ok(())
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// How long this machine has been up, in milliseconds: no clock that is set changes it.
    #[must_use]
    pub fn up(&self) -> i64 {
        self.clock.up()
    }

    /// Makes a transaction durable, and wakes whoever waits for a change or for the work in it.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    #[track_caller]
    pub fn commit(&self, mut tx: Tx) -> impl Future<Output = Result<()>> + Send {
        let wakes = std::mem::take(&mut tx.wakes);
        let committed = tx.commit();
        async move {
            let committed = committed.await;
            // Also where it failed: nobody knows what of it is there.
            self.changed.notify_waiters();
            if let Ok(waiting) = self.waiting.lock() {
                let woken = waiting.iter().filter(|((gate, lane), _)| wakes.wakes(*gate, *lane));
                woken.for_each(|(_, waiting)| waiting.notify_waiters());
            }
            Ok(committed?)
        }
    }

    /// Whoever waits for a change or for work looks again: what was kept back is kept back no longer.
    pub(crate) fn wake_all(&self) {
        self.changed.notify_waiters();
        if let Ok(waiting) = self.waiting.lock() {
            waiting.values().for_each(|waiting| waiting.notify_waiters());
        }
    }

    /// A future that is done at the next commit; make it before looking for work.
    pub fn change(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    /// What is notified when there is other work for a gate in this lane; listen before looking for it.
    pub fn work(&self, gate: Role, lane: Lane) -> Arc<Notify> {
        let waiting = self.waiting.lock().map(|mut it| it.entry((gate, lane)).or_default().clone());
        waiting.unwrap_or_default()
    }

    /// The agreement with this digest, as it was when the transfer began, with the keys of the version that counts.
    ///
    /// # Errors
    /// [`CoreError::NoAgreement`].
    pub async fn terms(&self, tx: &mut Tx, digest: &Digest) -> Result<Terms> {
        let terms = match self.agreements.version(digest) {
            Some(terms) => terms,
            None => {
                let missing = || CoreError::NoAgreement(digest.to_string());
                let text = tx.terms(digest).await?.ok_or_else(missing)?;
                let parsed = agreements::parse(Path::new("(store)"), &text);
                parsed.map_err(|_| missing())?.0
            }
        };
        self.with_keys(tx, terms).await
    }

    /// Makes a statement: numbered, chained, signed, kept, entered, and queued as a letter to the other party.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn say(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        transfer: Option<TransferId>,
        body: Body,
    ) -> Result<Digest> {
        self.may_speak(tx, &terms.agreement.agreement).await?;
        let last = tx.last_statement(&self.party, &terms.agreement.agreement).await?;
        self.say_after(tx, terms, last, transfer, body).await
    }

    /// As [`Books::say`], after this statement of ours: the last one, or the last that the other party has.
    ///
    /// # Errors
    /// [`CoreError`].
    pub(crate) async fn say_after(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        last: Tip,
        transfer: Option<TransferId>,
        body: Body,
    ) -> Result<Digest> {
        let terms = &self.with_keys(tx, terms.clone()).await?;
        let (now, agreement) = (self.now(), &terms.agreement);
        let audience = agreement.party(self.side.other()).id.clone();
        let number = last.number + 1;
        // Where a new beginning is, and where another key begins, whatever lies there unread is not ours.
        let keys = agreement.party_keys(self.side);
        let begins = matches!(body, Body::Restored(_))
            || (number == keys.statement_from && !keys.former.is_empty());
        let place = if begins { Place::Anew } else { Place::Next };
        let header = Header {
            agreement: agreement.agreement.clone(),
            issuer: self.party.clone(),
            number,
            previous: last.digest,
            seen: tx.last_statement(&audience, &agreement.agreement).await?,
            audience,
            time: now,
            terms: terms.digest,
            ledger: tx.head().await?,
            transfer,
        };
        let signer = self.signer(agreement, number)?;
        let signed = sign(signer, &Statement { header, body })?;
        let verified = Verified::check(&signed, terms, self.side)?;
        tx.keep_statement(now, &verified).await?;
        let letter = (number, &signed, transfer);
        self.queue_letter(tx, agreement, letter, place).await?;
        Ok(verified.digest())
    }

    /// A statement of one side about a transfer, verified again from its bytes: a row alone proves nothing.
    ///
    /// # Errors
    /// [`CoreError::Evidence`].
    pub async fn verified(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        transfer: &TransferId,
        kind: &str,
        from: Side,
    ) -> Result<Option<Verified>> {
        let issuer = &terms.agreement.party(from).id;
        let signed = tx.statement(transfer, kind, issuer).await?;
        Ok(signed.map(|signed| Verified::check(&signed, terms, from)).transpose()?)
    }

    /// A statement that is kept, and who said it. Its signature is verified once in the life of this process: for what
    /// is read over and over and frees no key. What frees one asks for a [`Verified`].
    ///
    /// # Errors
    /// [`CoreError::Evidence`].
    pub async fn read_again(
        &self,
        tx: &mut Tx,
        signed: &Signed,
    ) -> Result<(Statement, Terms, Side)> {
        let statement = Statement::read(signed.statement.as_bytes())?;
        let terms = self.terms(tx, &statement.header.terms).await?;
        let side = terms.agreement.side_of(&statement.header.issuer);
        let side = side.ok_or_else(|| CoreError::to_gate("statement", "it is of no party"))?;
        let both = [signed.statement.as_bytes(), b"\n", signed.signature.as_bytes()].concat();
        let key = Digest::of(&both);
        if !self.known.lock().is_ok_and(|known| known.contains(&key)) {
            Verified::check(signed, &terms, side)?;
            if let Ok(mut known) = self.known.lock()
                && known.len() < REMEMBERED
            {
                known.insert(key);
            }
        }
        Ok((statement, terms, side))
    }

    /// As [`Books::verified`], where there must be one.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where there is none.
    pub async fn required(
        &self,
        tx: &mut Tx,
        terms: &Terms,
        transfer: &TransferId,
        kind: &str,
        from: Side,
    ) -> Result<Verified> {
        let found = self.verified(tx, terms, transfer, kind, from).await?;
        found.ok_or_else(|| {
            let why = words!("er is geen verklaring `{kind}`", "there is no `{kind}` statement");
            CoreError::refused("no-evidence", why)
        })
    }

    /// A transfer, with the terms that it began under.
    ///
    /// # Errors
    /// [`CoreError::Refused`] where there is none of that id; other [`CoreError`]s.
    pub async fn load<S: Stored>(
        &self,
        tx: &mut Tx,
        id: &TransferId,
    ) -> Result<(Record<S>, Terms)> {
        let record = tx.transfer(id).await?.ok_or_else(|| CoreError::no_transfer(id))?;
        let terms = self.terms(tx, &record.terms).await?;
        Ok((record, terms))
    }

    /// The transfer that the other party speaks of, likewise; or why its word does nothing. A party says nothing about
    /// another's transfers.
    ///
    /// # Errors
    /// [`CoreError`].
    pub async fn spoken_of<S: Stored>(
        &self,
        tx: &mut Tx,
        said: &Verified,
        id: &TransferId,
    ) -> Result<std::result::Result<(Record<S>, Terms), Words>> {
        let Some(record) = tx.transfer::<S>(id).await? else {
            return Ok(Err(words!(
                "er is hier geen zending {id}",
                "there is no transfer {id} here"
            )));
        };
        if record.agreement != said.statement().header.agreement {
            return Ok(Err(words!(
                "de zending is onder een andere overeenkomst",
                "the transfer is under another agreement"
            )));
        }
        let terms = self.terms(tx, &record.terms).await?;
        Ok(Ok((record, terms)))
    }
}

/// The transfer that a person names.
///
/// # Errors
/// [`CoreError::Refused`] where nothing goes by that code.
pub async fn find<S: Stored>(tx: &mut Tx, code: &TransferCode) -> Result<Record<S>> {
    let found = tx.by_code::<S>(code).await?;
    found.ok_or_else(|| {
        let none = words!(
            "niets heeft de code {code}; kijk met: sluis list",
            "nothing goes by the code {code}; look with: sluis list"
        );
        CoreError::refused("no-such-transfer", none)
    })
}

/// How long to wait before the next attempt: doubling from 250 ms to 5 minutes, with jitter of a quarter.
#[must_use]
pub fn backoff_ms(attempts: i64) -> i64 {
    let doubled = 250_i64 << attempts.clamp(0, 11);
    jittered(doubled.min(300_000))
}

/// The same for what leaves a line in the ledger each time, or may cost money: after thirty attempts, in the first two
/// hours, each half hour.
#[must_use]
pub fn sparing_ms(attempts: i64) -> i64 {
    if attempts <= OFTEN { backoff_ms(attempts) } else { jittered(1_800_000) }
}

/// So many attempts follow each other soon.
const OFTEN: i64 = 30;

fn jittered(base: i64) -> i64 {
    let mut random = [0_u8; 1];
    sluis_core::id::fill_random(&mut random);
    base + base * i64::from(random[0]) / 1024
}

fn sign(signer: &Signer, statement: &Statement) -> Result<Signed> {
    let bytes = statement.bytes()?;
    let signature = signer.sign(statement::NAMESPACE, &bytes)?;
    let statement = String::from_utf8(bytes).map_err(|_| FormError::Form)?;
    Ok(Signed { statement, signature })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_puts_off_is_tried_soon_at_first_and_seldom_after_two_hours() {
        let first: i64 = (1..=OFTEN).map(sparing_ms).sum();
        assert!((5_400_000..9_000_000).contains(&first), "{first} ms");
        let week: i64 = 7 * 86_400_000;
        let more = (week - first) / sparing_ms(OFTEN + 1);
        assert!((260..=336).contains(&more), "{more} attempts more in a week");
        assert!(sparing_ms(1_000_000) < 3_600_000, "less than a clock may be off");
    }
}
