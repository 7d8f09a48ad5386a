//! What says of each share that it was let go, beside the bundle and outside the store: so that a store of before, put
//! back, does not let it go again. Never backed up, as the bundle is not.

use std::path::PathBuf;

use sluis_core::evidence::Terms;
use sluis_core::id::TransferId;
use sluis_core::transfer::{Event, Shipment, Stands, State};

use super::Agency;
use crate::error::{CoreError, Result};
use crate::files;
use crate::store::{Record, Tx};

impl Agency {
    fn let_go(&self, id: &TransferId) -> PathBuf {
        self.settings.bundles.join(format!("{id}.let-go"))
    }

    /// Nothing of the bundle is needed any more.
    pub(super) fn erase_bundle(&self, id: &TransferId) -> Result<()> {
        let erased = files::erase(&self.bundled(id)).and_then(|()| files::erase(&self.let_go(id)));
        erased.map_err(CoreError::io("erasing the bundle"))
    }

    /// A share was let go in the books; its gate is told only when this says so too.
    pub(super) fn keep_let_go(&self, id: &TransferId, index: u8) -> Result<()> {
        let folder = self.let_go(id);
        files::private_folder(&folder)
            .and_then(|()| files::write_durable(&folder.join(index.to_string()), b""))
            .map_err(CoreError::io("keeping that a share was let go"))
    }

    /// What became of a share, where it is surely not out. Before the books say so: they never say less than this does.
    pub(super) fn not_let_go(
        &self,
        record: &Record<State>,
        index: u8,
        event: &Event,
    ) -> Result<()> {
        let surely = matches!(event, Event::Shipped(_, Stands::Waiting | Stands::Rejected { .. }));
        let first = |share: &Shipment| !share.exposed && share.deferred == 0;
        if surely && record.state.share(index).is_some_and(first) {
            let folder = self.let_go(&record.id);
            let there = folder.try_exists();
            if there.map_err(CoreError::io("looking whether a share was let go"))? {
                files::remove(&folder.join(index.to_string()))
                    .and_then(|()| files::sync_folder(&folder))
                    .map_err(CoreError::io("keeping that a share was not let go"))?;
            }
        }
        Ok(())
    }

    /// An end says how many shares are out. Where one left and the store does not know it, an older one was put back: it
    /// is ended as that is, with every share counted.
    pub(super) fn counted(&self, record: &Record<State>, event: Event) -> Result<Event> {
        let ends = matches!(event, Event::Withdraw | Event::Shut | Event::Expire);
        if !ends || record.state.is_over() || !self.left_unknown(record)? {
            return Ok(event);
        }
        tracing::error!(id = %record.id, "shares left before, and the store does not know it: an older one was put back");
        Ok(Event::PutBack)
    }

    /// Whether a share left that the store does not know to be out.
    fn left_unknown(&self, record: &Record<State>) -> Result<bool> {
        let Some(envelope) = record.state.envelope() else { return Ok(false) };
        for index in envelope.routes.iter().map(|route| route.index) {
            let known = record.state.share(index).is_some_and(Shipment::is_exposed);
            let left = self.let_go(&record.id).join(index.to_string()).try_exists();
            if !known && left.map_err(CoreError::io("looking whether a share was let go"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether this share left, and the store does not know it: an older one was put back. It counts as lost from sight, and
    /// does not leave again.
    pub(super) async fn left_before(
        &self,
        tx: &mut Tx,
        (record, terms): (&mut Record<State>, &Terms),
        index: u8,
    ) -> Result<bool> {
        let left = self.let_go(&record.id).join(index.to_string()).try_exists();
        if !left.map_err(CoreError::io("looking whether a share was let go"))? {
            return Ok(false);
        }
        match self.advance(tx, record, terms, Event::LeftBefore(index), None).await {
            Ok(()) => {
                let id = record.id;
                tracing::error!(%id, index, "this share left before, and the store does not know it: an older one was put back");
                Ok(true)
            }
            // The store knows it.
            Err(CoreError::Illegal(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}
