//! What persons and monitoring are told of: reminders that went out, transfers that are stuck, work that waits.

use std::collections::{BTreeMap, BTreeSet};

use sluis_core::id::{AgreementId, Digest, Time};
use sluis_core::reminder::Stuck;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Result, StoreError, Tx, text};
use crate::role::Role;

/// The most transfers that are told of as stuck.
const STUCK: i64 = 500;

/// Work that waits for one role.
#[derive(Debug, Clone, Copy, Default)]
pub struct Waiting {
    /// How much.
    pub count: u64,
    /// Since when the oldest of it does.
    pub since: Option<Time>,
    /// Since when the oldest does that was tried, and met something in its way.
    pub in_vain: Option<Time>,
}

impl Tx {
    /// The keys of all reminders that were told.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn told(&mut self) -> Result<BTreeSet<Digest>> {
        let rows = sqlx::query("SELECT reminder FROM told").fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| text(row, "reminder", "told")).collect()
    }

    /// A reminder is told: from here on it is not told again.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn tell(&mut self, reminder: &Digest, now: Time) -> Result<()> {
        sqlx::query(
            "INSERT INTO told (reminder, at) VALUES ($1, $2) ON CONFLICT (reminder) DO NOTHING",
        )
        .bind(reminder.to_string())
        .bind(now.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// The transfers that wait for a person and have not ended, the latest first.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn stuck(&mut self) -> Result<Vec<(AgreementId, Stuck)>> {
        let rows = sqlx::query(
            "SELECT code, t.agreement, state, changed, r.transfer AS drill FROM transfers AS t
             LEFT JOIN rehearsals AS r ON r.transfer = t.id
             WHERE open = 1 AND state IN ('Held', 'Failed') ORDER BY changed DESC LIMIT $1",
        )
        .bind(STUCK)
        .fetch_all(&mut *self.tx)
        .await?;
        let one = |row: &AnyRow| {
            let state: String = row.try_get("state")?;
            let stuck = Stuck {
                code: text(row, "code", "transfers")?,
                failed: state == "Failed",
                since: Time(row.try_get("changed")?),
                rehearsal: row.try_get::<Option<String>, _>("drill")?.is_some(),
            };
            Ok((text(row, "agreement", "transfers")?, stuck))
        };
        rows.iter().map(one).collect()
    }

    /// How many transfers are in each state.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn states(&mut self) -> Result<BTreeMap<String, u64>> {
        let rows = sqlx::query("SELECT state, COUNT(*) FROM transfers GROUP BY state")
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, count(row, 1)?))).collect()
    }

    /// The work that waits for a role; what is under way for the first time does not.
    ///
    /// # Errors
    /// [`super::StoreError`].
    pub async fn waits_for(&mut self, gate: Role) -> Result<Waiting> {
        let row = sqlx::query(
            "SELECT COUNT(*), MIN(since), MIN(CASE WHEN why IS NULL THEN NULL ELSE since END) FROM jobs
             WHERE gate = $1 AND (holder IS NULL OR attempts > 1)",
        )
        .bind(gate.name())
        .fetch_one(&mut *self.tx)
        .await?;
        let time = |column| Ok::<_, StoreError>(row.try_get::<Option<i64>, _>(column)?.map(Time));
        Ok(Waiting { count: count(&row, 0)?, since: time(1)?, in_vain: time(2)? })
    }
}

fn count(row: &AnyRow, column: usize) -> Result<u64> {
    let count: i64 = row.try_get(column)?;
    Ok(u64::try_from(count).unwrap_or_default())
}
