//! Which number of a custodian was last used, and which one waits to be: keyed digests, never a number.

use sluis_core::id::{AgreementId, CustodianId, Digest, Time};
use sluis_core::old_number::Telling;
use sqlx::Row;

use super::{Result, StoreError, Tx, text};

/// What is known of a custodian's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// The one that was last used.
    pub used: Digest,
    /// The one that stands in the contacts file now, where that is another one.
    pub next: Option<Digest>,
    /// When two persons confirmed that.
    pub confirmed: Option<Time>,
    /// How far the word to the used one is; nothing as long as nobody knows which number that was.
    pub told: Option<Telling>,
}

impl Number {
    /// One that is used, and no other waits.
    #[must_use]
    pub fn used(digest: Digest) -> Self {
        Self { used: digest, next: None, confirmed: None, told: None }
    }
}

impl Tx {
    /// The number of a custodian.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn known_number(
        &mut self,
        agreement: &AgreementId,
        custodian: &CustodianId,
    ) -> Result<Option<Number>> {
        let row = sqlx::query(
            "SELECT used, next, confirmed, told FROM numbers WHERE agreement = $1 AND custodian = $2",
        )
        .bind(agreement.to_string())
        .bind(custodian.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let next: Option<String> = row.try_get("next")?;
        let next = next.map(|next| next.parse().map_err(|_| StoreError::Row("numbers")));
        let confirmed: Option<i64> = row.try_get("confirmed")?;
        let told: Option<String> = row.try_get("told")?;
        let told =
            told.map(|told| serde_json::from_str(&told).map_err(|_| StoreError::Row("numbers")));
        Ok(Some(Number {
            used: text(&row, "used", "numbers")?,
            next: next.transpose()?,
            confirmed: confirmed.map(Time),
            told: told.transpose()?,
        }))
    }

    /// Keeps what is known of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_number(
        &mut self,
        agreement: &AgreementId,
        custodian: &CustodianId,
        number: &Number,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO numbers (agreement, custodian, used, next, confirmed, told) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (agreement, custodian) DO UPDATE SET used = $3, next = $4, confirmed = $5, told = $6",
        )
        .bind(agreement.to_string())
        .bind(custodian.to_string())
        .bind(number.used.to_string())
        .bind(number.next.map(|next| next.to_string()))
        .bind(number.confirmed.map(|at| at.0))
        .bind(number.told.as_ref().and_then(|told| serde_json::to_string(told).ok()))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }
}
