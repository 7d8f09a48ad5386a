//! After an older store was put back: what the vault holds of each open transfer is what counts.

use sluis_core::control::Named;
use sluis_core::id::AgreementId;
use sluis_core::receipt::{Event, Held, State};

use super::Municipality;
use crate::error::{CoreError, Result};
use crate::restore::hear_deferred;
use crate::store::{Record, Tx};
use crate::{durable, files};

/// What an opened list is called while the books do not say that it was opened: nobody but the keeper gets at it.
const ASIDE: &str = "aside";

impl Municipality {
    /// Takes what was heard meanwhile, and then holds each open transfer against the vault.
    pub(super) async fn go_on_from_older(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
    ) -> Result<Vec<Named>> {
        self.its_vault(tx).await?;
        hear_deferred(self, tx, agreement).await?;
        let mut ended = Vec::new();
        for mut record in tx.open_under::<State>(agreement).await? {
            let terms = self.books.terms(tx, &record.terms).await?;
            let event = Event::PutBack { at: self.books.now(), vault: self.held(&record)? };
            self.advance(tx, &mut record, &terms, event).await?;
            if matches!(record.state, State::Failed { .. }) {
                ended.push(tx.named(&record).await?);
            }
        }
        Ok(ended)
    }

    /// What the vault holds of it. What was put aside stands open again.
    fn held(&self, record: &Record<State>) -> Result<Held> {
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        self.put_back(record)?;
        let whole = std::fs::metadata(folder.join("envelope.age")).map(|meta| meta.len()).ok();
        Ok(match record.state.sent() {
            _ if self.opened_folder(record).is_dir() => Held::Opened,
            Some(sent) if whole == Some(sent.size) => Held::Envelope,
            _ => Held::Nothing,
        })
    }

    /// What was put aside stands open again.
    pub(super) fn put_back(&self, record: &Record<State>) -> Result<()> {
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        let (aside, opened) = (folder.join(ASIDE), self.opened_folder(record));
        if !aside.is_dir() || opened.is_dir() {
            return Ok(());
        }
        durable::rename(&aside, &opened)
            .and_then(|()| durable::mode(&opened, 0o750))
            .and_then(|()| files::sync_folder(&folder))
            .map_err(CoreError::io("putting an opened list in its place"))
    }

    /// What came out of an envelope that is shut for the books is put aside: after a crash before the commit its lines
    /// are typed again, and after an older store it stands open again once two persons went on from there.
    pub(super) fn put_aside(&self, record: &Record<State>) -> std::io::Result<()> {
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        let (opened, aside) = (folder.join("opened"), folder.join(ASIDE));
        if !opened.try_exists()? {
            return Ok(());
        }
        files::remove(&aside)?;
        durable::mode(&opened, 0o700)?;
        // Before its name: a cut is not to leave it aside, and open to the group.
        files::sync_folder(&opened)?;
        durable::rename(&opened, &aside)?;
        files::sync_folder(&folder)
    }

    /// It is opened anew: what was put aside goes.
    pub(super) fn clear_aside(&self, record: &Record<State>) -> std::io::Result<()> {
        let folder = self.vault(&record.agreement, &record.id, &record.code);
        files::remove(&folder.join(ASIDE))
    }
}
