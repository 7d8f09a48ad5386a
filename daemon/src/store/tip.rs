//! The end of the ledger, signed: a statement signs what was entered before it, and this what was entered after the last one.
//! Whoever can write the store and has no key of its party neither cuts it there nor goes on with it, while a core runs or
//! while none does. An older end that somebody kept stands for an older store ([`crate::restore`]).

use std::sync::{Arc, Mutex, PoisonError};

use sluis_core::statement::{SignatureError, Tip};
use sqlx::Row;

use super::{Result, Store, StoreError, Tx};

/// Signs the end of a ledger, with every key that lies here: whichever of them is known at the next start, it holds.
pub type Sign = Arc<dyn Fn(&Tip) -> std::result::Result<Vec<String>, SignatureError> + Send + Sync>;

/// Where the ledger ends, as this process left it; nothing where a commit failed, and nobody knows.
pub(super) type End = Arc<Mutex<Option<Tip>>>;

impl Store {
    /// From now on each commit that enters something signs the end of the ledger.
    pub fn sign_with(&self, sign: Sign) {
        // The first one stays: a store has one party.
        let _ = self.sign.set(sign);
    }
}

impl Tx {
    /// The end of the ledger as it was last signed, and the signatures.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signed_tip(&mut self) -> Result<Option<(Tip, Vec<String>)>> {
        let row = sqlx::query("SELECT number, digest, signatures FROM tip")
            .fetch_optional(&mut *self.tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let signatures: String = row.try_get("signatures")?;
        let signatures = serde_json::from_str(&signatures).map_err(|_| StoreError::Row("tip"))?;
        Ok(Some((super::said::tip(&row, "tip")?, signatures)))
    }

    /// The ledger was followed to this end.
    pub fn ends_at(&self, tip: Tip) {
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(tip);
    }

    /// What is entered follows what this process entered last.
    pub(super) fn goes_on_from(&self, head: &Tip) -> Result<()> {
        let known = *self.end.lock().unwrap_or_else(PoisonError::into_inner);
        match known.filter(|known| self.entered.is_none() && known != head) {
            Some(known) => Err(StoreError::Changed(known.number)),
            None => Ok(()),
        }
    }

    /// Signs where the ledger ends now, where something was entered. Until it is durable nobody knows where it ends.
    pub(super) async fn sign_tip(&mut self) -> Result<()> {
        let Some(tip) = self.entered else { return Ok(()) };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let Some(sign) = self.sign.get() else { return Ok(()) };
        let signatures = sign(&tip).map_err(StoreError::Unsigned)?;
        let signatures = serde_json::to_string(&signatures).map_err(|_| StoreError::Row("tip"))?;
        sqlx::query(
            "INSERT INTO tip (one, number, digest, signatures) VALUES (1, $1, $2, $3)
             ON CONFLICT (one) DO UPDATE SET
                 number = excluded.number, digest = excluded.digest, signatures = excluded.signatures",
        )
        .bind(super::signed(tip.number))
        .bind(tip.digest.to_string())
        .bind(signatures)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
