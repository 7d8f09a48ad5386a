//! After an older store was put back: what became of each open transfer since is not known. What was sealed has failed,
//! with every share counted as exposed; what was not goes back to its owner, who decides.

use std::ffi::OsStr;
use std::path::Path;

use sluis_core::control::Named;
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
    /// How many shares of open transfers may be out: all of each that was sealed.
    pub(super) async fn shares_at_risk(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<u64> {
        let open = tx.open_under::<State>(agreement).await?;
        let shares = open.iter().filter_map(|record| record.state.envelope());
        Ok(shares.map(|envelope| u64::try_from(envelope.routes.len()).unwrap_or(u64::MAX)).sum())
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
            match self.advance(tx, &mut record, &terms, Event::PutBack, None).await {
                Ok(()) => ended.push(tx.named(&record).await?),
                // Opened, it only waits to be erased.
                Err(CoreError::Illegal(_)) => {}
                Err(other) => return Err(other),
            }
        }
        self.give_unknown_back(tx, agreement).await?;
        hear_deferred(self, tx, agreement).await?;
        Ok(ended)
    }

    /// Whether a transfer that the store does not know was sealed: then the store is older than that.
    pub(super) fn was_sealed(&self, id: &TransferId) -> bool {
        self.spooled(id).exists() || self.bundled(id).exists()
    }

    /// Drops that were sealed since, of which the store knows nothing: it is entered that they go back, and the other party
    /// hears it. Only then anything of them is touched: what says that they were sealed has to be there until this counts.
    async fn give_unknown_back(&self, tx: &mut Tx, agreement: &AgreementId) -> Result<()> {
        let terms = self.books.counting(tx, agreement).await?;
        for private in claim::list(&self.settings.private.join(agreement.as_str())) {
            let Some(id) = claim::transfer_of(&private) else { continue };
            if !self.was_sealed(&id)
                || tx.transfer::<State>(&id).await?.is_some()
                || self.is_given_back(tx, &id).await?
            {
                continue;
            }
            tx.enter(self.books.now(), GIVEN_BACK, Some(id), detail([])).await?;
            // The other party may wait for it.
            let (step, code) = ("restore".into(), "store-put-back".into());
            let failed = Failed { step, code };
            self.books.say(tx, &terms, Some(id), failed.into()).await?;
        }
        Ok(())
    }

    /// Whether two persons went on from a store that does not know this transfer.
    pub(super) async fn is_given_back(&self, tx: &mut Tx, id: &TransferId) -> Result<bool> {
        Ok(tx.entered_as(id, GIVEN_BACK).await?.is_some())
    }

    /// Of such a transfer the key goes, and then its drop, to its owner, who decides. May be repeated after any failure.
    pub(super) fn return_unknown(&self, private: &Path, id: &TransferId) -> Result<()> {
        files::erase(&self.spooled(id)).map_err(CoreError::io("erasing what nobody can send"))?;
        self.erase_bundle(id)?;
        let folder = private.parent().and_then(Path::file_name).and_then(OsStr::to_str);
        let Some(agreement) = folder.and_then(|name| name.parse().ok()) else { return Ok(()) };
        let reasons = vec![Reason::PutBack];
        let state = State::Refused { reasons: reasons.clone(), list: None };
        self.return_drop((&agreement, None), private, &state, &reasons)
    }
}
