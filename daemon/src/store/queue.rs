//! The queue of work: leased to one holder at a time, tried again later, never done twice under one lease.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use sluis_core::control::{Lane, Pending};
use sluis_core::id::{AgreementId, Time, TransferId};
use sluis_core::words::{Words, shown};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::epochs::NOT_HELD;
use super::{Result, StoreError, Tx, optional_id, text};
use crate::faults;
use crate::role::Role;

/// Queued work.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its number.
    pub id: i64,
    /// Which role does it.
    pub gate: Role,
    /// In which of its lanes it waits.
    pub lane: Lane,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// For which transfer.
    pub transfer: Option<TransferId>,
    /// What, as JSON of the side's own type.
    pub work: String,
    /// How often it was tried.
    pub attempts: i64,
    /// Under which lease its share was let go, if it was.
    pub granted: Option<i64>,
}

impl JobRow {
    /// What there is to do, in the side's own type.
    ///
    /// # Errors
    /// [`StoreError::Row`] where it is none of that.
    pub fn read<W: DeserializeOwned>(&self) -> Result<W> {
        serde_json::from_str(&self.work).map_err(|_| StoreError::Row(TABLE))
    }
}

/// Of whose queues a transaction changed what waits there, by gate and lane.
#[derive(Debug, Default)]
pub struct Wakes {
    queues: BTreeSet<(Role, Lane)>,
    all: bool,
}

impl Wakes {
    /// Whether who waits for work of this gate in this lane looks again.
    #[must_use]
    pub fn wakes(&self, gate: Role, lane: Lane) -> bool {
        self.all || self.queues.contains(&(gate, lane))
    }
    fn add(&mut self, gate: Role, lane: Lane) {
        self.queues.insert((gate, lane));
    }
    /// Everybody: what was held is held no longer, or what time it is has changed.
    pub(super) fn all(&mut self) {
        self.all = true;
    }
}

/// Who has work under lease: one task of a process, which does one job at a time.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'a> {
    /// The process.
    pub instance: &'a str,
    /// Its task.
    pub task: u16,
    /// For how long the machine is up, in milliseconds: a lease runs by that, for a clock that is set takes no work away
    /// from who is at it.
    pub up: i64,
}

/// How long a lease lasts unless it is renewed.
const LEASE_MS: i64 = 90_000;
/// How often who moves bytes renews it. Where a test makes roles fail, with every piece.
pub const RENEW: Duration = faults::waits(Duration::from_secs(20));
/// What was put off in a time that lies further ahead than this was put off in a time that has not come: more than any
/// backoff, and as far as a clock may be off without a word.
const AHEAD_MS: i64 = 3_600_000;

/// When work is due, and at what time that was said: where the clock has run back far behind that, it is due now.
#[derive(Debug, Clone, Copy)]
pub struct Due {
    at: Time,
    said: Time,
}

/// At once, or after a backoff: said about then.
impl From<Time> for Due {
    fn from(at: Time) -> Self {
        Self { at, said: at }
    }
}

impl Due {
    /// Work that waits long on purpose.
    #[must_use]
    pub fn late(now: Time, at: Time) -> Self {
        Self { at, said: now }
    }
}

impl Tx {
    /// Queues work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue(
        &mut self,
        gate: Role,
        lane: Lane,
        agreement: &AgreementId,
        transfer: Option<TransferId>,
        work: &str,
        due: impl Into<Due>,
    ) -> Result<()> {
        let due = due.into();
        let id = self.count("jobs").await?;
        self.wakes.add(gate, lane);
        sqlx::query(
            "INSERT INTO jobs (id, gate, lane, agreement, transfer, work, due, attempts, since, said)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $7, $8)",
        )
        .bind(id)
        .bind(gate.name())
        .bind(lane.name())
        .bind(agreement.to_string())
        .bind(transfer.map(|id| id.to_string()))
        .bind(work)
        .bind(due.at.0)
        .bind(due.said.0)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// A number that was kept under this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn number(&mut self, name: &str) -> Result<Option<i64>> {
        let row = sqlx::query("SELECT value FROM counters WHERE name = $1")
            .bind(name)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Keeps a number under this name.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn set_number(&mut self, name: &str, value: i64) -> Result<()> {
        sqlx::query(
            "INSERT INTO counters (name, value) VALUES ($1, $2)
             ON CONFLICT (name) DO UPDATE SET value = $2",
        )
        .bind(name)
        .bind(value)
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// The clock ran back: what was to be done later by the old time would wait for years. What began or changed in a time
    /// that has not come did so now, and its end comes as much earlier.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn due_now(&mut self, now: Time) -> Result<()> {
        for sql in [
            "UPDATE jobs SET due = $1 WHERE due > $1",
            "UPDATE transfers SET expires = expires - (changed - $1) WHERE open = 1 AND changed > $1",
            "UPDATE transfers SET changed = $1 WHERE changed > $1",
            "UPDATE transfers SET created = $1 WHERE created > $1",
        ] {
            sqlx::query(sql).bind(now.0).execute(&mut *self.tx).await?;
        }
        self.wakes.all();
        Ok(())
    }

    /// The next number of a counter: numbers are never used again, even when their rows are gone.
    async fn count(&mut self, name: &str) -> Result<i64> {
        let row = sqlx::query(
            "INSERT INTO counters (name, value) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        )
        .bind(name)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(row.try_get(0)?)
    }

    /// Leases due work to `holder`, also what was put off in a time that has not come ([`Due`]). What it holds already was lost on the way to it, and what another process holds was
    /// given to one that is no more. In the lane `post` only the first letter of an agreement is ever due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(
        &mut self,
        gate: Role,
        lane: Lane,
        agreement: Option<&AgreementId>,
        Holder { instance, task, up }: Holder<'_>,
        now: Time,
    ) -> Result<Option<JobRow>> {
        // Every agreement has a name, so the pattern of "any" is never one of them.
        let agreement = agreement.map_or_else(|| "*".to_owned(), ToString::to_string);
        let sql = format!(
            "UPDATE jobs SET holder = $4, leased = $5, attempts = attempts + 1 WHERE id = (
                 SELECT id FROM jobs AS j
                 WHERE gate = $1 AND lane = $2 AND ($3 = '*' OR agreement = $3)
                   AND (due <= $6 OR COALESCE(said, due) > $9)
                   AND (holder IS NULL OR holder = $4 OR holder NOT LIKE $8 OR leased < $7)
                   AND {NOT_HELD}
                   AND (lane <> 'post' OR NOT EXISTS (
                        SELECT 1 FROM jobs AS e WHERE e.gate = j.gate AND e.lane = 'post'
                          AND e.agreement = j.agreement AND e.id < j.id))
                 ORDER BY due, id LIMIT 1)
             RETURNING id, gate, lane, agreement, transfer, work, attempts, granted"
        );
        // Nothing in it but our own words.
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(gate.name())
            .bind(lane.name())
            .bind(agreement)
            .bind(format!("{instance} {task}"))
            .bind(up)
            .bind(now.0)
            .bind(up - LEASE_MS)
            .bind(format!("{instance} %"))
            .bind(now.plus_ms(AHEAD_MS).0)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(job).transpose()
    }

    /// The work with this number, if it is still there.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn job(&mut self, id: i64) -> Result<Option<JobRow>> {
        let row = sqlx::query(
            "SELECT id, gate, lane, agreement, transfer, work, attempts, granted FROM jobs WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(job).transpose()
    }

    /// Renews the lease of this gate on a transfer's running work: bytes are moving. What other gates have of it they
    /// may have lost.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&mut self, gate: Role, transfer: &TransferId, up: i64) -> Result<()> {
        let sql =
            "UPDATE jobs SET leased = $1 WHERE transfer = $2 AND gate = $3 AND holder IS NOT NULL";
        let renewed = sqlx::query(sql).bind(up).bind(transfer.to_string()).bind(gate.name());
        renewed.execute(&mut *self.tx).await?;
        Ok(())
    }

    /// The share of this work is let go, under the lease that it has now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn grant(&mut self, id: i64) -> Result<()> {
        sqlx::query("UPDATE jobs SET granted = attempts WHERE id = $1")
            .bind(id)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The core was away: whoever holds work gets its whole time again, to say what became of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew_all(&mut self, up: i64) -> Result<()> {
        sqlx::query("UPDATE jobs SET leased = $1 WHERE holder IS NOT NULL")
            .bind(up)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The work is done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish(&mut self, id: i64) -> Result<()> {
        let sql = "DELETE FROM jobs WHERE id = $1 RETURNING gate, lane";
        let row = sqlx::query(sql).bind(id).fetch_optional(&mut *self.tx).await?;
        // Behind a letter waits the next one; other work waits for nothing.
        self.wake(row.as_ref(), |lane| lane == Lane::Post)
    }

    /// Has who waits for such work look again.
    fn wake(&mut self, row: Option<&AnyRow>, which: impl Fn(Lane) -> bool) -> Result<()> {
        let Some(row) = row else { return Ok(()) };
        let (gate, lane) = queue(row)?;
        if which(lane) {
            self.wakes.add(gate, lane);
        }
        Ok(())
    }

    /// A letter that was not brought yet is of no use: this number is written anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recall(&mut self, agreement: &AgreementId, number: u64) -> Result<()> {
        // A letter begins with its number.
        sqlx::query("DELETE FROM jobs WHERE agreement = $1 AND lane = 'post' AND work LIKE $2")
            .bind(agreement.to_string())
            .bind(format!("{{\"number\":{number},%"))
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// All work of these gates for a transfer is void.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn void(&mut self, transfer: &TransferId, gate: Role) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE transfer = $1 AND gate = $2 AND lane = 'jobs'")
            .bind(transfer.to_string())
            .bind(gate.name())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The same, but for what is under way: its gate says what came of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn void_waiting(&mut self, transfer: &TransferId, gate: Role) -> Result<()> {
        let sql = "DELETE FROM jobs WHERE transfer = $1 AND gate = $2 AND lane = 'jobs' AND holder IS NULL";
        sqlx::query(sql)
            .bind(transfer.to_string())
            .bind(gate.name())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The work is to be tried again, not before `due`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn again(&mut self, job: &JobRow, due: impl Into<Due>, why: &Words) -> Result<()> {
        self.put_off(job, [job.attempts, job.attempts], due.into(), why).await
    }

    /// The same where its lease was given up with its transaction: it counts all the same, and whoever got the work
    /// meanwhile keeps it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn given_up(&mut self, job: &JobRow, due: impl Into<Due>, why: &Words) -> Result<()> {
        self.put_off(job, [job.attempts - 1, job.attempts], due.into(), why).await
    }

    /// The same where nothing was tried: it is no attempt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn untried(&mut self, job: &JobRow, due: impl Into<Due>, why: &Words) -> Result<()> {
        self.put_off(job, [job.attempts, job.attempts - 1], due.into(), why).await
    }

    /// What waits under an agreement for at most so many milliseconds, for whatever reason, is due now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn sooner(
        &mut self,
        agreement: &AgreementId,
        now: Time,
        within_ms: i64,
    ) -> Result<()> {
        let sql = "UPDATE jobs SET due = $1 WHERE agreement = $2 AND lane = 'jobs' AND due > $1 AND due <= $3";
        let sooner = sqlx::query(sql).bind(now.0).bind(agreement.to_string());
        sooner.bind(now.plus_ms(within_ms).0).execute(&mut *self.tx).await?;
        Ok(())
    }

    /// What was leased and not given, as where its transaction was given up: it is no attempt.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn not_given(
        &mut self,
        job: &JobRow,
        due: impl Into<Due>,
        why: &Words,
    ) -> Result<()> {
        self.put_off(job, [job.attempts - 1; 2], due.into(), why).await
    }

    /// Of work that was tried so often, and counts as tried so often from here on.
    async fn put_off(
        &mut self,
        job: &JobRow,
        [was, is]: [i64; 2],
        due: Due,
        why: &Words,
    ) -> Result<()> {
        let row = sqlx::query(
            "UPDATE jobs SET holder = NULL, leased = NULL, due = $2, why = $3, said = $4, attempts = $5
             WHERE id = $1 AND attempts = $6 RETURNING gate, lane",
        )
        .bind(job.id)
        .bind(due.at.0)
        .bind(serde_json::to_string(&bounded(why)).unwrap_or_default())
        .bind(due.said.0)
        .bind(is)
        .bind(was)
        .fetch_optional(&mut *self.tx)
        .await?;
        self.wake(row.as_ref(), |_| true)
    }

    /// The work for this transfer that is not done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&mut self, transfer: &TransferId) -> Result<Vec<Pending>> {
        let rows =
            sqlx::query("SELECT gate, attempts, why FROM jobs WHERE transfer = $1 ORDER BY id")
                .bind(transfer.to_string())
                .fetch_all(&mut *self.tx)
                .await?;
        let line = |row: &AnyRow| {
            let (gate, attempts): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let why: Option<String> = row.try_get(2)?;
            let tried = u32::try_from(attempts).unwrap_or(u32::MAX);
            let why = why.and_then(|why| serde_json::from_str(&why).ok());
            Ok::<_, StoreError>(Pending { role: gate, tried, why })
        };
        let mut all: Vec<Pending> = Vec::new();
        for pending in rows.iter().map(line) {
            let pending = pending?;
            // Several jobs of a gate meet the same trouble: it is told once.
            match all.iter_mut().find(|it| (&it.role, &it.why) == (&pending.role, &pending.why)) {
                Some(known) => known.tried = known.tried.max(pending.tried),
                None => all.push(pending),
            }
        }
        Ok(all)
    }

    /// When the earliest work is due that [`Tx::lease`] will give and does not give now, if any waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn earliest(
        &mut self,
        gate: Role,
        lane: Lane,
        agreement: Option<&AgreementId>,
    ) -> Result<Option<Time>> {
        let agreement = agreement.map_or_else(|| "*".to_owned(), ToString::to_string);
        let sql = format!(
            "SELECT due FROM jobs AS j
             WHERE gate = $1 AND lane = $2 AND ($3 = '*' OR agreement = $3) AND holder IS NULL
               AND {NOT_HELD}
               AND (lane <> 'post' OR NOT EXISTS (
                    SELECT 1 FROM jobs AS e WHERE e.gate = j.gate AND e.lane = 'post'
                      AND e.agreement = j.agreement AND e.id < j.id))
             ORDER BY due LIMIT 1"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(gate.name())
            .bind(lane.name())
            .bind(agreement)
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(|row| Ok(Time(row.try_get(0)?))).transpose()
    }
}

/// A gate's words are untrusted: short, and nothing in them speaks to a terminal.
fn bounded(why: &Words) -> Words {
    Words::of(|of| shown(&why.text(of).chars().take(300).collect::<String>()))
}

const TABLE: &str = "jobs";

/// Whose queue it is, and which.
fn queue(row: &AnyRow) -> Result<(Role, Lane)> {
    let (gate, lane): (String, String) = (row.try_get("gate")?, row.try_get("lane")?);
    Role::named(&gate).zip(Lane::named(&lane)).ok_or(StoreError::Row(TABLE))
}

fn job(row: &AnyRow) -> Result<JobRow> {
    let (gate, lane) = queue(row)?;
    Ok(JobRow {
        id: row.try_get("id")?,
        gate,
        lane,
        agreement: text(row, "agreement", TABLE)?,
        transfer: optional_id(row, "transfer", TABLE)?,
        work: row.try_get("work")?,
        attempts: row.try_get("attempts")?,
        granted: row.try_get("granted")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn bytes_that_move_renew_the_lease_of_the_gate_that_moves_them_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("store.db").to_str().unwrap()).await.unwrap();
        let (agreement, transfer) = ("mechelen".parse().unwrap(), TransferId::random());
        let mut tx = store.begin().await.unwrap();
        for gate in [Role::Carrier, Role::Releaser] {
            tx.queue(gate, Lane::Jobs, &agreement, Some(transfer), "{}", Time(1)).await.unwrap();
            let holder = Holder { instance: "i", task: 1, up: 1 };
            tx.lease(gate, Lane::Jobs, None, holder, Time(1)).await.unwrap().unwrap();
        }
        // A clock that is set is no reason: the machine is up for as long as before.
        let (ahead, other) = (Time(10 * LEASE_MS), Holder { instance: "i", task: 2, up: 2 });
        for gate in [Role::Carrier, Role::Releaser] {
            assert!(tx.lease(gate, Lane::Jobs, None, other, ahead).await.unwrap().is_none());
        }
        let later = 2 + LEASE_MS;
        tx.renew(Role::Carrier, &transfer, later).await.unwrap();
        let other = Holder { up: later, ..other };
        assert!(tx.lease(Role::Carrier, Lane::Jobs, None, other, Time(1)).await.unwrap().is_none());
        let lost = tx.lease(Role::Releaser, Lane::Jobs, None, other, Time(1)).await.unwrap();
        assert!(lost.is_some(), "what another gate lost is given again");
    }

    #[tokio::test]
    async fn what_waits_under_an_agreement_for_a_moment_comes_sooner_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("store.db").to_str().unwrap()).await.unwrap();
        let [mechelen, gent] = ["mechelen", "gent"].map(|it| it.parse().unwrap());
        let mut tx = store.begin().await.unwrap();
        for (agreement, due) in [(&mechelen, 61), (&mechelen, 62), (&gent, 61)] {
            tx.queue(Role::Releaser, Lane::Jobs, agreement, None, "{}", Time(due)).await.unwrap();
        }
        tx.sooner(&mechelen, Time(1), 60).await.unwrap();
        let mut due = Vec::new();
        for at in [1, 1, 61, 61] {
            let holder = Holder { instance: "i", task: u16::try_from(due.len()).unwrap(), up: 1 };
            let job = tx.lease(Role::Releaser, Lane::Jobs, None, holder, Time(at)).await.unwrap();
            due.push(job.map(|job| job.agreement.to_string()));
        }
        let due: Vec<_> = due.iter().map(Option::as_deref).collect();
        assert_eq!(due, [Some("mechelen"), None, Some("gent"), None]);
    }

    #[tokio::test]
    async fn who_waits_for_work_is_woken_by_what_may_give_some() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("store.db").to_str().unwrap()).await.unwrap();
        let (agreement, now) = ("mechelen".parse().unwrap(), Time(1));
        let holder = Holder { instance: "i", task: 1, up: 1 };
        let mut tx = store.begin_unsynced().await.unwrap();
        for lane in [Lane::Jobs, Lane::Post] {
            tx.queue(Role::Carrier, lane, &agreement, None, "{}", now).await.unwrap();
            assert!(tx.wakes.wakes(Role::Carrier, lane));
            assert!(!tx.wakes.wakes(Role::Releaser, lane));
        }
        tx.commit().await.unwrap();
        for lane in [Lane::Jobs, Lane::Post] {
            let mut tx = store.begin().await.unwrap();
            let job = tx.lease(Role::Carrier, lane, None, holder, now).await.unwrap().unwrap();
            assert!(!tx.wakes.wakes(Role::Carrier, lane), "a lease gives nobody work");
            tx.again(&job, Time(5), &Words::same("not yet")).await.unwrap();
            assert!(tx.wakes.wakes(Role::Carrier, lane), "it is due at another time");
            assert_eq!(tx.earliest(Role::Carrier, lane, None).await.unwrap(), Some(Time(5)));
            tx.commit().await.unwrap();
            let mut tx = store.begin().await.unwrap();
            tx.finish(job.id).await.unwrap();
            assert_eq!(
                tx.wakes.wakes(Role::Carrier, lane),
                lane == Lane::Post,
                "behind it waits a letter"
            );
            tx.finish(job.id).await.unwrap();
            assert_eq!(tx.earliest(Role::Carrier, lane, None).await.unwrap(), None);
            tx.due_now(now).await.unwrap();
            assert!(tx.wakes.wakes(Role::Releaser, Lane::Jobs), "the time has changed");
        }
    }

    #[tokio::test]
    async fn what_was_put_off_in_a_time_that_has_not_come_is_due_and_what_waits_on_purpose_is_not()
    {
        const YEAR: i64 = 365 * 86_400_000;
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("store.db");
        let place = place.to_str().unwrap();
        let (agreement, now): (AgreementId, _) = ("mechelen".parse().unwrap(), Time(YEAR));
        let (ahead, holder) = (now.plus_ms(YEAR), Holder { instance: "i", task: 1, up: 1 });
        let store = Store::open(place).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for lane in [Lane::Post, Lane::Jobs] {
            // A clock that is a year ahead: one letter is queued, another one put off.
            tx.queue(Role::Carrier, lane, &agreement, None, "a", ahead).await.unwrap();
            tx.queue(Role::Carrier, lane, &agreement, None, "b", now).await.unwrap();
        }
        tx.queue(Role::Sealer, Lane::Jobs, &agreement, None, "kept", now).await.unwrap();
        let kept = tx.lease(Role::Sealer, Lane::Jobs, None, holder, now).await.unwrap().unwrap();
        let waits = Due::late(now, ahead);
        tx.again(&kept, waits, &Words::same("kept")).await.unwrap();
        tx.commit().await.unwrap();
        store.close().await;
        let store = Store::open(place).await.unwrap();
        let mut tx = store.begin().await.unwrap();
        for lane in [Lane::Post, Lane::Jobs] {
            let mut given = Vec::new();
            while let Some(job) = tx.lease(Role::Carrier, lane, None, holder, now).await.unwrap() {
                given.push(job.work);
                tx.finish(job.id).await.unwrap();
            }
            given.sort_unstable();
            assert_eq!(given, ["a", "b"], "{lane:?}");
        }
        assert!(tx.lease(Role::Sealer, Lane::Jobs, None, holder, now).await.unwrap().is_none());
        assert_eq!(tx.earliest(Role::Sealer, Lane::Jobs, None).await.unwrap(), Some(ahead));
        // Said by a clock that was ahead, that too is due.
        let back = now.plus_ms(-2 * AHEAD_MS);
        assert!(tx.lease(Role::Sealer, Lane::Jobs, None, holder, back).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn who_got_work_whose_lease_was_given_up_keeps_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("store.db").to_str().unwrap()).await.unwrap();
        let (agreement, now) = ("mechelen".parse().unwrap(), Time(1));
        let holder = |task| Holder { instance: "i", task, up: 1 };
        let lease = async |tx: &mut Tx, task| {
            tx.lease(Role::Carrier, Lane::Jobs, None, holder(task), now).await.unwrap()
        };
        let mut tx = store.begin().await.unwrap();
        tx.queue(Role::Carrier, Lane::Jobs, &agreement, None, "{}", now).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let given_up = lease(&mut tx, 1).await.unwrap();
        drop(tx);
        // Before the first task says that it could not begin, another one begins.
        let mut tx = store.begin().await.unwrap();
        let got = lease(&mut tx, 2).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        tx.given_up(&given_up, now, &Words::same("not yet")).await.unwrap();
        assert!(lease(&mut tx, 3).await.is_none(), "it is under way at the second task");
        tx.again(&got, now, &Words::same("not yet")).await.unwrap();
        let next = lease(&mut tx, 3).await.unwrap();
        assert_eq!(next.attempts, 2);
        tx.untried(&next, now, &Words::same("it waits")).await.unwrap();
        assert_eq!(lease(&mut tx, 3).await.unwrap().attempts, 2, "that was no attempt");
    }
}
