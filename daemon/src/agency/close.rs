//! The end of a transfer: erasing what is still here, and expiry.

use sluis_core::id::{Time, TransferId};
use sluis_core::transfer::{Event, State};

use super::Agency;
use crate::error::{CoreError, Result};
use crate::files;
use crate::store::{Due, JobRow, Record, Tx};

/// How long an erasure waits before it is looked at again, where the clock is held.
const HELD_MS: i64 = 60_000;

impl Agency {
    /// Erases plaintext, spool and bundle, then says so. After a withdrawal the plaintext stays until the
    /// transfer would have expired, so that it can be redelivered: then this says when to come again.
    pub(super) async fn erase(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<Due>> {
        let Some(id) = job.transfer else { return Ok(None) };
        let (mut record, terms) = self.books.load::<State>(tx, &id).await?;
        if !(record.state.is_over() || matches!(record.state, State::Opened)) {
            return Ok(None);
        }
        files::erase(&self.spooled(&id)).map_err(CoreError::io("erasing the envelope"))?;
        self.erase_bundle(&id)?;
        let until = record.created.plus_days(terms.agreement.file.expires_after_days);
        let now = self.books.now();
        let waits = now < until || self.books.clock_is_held();
        if record.state == State::Withdrawn && waits {
            return Ok(Some(Due::late(now, until.max(now.plus_ms(HELD_MS)))));
        }
        // The status names the drop, and the name goes with the plaintext.
        self.write_status(tx, &record).await?;
        self.erase_plaintext(&record)?;
        self.advance(tx, &mut record, &terms, Event::Erased, None).await?;
        Ok(None)
    }

    pub(super) fn erase_plaintext(&self, record: &Record<State>) -> Result<()> {
        let private = self.private(&record.agreement, &record.id);
        files::erase(&private).map_err(CoreError::io("erasing the plaintext"))
    }

    /// Ends the transfers whose time is over; one that cannot be ended holds up no other.
    pub(super) async fn expire(&self, now: Time) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        let over = tx.expired(now).await?;
        drop(tx);
        for id in over {
            if let Err(error) = self.expire_one(&id).await {
                tracing::error!(transfer = ?id, %error, "a transfer cannot be ended");
            }
        }
        Ok(())
    }

    async fn expire_one(&self, id: &TransferId) -> Result<()> {
        let mut tx = self.books.store.begin().await?;
        let (mut record, terms) = self.books.load::<State>(&mut tx, id).await?;
        // An older store would say of a list that was opened since that it never was.
        if !self.books.heard.once(&record.agreement) {
            tracing::debug!(transfer = ?id, "its time is over; it ends once the other party was heard");
            return Ok(());
        }
        self.advance(&mut tx, &mut record, &terms, Event::Expire, None).await?;
        self.books.commit(tx).await
    }
}
