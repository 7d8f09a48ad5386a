//! The end of the ledger, signed: a statement signs what was entered before it, and this what was entered after the last one.
//! Whoever can write the store and has no key of its party neither cuts it there nor goes on with it; what an older
//! end shows is an older store ([`crate::restore`]).

use std::sync::Arc;

use sluis_core::statement::{SignatureError, Tip};
use sqlx::Row;

use super::{Result, Store, StoreError, Tx};

/// Signs the end of a ledger.
pub type Sign = Arc<dyn Fn(&Tip) -> std::result::Result<String, SignatureError> + Send + Sync>;

impl Store {
    /// From now on each commit that enters something signs the end of the ledger.
    pub fn sign_with(&self, sign: Sign) {
        // The first one stays: a store has one party.
        let _ = self.sign.set(sign);
    }
}

impl Tx {
    /// The end of the ledger as it was last signed, and the signature.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn signed_tip(&mut self) -> Result<Option<(Tip, String)>> {
        let row = sqlx::query("SELECT number, digest, signature FROM tip")
            .fetch_optional(&mut *self.tx)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((super::said::tip(&row, "tip")?, row.try_get("signature")?)))
    }

    /// Signs where the ledger ends now, where something was entered.
    pub(super) async fn sign_tip(&mut self) -> Result<()> {
        let Some((tip, sign)) = self.entered.take().zip(self.sign.get()) else { return Ok(()) };
        let signature = sign(&tip).map_err(StoreError::Unsigned)?;
        sqlx::query(
            "INSERT INTO tip (one, number, digest, signature) VALUES (1, $1, $2, $3)
             ON CONFLICT (one) DO UPDATE SET
                 number = excluded.number, digest = excluded.digest, signature = excluded.signature",
        )
        .bind(super::signed(tip.number))
        .bind(tip.digest.to_string())
        .bind(signature)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
