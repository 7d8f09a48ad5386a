//! Exercises in the books: which there were, and who typed a share of one. The same on both sides.

use std::collections::BTreeMap;

use sluis_core::exercise::Confirmed;
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::statement::{Body, Sent};

use crate::books::Books;
use crate::error::Result;
use crate::store::Tx;

impl Books {
    /// The exercises under an agreement, by what was signed when they were sealed.
    ///
    /// # Errors
    /// [`crate::error::CoreError`].
    pub async fn exercises(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
    ) -> Result<BTreeMap<TransferId, Sent>> {
        let mut exercises = BTreeMap::new();
        for (signed, _) in tx.rehearsed(agreement, "sent").await? {
            let (statement, ..) = self.read_again(tx, &signed).await?;
            if let (Some(id), Body::Sent(sent)) = (statement.header.transfer, statement.body)
                && sent.exercise
            {
                exercises.insert(id, sent);
            }
        }
        Ok(exercises)
    }

    /// Who typed the share of which exercise.
    ///
    /// # Errors
    /// [`crate::error::CoreError`].
    pub async fn confirmed(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
    ) -> Result<Vec<(TransferId, Confirmed)>> {
        let exercises = self.exercises(tx, agreement).await?;
        let mut confirmed = Vec::new();
        for (signed, at) in tx.rehearsed(agreement, "share-accepted").await? {
            let (statement, ..) = self.read_again(tx, &signed).await?;
            let of = statement.header.transfer.and_then(|id| exercises.get_key_value(&id));
            if let (Some((id, sent)), Body::ShareAccepted(accepted)) = (of, &statement.body) {
                confirmed.extend(Confirmed::of(sent, accepted, at).map(|it| (*id, it)));
            }
        }
        Ok(confirmed)
    }
}
