//! Whether the other party was heard since the start: whether this store is an older one shows only in its mailbox.
//!
//! Until that was read to its end once no list moves on, and none ends: none is taken, sealed, carried, fetched, opened,
//! withdrawn or expired. Two persons who know that it is no older one go on without it, as where a drop zone is gone for
//! good (`sluis restored --unheard`). What tells or destroys goes on: nobody is kept from an incident or a destruction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use sluis_core::id::AgreementId;
use sluis_core::words;
use sluis_core::words::Words;
use tokio::sync::Notify;

use super::Books;
use crate::error::{CoreError, Result};
use crate::store::Tx;

/// How the word ends by which two persons go on without the other party.
pub const UNHEARD: &str = " unheard";
/// How soon what waits until the other party was heard is looked at again where nobody is: when somebody is, at once.
pub const UNHEARD_MS: i64 = 60_000;
/// The code of what waits until the other party was heard.
pub const NOT_HEARD: &str = "not-heard";

/// Of which agreements all that lay in the mailbox was heard since this process began.
#[derive(Debug, Default)]
pub struct Heard {
    /// Whether nothing was seen since that could mean that there is more.
    all: Mutex<BTreeMap<AgreementId, bool>>,
    /// Why what lies there as the other party's word on how far it heard is none.
    doubted: Mutex<BTreeMap<AgreementId, String>>,
    /// The last of our own statements that the other party had when it had said no more than was heard here.
    known: Mutex<BTreeMap<AgreementId, u64>>,
    /// Notified when one was heard for the first time.
    pub first: Notify,
}

impl Heard {
    /// All that lay in the mailbox was heard. `true`: for the first time, or again.
    fn to_its_end(&self, agreement: &AgreementId) -> bool {
        let before = self.all.lock().map(|mut all| all.insert(agreement.clone(), true));
        before.is_ok_and(|before| before != Some(true))
    }

    /// Two persons go on without it. No share leaves by that: for this all is to be heard.
    fn without(&self, agreement: &AgreementId) {
        if let Ok(mut all) = self.all.lock() {
            all.entry(agreement.clone()).or_insert(false);
        }
    }

    /// What lies in the mailbox is to be looked at once more.
    pub fn again(&self, agreement: &AgreementId) {
        if let Ok(mut all) = self.all.lock()
            && let Some(is_all) = all.get_mut(agreement)
        {
            *is_all = false;
        }
    }

    /// Why that word is none, or that it is one; whether it is new. It is read each second, and lies there for as long as
    /// the other party has other keys.
    pub fn doubts(&self, agreement: &AgreementId, why: Option<&str>) -> bool {
        let Ok(mut doubted) = self.doubted.lock() else { return true };
        let before = match why {
            Some(why) => doubted.insert(agreement.clone(), why.to_owned()),
            None => doubted.remove(agreement),
        };
        before.as_deref() != why
    }

    /// The other party had our statements up to this one, and all that it had said by then was heard.
    pub fn knows(&self, agreement: &AgreementId, number: u64) {
        if let Ok(mut known) = self.known.lock() {
            known.insert(agreement.clone(), number);
        }
    }

    /// Whether it is known to have had that statement of ours, with all that it said before it heard it.
    #[must_use]
    pub fn has(&self, agreement: &AgreementId, number: u64) -> bool {
        self.known.lock().is_ok_and(|known| known.get(agreement).is_some_and(|at| *at >= number))
    }

    /// Of which agreements all was heard once, and whether nothing shows that there is more.
    #[must_use]
    pub fn ends(&self) -> BTreeMap<AgreementId, bool> {
        self.all.lock().map(|all| all.clone()).unwrap_or_default()
    }

    /// Whether all was heard once.
    #[must_use]
    pub fn once(&self, agreement: &AgreementId) -> bool {
        self.all.lock().is_ok_and(|all| all.contains_key(agreement))
    }

    /// Whether all was heard, and nothing shows that there is more.
    #[must_use]
    pub fn is_all(&self, agreement: &AgreementId) -> bool {
        self.all.lock().is_ok_and(|all| all.get(agreement) == Some(&true))
    }
}

impl Books {
    /// All that lay in the mailbox was heard: what waited for that goes on.
    ///
    /// # Errors
    /// [`CoreError::Store`]; then it goes on a little later.
    pub async fn hear_all(&self, agreement: &AgreementId) -> Result<()> {
        match self.heard.to_its_end(agreement) {
            true => self.goes_on(agreement).await,
            false => Ok(()),
        }
    }

    /// Two persons go on without it.
    ///
    /// # Errors
    /// As [`Books::hear_all`].
    pub async fn unheard_goes_on(&self, agreement: &AgreementId) -> Result<()> {
        self.heard.without(agreement);
        self.goes_on(agreement).await
    }

    async fn goes_on(&self, agreement: &AgreementId) -> Result<()> {
        self.heard.first.notify_waiters();
        // After a power cut it is to be heard again.
        let mut tx = self.store.begin_unsynced().await?;
        tx.sooner(agreement, self.now(), UNHEARD_MS).await?;
        self.commit(tx).await?;
        self.wake_all();
        Ok(())
    }

    /// Whether a list may move on here: only where this store is known not to be an older one.
    ///
    /// # Errors
    /// [`CoreError::Refused`], by [`NOT_HEARD`] where that is not known yet.
    pub async fn may_go_on(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        self.may_speak(tx, agreement).await?;
        if self.heard.once(agreement) {
            return Ok(());
        }
        Err(CoreError::refused(NOT_HEARD, not_heard(agreement)))
    }

    /// The agreements in force, and those under which something is open, of which the other party's mailbox was never read
    /// to its end since this process began.
    ///
    /// # Errors
    /// [`CoreError::Store`].
    pub async fn unheard(&self, tx: &mut Tx) -> Result<BTreeSet<AgreementId>> {
        let today = self.now().date();
        let mut names: BTreeSet<_> = tx.with_open_transfers().await?.into_iter().collect();
        for installed in self.agreements.iter() {
            let name = &installed.terms.agreement.agreement;
            // A text that waits ends nothing, and keeps nothing going.
            let ends = self.counting(tx, name).await?.agreement.ends;
            if ends.is_none_or(|ends| today < ends) {
                names.insert(name.clone());
            }
        }
        names.retain(|name| !self.heard.once(name));
        Ok(names)
    }
}

/// What people read of it.
#[must_use]
pub fn not_heard(agreement: &AgreementId) -> Words {
    words!(
        "de postbus van de andere partij werd sinds de start nog niet tot het einde gelezen; tot dan beweegt onder {agreement} geen lijst. Vraag het zo dadelijk opnieuw. Duurt het: kijk of de sluiskom te bereiken is en de andere kant draait; het log van carrier of fetcher zegt wat ontbreekt. Is de sluiskom weg: sluis restored {agreement} --unheard, door twee personen",
        "the other party's mailbox was not read to its end since the start; until then no list moves under {agreement}. Ask again in a moment. If it lasts: see whether the drop zone can be reached and the other side runs; the log of carrier or fetcher says what is missing. Where the drop zone is gone: sluis restored {agreement} --unheard, by two persons"
    )
}

/// What a first person said of a start before this one holds no longer: another store may lie here now.
pub(super) async fn forget_words(tx: &mut Tx) -> Result<()> {
    for (verb, subject, _) in tx.all_asked().await? {
        if verb == "restored" && subject.ends_with(UNHEARD) {
            tx.unask(&verb, &subject).await?;
        }
    }
    Ok(())
}
