//! Which number of a custodian was last used, which one waits to be, and which ones an exercise went to: keyed digests,
//! never a number.

use std::collections::BTreeMap;

use sluis_core::id::{AgreementId, CustodianId, Digest, PartyId, Time, TransferId};
use sluis_core::old_number::Telling;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Result, StoreError, Tx, text};

/// What is known of a custodian's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// The one that was last used; nothing where the custodian came when shares had left already. Kept as an empty text.
    pub used: Option<Digest>,
    /// The one that stands in the contacts file now, where that is another one.
    pub next: Option<Digest>,
    /// When two persons confirmed that.
    pub confirmed: Option<Time>,
    /// How far the word to the used one is; nothing as long as nobody knows which number that was.
    pub told: Option<Telling>,
    /// When it was first seen that this was done in a time that had not come: by a clock that was ahead.
    pub behind: Option<Time>,
}

impl Number {
    /// The one that is used, if there is one, and no other waits.
    #[must_use]
    pub fn last(used: Option<Digest>) -> Self {
        Self { used, next: None, confirmed: None, told: None, behind: None }
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
            "SELECT used, next, confirmed, told, behind FROM numbers WHERE agreement = $1 AND custodian = $2",
        )
        .bind(agreement.to_string())
        .bind(custodian.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let digest = |text: String| text.parse().map_err(|_| StoreError::Row("numbers"));
        let used: String = row.try_get("used")?;
        let used = (!used.is_empty()).then(|| digest(used));
        let next: Option<String> = row.try_get("next")?;
        let next = next.map(digest);
        let confirmed: Option<i64> = row.try_get("confirmed")?;
        let told: Option<String> = row.try_get("told")?;
        let told =
            told.map(|told| serde_json::from_str(&told).map_err(|_| StoreError::Row("numbers")));
        Ok(Some(Number {
            used: used.transpose()?,
            next: next.transpose()?,
            confirmed: confirmed.map(Time),
            told: told.transpose()?,
            behind: row.try_get::<Option<i64>, _>("behind")?.map(Time),
        }))
    }

    /// What two persons confirmed counts from now, and not from when a clock that was wrong said that they did.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn confirmed_now(&mut self, now: Time) -> Result<()> {
        let sql = "UPDATE numbers SET confirmed = $1, behind = NULL WHERE confirmed IS NOT NULL";
        sqlx::query(sql).bind(now.0).execute(&mut *self.tx).await?;
        Ok(())
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
            "INSERT INTO numbers (agreement, custodian, used, next, confirmed, told, behind)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (agreement, custodian) DO UPDATE
             SET used = $3, next = $4, confirmed = $5, told = $6, behind = $7",
        )
        .bind(agreement.to_string())
        .bind(custodian.to_string())
        .bind(number.used.map(|used| used.to_string()).unwrap_or_default())
        .bind(number.next.map(|next| next.to_string()))
        .bind(number.confirmed.map(|at| at.0))
        .bind(number.told.as_ref().and_then(|told| serde_json::to_string(told).ok()))
        .bind(number.behind.map(|at| at.0))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Keeps to which number of a custodian the share of an exercise goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tries(
        &mut self,
        exercise: &TransferId,
        custodian: &CustodianId,
        number: &Digest,
    ) -> Result<()> {
        sqlx::query(
            "INSERT INTO tried (transfer, custodian, number) VALUES ($1, $2, $3)
             ON CONFLICT (transfer, custodian) DO UPDATE SET number = $3",
        )
        .bind(exercise.to_string())
        .bind(custodian.to_string())
        .bind(number.to_string())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// To which numbers the shares of the exercises under an agreement went.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tried(
        &mut self,
        agreement: &AgreementId,
    ) -> Result<BTreeMap<(TransferId, CustodianId), Digest>> {
        let rows = sqlx::query(
            "SELECT t.transfer, t.custodian, t.number FROM tried AS t
             JOIN rehearsals AS r ON r.transfer = t.transfer WHERE r.agreement = $1",
        )
        .bind(agreement.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        let one = |row: &AnyRow| {
            let whose = (text(row, "transfer", "tried")?, text(row, "custodian", "tried")?);
            Ok((whose, text(row, "number", "tried")?))
        };
        rows.iter().map(one).collect()
    }

    /// Whether shares may have left under an agreement, or under another one with the same party, whatever that is called:
    /// something was sealed, a list or an exercise.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn has_sent(&mut self, agreement: &AgreementId, to: &PartyId) -> Result<bool> {
        // Without a word of that party under it no share leaves.
        let sent = sqlx::query(
            "SELECT entry FROM statements WHERE kind = 'sent' AND (agreement = $1
                 OR agreement IN (SELECT agreement FROM statements WHERE issuer = $2)) LIMIT 1",
        )
        .bind(agreement.to_string())
        .bind(to.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        Ok(sent.is_some())
    }
}
