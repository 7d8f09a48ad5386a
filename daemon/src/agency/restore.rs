//! After an older store was put back: what became of each open transfer since is not known. What was sealed has failed,
//! with every share counted as exposed; what was not goes back to its owner, who decides.

use std::ffi::OsStr;
use std::path::Path;

use sluis_core::control::Named;
use sluis_core::evidence::Terms;
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::policy::Reason;
use sluis_core::statement::Failed;
use sluis_core::transfer::{Event, State};

use super::{Agency, claim};
use crate::error::{CoreError, Result};
use crate::files;
use crate::restore::hear_deferred;
use crate::store::{Tx, detail};

/// The entry of a drop that was sealed, and that the store does not know.
const GIVEN_BACK: &str = "given-back";

impl Agency {
    /// How many shares may be out and are not known to be erased: all of each open transfer that was sealed, in the books
    /// or on the disk alone, where the store is older than that.
    pub(super) async fn shares_at_risk(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<u64> {
        let of_each = self.books.installed(agreement)?.plan.routes.len();
        let open = tx.open_under::<State>(agreement).await?;
        let shares = open.iter().map(|record| match record.state.envelope() {
            Some(envelope) => envelope.routes.len(),
            None if self.was_sealed(&record.id) => of_each,
            None => 0,
        });
        let known: usize = shares.sum();
        let unknown = self.unknown(tx, agreement).await?.len();
        Ok(u64::try_from(known.saturating_add(unknown.saturating_mul(of_each))).unwrap_or(u64::MAX))
    }

    /// Ends what was open, and then takes what was heard meanwhile: the word that a list was opened still closes it.
    pub(super) async fn go_on_from_older(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
    ) -> Result<Vec<Named>> {
        let mut ended = Vec::new();
        for mut record in tx.open_under::<State>(agreement).await? {
            let terms = self.books.terms(tx, &record.terms).await?;
            let sealed_since = record.state.envelope().is_none() && self.was_sealed(&record.id);
            match self.advance(tx, &mut record, &terms, Event::PutBack, None).await {
                Ok(()) => {
                    ended.push(tx.named(&record).await?);
                    if sealed_since {
                        self.say_put_back(tx, &terms, &record.id).await?;
                    }
                }
                // Opened, it only waits to be erased.
                Err(CoreError::Illegal(_)) => {}
                Err(other) => return Err(other),
            }
        }
        self.give_unknown_back(tx, agreement).await?;
        hear_deferred(self, tx, agreement).await?;
        Ok(ended)
    }

    /// Whether a transfer was sealed of which the store does not know that: then the store is older.
    pub(super) fn was_sealed(&self, id: &TransferId) -> bool {
        self.spooled(id).exists() || self.bundled(id).exists()
    }

    /// Drops that were sealed since, of which the store knows nothing: it is entered that they go back, and the other party
    /// hears it. Only then anything of them is touched: what says that they were sealed has to be there until this counts.
    async fn give_unknown_back(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        let terms = self.books.counting(tx, agreement).await?;
        for id in self.unknown(tx, agreement).await? {
            tx.enter(self.books.now(), GIVEN_BACK, Some(id), detail([])).await?;
            self.say_put_back(tx, &terms, &id).await?;
        }
        Ok(())
    }

    /// The transfers that were sealed since, as the private folder has them, and of which the store knows nothing.
    async fn unknown(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<Vec<TransferId>> {
        let mut unknown = Vec::new();
        for private in claim::list(&self.settings.private.join(agreement.as_str())) {
            let Some(id) = claim::transfer_of(&private) else { continue };
            if self.was_sealed(&id)
                && tx.transfer::<State>(&id).await?.is_none()
                && !self.is_given_back(tx, &id).await?
            {
                unknown.push(id);
            }
        }
        Ok(unknown)
    }

    /// The other party may wait for what was sealed, and hears that nothing comes of it.
    async fn say_put_back(&self, tx: &mut Tx, terms: &Terms, id: &TransferId) -> Result<()> {
        let (step, code) = ("restore".into(), "store-put-back".into());
        self.books.say(tx, terms, Some(*id), Failed { step, code }.into()).await?;
        Ok(())
    }

    /// What nobody can send any more, though it was sealed: by a store that was put back, or by a crash before that counted.
    pub(super) fn erase_sealed(&self, id: &TransferId) -> Result<()> {
        files::erase(&self.spooled(id)).map_err(CoreError::io("erasing what nobody can send"))?;
        self.erase_bundle(id)
    }

    /// Whether two persons went on from a store that does not know this transfer.
    pub(super) async fn is_given_back(&self, tx: &mut Tx, id: &TransferId) -> Result<bool> {
        Ok(tx.entered_as(id, GIVEN_BACK).await?.is_some())
    }

    /// Of such a transfer the key goes, and then its drop, to its owner, who decides. May be repeated after any failure.
    pub(super) fn return_unknown(&self, private: &Path, id: &TransferId) -> Result<()> {
        self.erase_sealed(id)?;
        let folder = private.parent().and_then(Path::file_name).and_then(OsStr::to_str);
        let Some(agreement) = folder.and_then(|name| name.parse().ok()) else { return Ok(()) };
        let reasons = vec![Reason::PutBack];
        let state = State::Refused { reasons: reasons.clone(), list: None };
        self.return_drop((&agreement, None), private, &state, &reasons)
    }
}
