//! The end of a transfer: erasing what is still here, and expiry.

use sluis_core::id::{Time, TransferId};
use sluis_core::transfer::{Event, State};

use super::Agency;
use crate::books::{CoreError, Result};
use crate::files;
use crate::store::{JobRow, Record, Tx};

impl Agency {
    /// Erases plaintext, spool and bundle, then says so. After a withdrawal the plaintext stays until the
    /// transfer would have expired, so that it can be redelivered: then this says when to come again.
    pub(super) async fn erase(&self, tx: &mut Tx, job: &JobRow) -> Result<Option<Time>> {
        let Some(id) = job.transfer else { return Ok(None) };
        let (mut record, terms) = self.load(tx, &id).await?;
        if !(record.state.is_over() || matches!(record.state, State::Opened)) {
            return Ok(None);
        }
        files::remove(&self.spooled(&id)).map_err(CoreError::io("erasing the envelope"))?;
        files::remove(&self.bundled(&id)).map_err(CoreError::io("erasing the bundle"))?;
        let until = record.created.plus_days(terms.agreement.file.expires_after_days);
        if record.state == State::Withdrawn && self.books.now() < until {
            return Ok(Some(until));
        }
        // The status names the drop, and the name goes with the plaintext.
        let waiting = tx.waiting(&id).await?;
        self.write_status(&record, &waiting);
        self.erase_plaintext(&record)?;
        self.advance(tx, &mut record, &terms, Event::Erased, None).await?;
        Ok(None)
    }

    pub(super) fn erase_plaintext(&self, record: &Record<State>) -> Result<()> {
        let private = self.private(&record.agreement, &record.id);
        files::remove(&private).map_err(CoreError::io("erasing the plaintext"))
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
        let (mut record, terms) = self.load(&mut tx, id).await?;
        self.advance(&mut tx, &mut record, &terms, Event::Expire, None).await?;
        self.books.commit(tx).await
    }
}
