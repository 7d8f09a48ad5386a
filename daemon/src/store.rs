//! The store of one party, opened by its core alone: SQLite by default, PostgreSQL by URL, the same SQL.
//!
//! State, ledger and queued work change together in one transaction. One process writes, one transaction at
//! a time. No secret and no file name is ever in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sluis_core::evidence::Verified;
use sluis_core::id::{AgreementId, Digest, PartyId, Time, TransferCode, TransferId};
use sluis_core::ledger::Entry;
use sluis_core::statement::{Signed, Tip};
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, Row, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// What went wrong with the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error("the store: {0}")]
    Sql(#[from] sqlx::Error),
    /// A row does not hold what it should.
    #[error(
        "the store: a row of {0} cannot be read; restore a backup, or ask for help before going on"
    )]
    Row(&'static str),
    /// Another core has it.
    #[error("the store {0} is in use by another core: stop that one first")]
    Taken(String),
    /// It lies where it cannot be opened.
    #[error("the store {0}: {1}")]
    Place(String, std::io::Error),
    /// Somebody else changed the transfer since it was read: look again.
    #[error("the transfer has changed meanwhile; look again")]
    Stale,
    /// SQLite before 3.51.3 can lose a WAL.
    #[error("SQLite {0} is too old: 3.51.3 is the first without the WAL-reset fault")]
    OldSqlite(String),
}

type Result<T> = std::result::Result<T, StoreError>;

const SCHEMA: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS terms (digest TEXT PRIMARY KEY, agreement TEXT NOT NULL, text TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS transfers (
        id TEXT PRIMARY KEY, code TEXT NOT NULL, agreement TEXT NOT NULL, terms TEXT NOT NULL,
        replaces TEXT, created BIGINT NOT NULL,
        state TEXT NOT NULL, data TEXT NOT NULL, open INTEGER NOT NULL, expires BIGINT, changed BIGINT NOT NULL, version BIGINT NOT NULL)",
    "CREATE UNIQUE INDEX IF NOT EXISTS open_codes ON transfers (code) WHERE open = 1",
    "CREATE INDEX IF NOT EXISTS transfers_changed ON transfers (changed)",
    "CREATE INDEX IF NOT EXISTS transfers_due ON transfers (expires) WHERE open = 1",
    "CREATE TABLE IF NOT EXISTS statements (
        issuer TEXT NOT NULL, agreement TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL,
        kind TEXT NOT NULL, transfer TEXT, statement TEXT NOT NULL, signature TEXT NOT NULL,
        entry BIGINT NOT NULL, effect INTEGER NOT NULL, PRIMARY KEY (issuer, agreement, number))",
    "CREATE INDEX IF NOT EXISTS statements_transfer ON statements (transfer, kind)",
    "CREATE TABLE IF NOT EXISTS ledger (
        number BIGINT PRIMARY KEY, digest TEXT NOT NULL, transfer TEXT, line TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS ledger_transfer ON ledger (transfer)",
    "CREATE TABLE IF NOT EXISTS jobs (
        id BIGINT PRIMARY KEY, gate TEXT NOT NULL, lane TEXT NOT NULL, agreement TEXT NOT NULL,
        transfer TEXT, work TEXT NOT NULL,
        due BIGINT NOT NULL, attempts BIGINT NOT NULL, holder TEXT, leased BIGINT, why TEXT)",
    "CREATE INDEX IF NOT EXISTS jobs_due ON jobs (gate, lane, due)",
];

/// The store.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    writer: Arc<Mutex<()>>,
    _lock: Option<Arc<File>>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(..)")
    }
}

/// One transaction. Dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    tx: Transaction<'static, Any>,
    _turn: OwnedMutexGuard<()>,
}

/// A transfer as it is stored; `S` is the state of this side.
#[derive(Debug, Clone)]
pub struct Record<S> {
    /// Its id.
    pub id: TransferId,
    /// Its code.
    pub code: TransferCode,
    /// Its agreement.
    pub agreement: AgreementId,
    /// Digest of the agreement file under which it began.
    pub terms: Digest,
    /// The transfer it redelivers.
    pub replaces: Option<TransferId>,
    /// When it began.
    pub created: Time,
    /// Where it stands.
    pub state: S,
    /// When that changed.
    pub changed: Time,
    /// Counts its changes; 0 before it is first written.
    pub version: i64,
}

/// What the store needs to know of a state.
pub trait Stored: Serialize + DeserializeOwned + Send + Sync {
    /// Its name.
    fn name(&self) -> &'static str;
    /// Whether its code is in use and its clock runs.
    fn is_open(&self) -> bool;
    /// When it expires, where it does.
    fn expires(&self) -> Option<Time>;
}

/// Queued work.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its number.
    pub id: i64,
    /// Which role does it.
    pub gate: String,
    /// In which queue it waits: `jobs` or `post`.
    pub lane: String,
    /// Under which agreement.
    pub agreement: AgreementId,
    /// For which transfer.
    pub transfer: Option<TransferId>,
    /// What, as JSON of the side's own type.
    pub work: String,
    /// How often it was tried.
    pub attempts: i64,
}

/// How long a lease lasts unless it is renewed.
const LEASE_MS: i64 = 90_000;

impl Store {
    /// Opens the store and takes it: a second core on the same store is refused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(place: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let postgres = place.contains("://");
        let (url, lock) = if postgres { (place.to_owned(), None) } else { sqlite(place)? };
        let pool = AnyPoolOptions::new()
            .max_connections(if postgres { 4 } else { 1 })
            .acquire_timeout(std::time::Duration::from_secs(20))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !postgres {
                        for pragma in
                            ["journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"]
                        {
                            let sql = sqlx::AssertSqlSafe(format!("PRAGMA {pragma}"));
                            sqlx::query(sql).execute(&mut *connection).await?;
                        }
                    }
                    Ok(())
                })
            })
            .connect(&url)
            .await?;
        let store = Self { pool, writer: Arc::default(), _lock: lock.map(Arc::new) };
        if postgres {
            store.take_postgres(place).await?;
        } else {
            store.check_sqlite().await?;
        }
        for statement in SCHEMA {
            sqlx::query(*statement).execute(&store.pool).await?;
        }
        Ok(store)
    }

    /// An advisory lock on a connection that is kept for as long as the process lives.
    async fn take_postgres(&self, place: &str) -> Result<()> {
        let mut keeper = self.pool.acquire().await?.detach();
        let sql = "SELECT CASE WHEN pg_try_advisory_lock(5357321) THEN 1 ELSE 0 END";
        let taken: i32 = sqlx::query(sql).fetch_one(&mut keeper).await?.try_get(0)?;
        let shown = place.rsplit('@').next().unwrap_or_default().to_owned();
        if taken != 1 {
            return Err(StoreError::Taken(shown));
        }
        // The connection holds the lock; it ends with the process.
        std::mem::forget(keeper);
        Ok(())
    }

    async fn check_sqlite(&self) -> Result<()> {
        let row = sqlx::query("SELECT sqlite_version()").fetch_one(&self.pool).await?;
        let version: String = row.try_get(0)?;
        let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
        if parts.as_slice() < [3, 51, 3].as_slice() {
            return Err(StoreError::OldSqlite(version));
        }
        Ok(())
    }

    /// Begins a transaction; there is one at a time.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn begin(&self) -> Result<Tx> {
        let turn = Arc::clone(&self.writer).lock_owned().await;
        Ok(Tx { tx: self.pool.begin().await?, _turn: turn })
    }
}

/// The URL of an SQLite file and the lock that this process holds on it.
fn sqlite(place: &str) -> Result<(String, Option<File>)> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    let failed = |e: std::io::Error| StoreError::Place(place.to_owned(), e);
    let path = std::path::Path::new(place);
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true).mode(0o600);
    options.open(path).map_err(failed)?;
    let lock = options.open(path.with_extension("lock")).map_err(failed)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| StoreError::Taken(place.to_owned()))?;
    Ok((format!("sqlite://{place}"), Some(lock)))
}

impl Tx {
    /// Makes it durable.
    ///
    /// # Errors
    /// [`StoreError::Sql`]; then nothing of it is.
    pub async fn commit(self) -> Result<()> {
        Ok(self.tx.commit().await?)
    }

    /// Keeps an agreement's text for as long as transfers rest on it.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn keep_terms(
        &mut self,
        digest: &Digest,
        agreement: &AgreementId,
        text: &str,
    ) -> Result<()> {
        sqlx::query("INSERT INTO terms (digest, agreement, text) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING")
            .bind(digest.to_string())
            .bind(agreement.to_string())
            .bind(text)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The text of the agreement with this digest.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn terms(&mut self, digest: &Digest) -> Result<Option<String>> {
        let row = sqlx::query("SELECT text FROM terms WHERE digest = $1")
            .bind(digest.to_string())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.map(|row| Ok(row.try_get(0)?)).transpose()
    }

    /// Writes a transfer, new or changed: a compare-and-set on what was read.
    ///
    /// # Errors
    /// [`StoreError::Stale`] where it was changed since.
    pub async fn put<S: Stored>(&mut self, record: &mut Record<S>) -> Result<()> {
        let data =
            serde_json::to_string(&record.state).map_err(|_| StoreError::Row("transfers"))?;
        let written = sqlx::query(
            "INSERT INTO transfers
                 (id, code, agreement, terms, replaces, created, state, data, open, expires, changed, version)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (id) DO UPDATE
             SET state = $7, data = $8, open = $9, expires = $10, changed = $11, version = $12
             WHERE transfers.version = $13",
        )
        .bind(record.id.to_string())
        .bind(record.code.to_string())
        .bind(record.agreement.to_string())
        .bind(record.terms.to_string())
        .bind(record.replaces.map(|id| id.to_string()))
        .bind(record.created.0)
        .bind(record.state.name())
        .bind(data)
        .bind(i32::from(record.state.is_open()))
        .bind(record.state.expires().map(|time| time.0))
        .bind(record.changed.0)
        .bind(record.version + 1)
        .bind(record.version)
        .execute(&mut *self.tx)
        .await?;
        if written.rows_affected() != 1 {
            return Err(StoreError::Stale);
        }
        record.version += 1;
        Ok(())
    }

    /// The transfer with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn transfer<S: Stored>(&mut self, id: &TransferId) -> Result<Option<Record<S>>> {
        let row = sqlx::query("SELECT * FROM transfers WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// The transfer that goes by this code now, or went by it last.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn by_code<S: Stored>(&mut self, code: &TransferCode) -> Result<Option<Record<S>>> {
        let row = sqlx::query(
            "SELECT * FROM transfers WHERE code = $1 ORDER BY open DESC, created DESC LIMIT 1",
        )
        .bind(code.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(record).transpose()
    }

    /// The transfers that changed last, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent<S: Stored>(&mut self, limit: i64) -> Result<Vec<Record<S>>> {
        let rows = sqlx::query("SELECT * FROM transfers ORDER BY open DESC, changed DESC LIMIT $1")
            .bind(limit)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The open transfers whose time is over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn expired(&mut self, now: Time) -> Result<Vec<TransferId>> {
        let rows = sqlx::query("SELECT id FROM transfers WHERE open = 1 AND expires <= $1")
            .bind(now.0)
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(|row| text(row, "id", "transfers")).collect()
    }

    /// The codes of all open transfers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_codes(&mut self) -> Result<Vec<TransferCode>> {
        let rows = sqlx::query("SELECT code FROM transfers WHERE open = 1")
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(|row| text(row, "code", "transfers")).collect()
    }

    /// The head of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn head(&mut self) -> Result<Tip> {
        let row = sqlx::query("SELECT number, digest FROM ledger ORDER BY number DESC LIMIT 1")
            .fetch_optional(&mut *self.tx)
            .await?;
        row.as_ref().map_or_else(|| Ok(Tip::start()), |row| tip(row, "ledger"))
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn enter(
        &mut self,
        now: Time,
        kind: &str,
        transfer: Option<TransferId>,
        detail: BTreeMap<String, String>,
    ) -> Result<u64> {
        let head = self.head().await?;
        let number = head.number + 1;
        let entry = Entry {
            number,
            previous: head.digest,
            time: now,
            kind: kind.to_owned(),
            transfer,
            detail,
        };
        let bad = |_| StoreError::Row("ledger");
        sqlx::query("INSERT INTO ledger (number, digest, transfer, line) VALUES ($1, $2, $3, $4)")
            .bind(signed(number))
            .bind(entry.tip().map_err(bad)?.digest.to_string())
            .bind(transfer.map(|id| id.to_string()))
            .bind(entry.line().map_err(bad)?)
            .execute(&mut *self.tx)
            .await?;
        Ok(number)
    }

    /// Lines of the ledger after this number, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger(&mut self, after: u64, limit: i64) -> Result<Vec<String>> {
        let rows =
            sqlx::query("SELECT line FROM ledger WHERE number > $1 ORDER BY number LIMIT $2")
                .bind(signed(after))
                .bind(limit)
                .fetch_all(&mut *self.tx)
                .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// The entries about a transfer.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn timeline(&mut self, transfer: &TransferId) -> Result<Vec<Entry>> {
        let rows =
            sqlx::query("SELECT line FROM ledger WHERE transfer = $1 ORDER BY number LIMIT 1000")
                .bind(transfer.to_string())
                .fetch_all(&mut *self.tx)
                .await?;
        let entry = |row: &AnyRow| {
            let line: String = row.try_get(0)?;
            serde_json::from_str(&line).map_err(|_| StoreError::Row("ledger"))
        };
        rows.iter().map(entry).collect()
    }

    /// The last statement of a party under an agreement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn last_statement(
        &mut self,
        issuer: &PartyId,
        agreement: &AgreementId,
    ) -> Result<Tip> {
        let row = sqlx::query(
            "SELECT number, digest FROM statements WHERE issuer = $1 AND agreement = $2 ORDER BY number DESC LIMIT 1",
        )
        .bind(issuer.to_string())
        .bind(agreement.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map_or_else(|| Ok(Tip::start()), |row| tip(row, "statements"))
    }

    /// Keeps a statement to the byte, and enters it into the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn keep_statement(&mut self, now: Time, verified: &Verified) -> Result<()> {
        let header = &verified.statement().header;
        let kind = verified.statement().body.kind();
        let detail = [
            ("issuer", header.issuer.to_string()),
            ("agreement", header.agreement.to_string()),
            ("kind", kind.to_owned()),
            ("number", header.number.to_string()),
            ("digest", verified.digest().to_string()),
        ];
        let detail = detail.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        let entry = self.enter(now, "statement", header.transfer, detail).await?;
        sqlx::query(
            "INSERT INTO statements
                 (issuer, agreement, number, digest, kind, transfer, statement, signature, entry, effect)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1)",
        )
        .bind(header.issuer.to_string())
        .bind(header.agreement.to_string())
        .bind(signed(header.number))
        .bind(verified.digest().to_string())
        .bind(kind)
        .bind(header.transfer.map(|id| id.to_string()))
        .bind(verified.signed().statement.as_str())
        .bind(verified.signed().signature.as_str())
        .bind(signed(entry))
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// A statement that is kept but has no effect is never taken for evidence.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn without_effect(&mut self, digest: &Digest) -> Result<()> {
        sqlx::query("UPDATE statements SET effect = 0 WHERE digest = $1")
            .bind(digest.to_string())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The statement of this kind that this party made about a transfer and that had an effect: the last one.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statement(
        &mut self,
        transfer: &TransferId,
        kind: &str,
        issuer: &PartyId,
    ) -> Result<Option<Signed>> {
        let row = sqlx::query(
            "SELECT statement, signature FROM statements
             WHERE transfer = $1 AND kind = $2 AND issuer = $3 AND effect = 1 ORDER BY entry DESC LIMIT 1",
        )
        .bind(transfer.to_string())
        .bind(kind)
        .bind(issuer.to_string())
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(as_signed).transpose()
    }

    /// All statements about a transfer, in the order of the ledger.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn statements(&mut self, transfer: &TransferId) -> Result<Vec<Signed>> {
        let rows = sqlx::query(
            "SELECT statement, signature FROM statements WHERE transfer = $1 ORDER BY entry",
        )
        .bind(transfer.to_string())
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(as_signed).collect()
    }

    /// Queues work.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn queue(
        &mut self,
        gate: &str,
        lane: &str,
        agreement: &AgreementId,
        transfer: Option<TransferId>,
        work: &str,
        due: Time,
    ) -> Result<()> {
        let id = self.count("jobs").await?;
        sqlx::query(
            "INSERT INTO jobs (id, gate, lane, agreement, transfer, work, due, attempts)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        )
        .bind(id)
        .bind(gate)
        .bind(lane)
        .bind(agreement.to_string())
        .bind(transfer.map(|id| id.to_string()))
        .bind(work)
        .bind(due.0)
        .execute(&mut *self.tx)
        .await?;
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

    /// Leases due work to `holder`. In the lane `post` only the first letter of an agreement is ever due.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn lease(
        &mut self,
        gate: &str,
        lane: &str,
        agreement: Option<&AgreementId>,
        holder: &str,
        now: Time,
    ) -> Result<Option<JobRow>> {
        // Every agreement has a name, so the pattern of "any" is never one of them.
        let agreement = agreement.map_or_else(|| "*".to_owned(), ToString::to_string);
        let row = sqlx::query(
            "UPDATE jobs SET holder = $4, leased = $5, attempts = attempts + 1 WHERE id = (
                 SELECT id FROM jobs AS j
                 WHERE gate = $1 AND lane = $2 AND ($3 = '*' OR agreement = $3) AND due <= $6
                   AND (holder IS NULL OR holder <> $4 OR leased < $7)
                   AND (lane <> 'post' OR NOT EXISTS (
                        SELECT 1 FROM jobs AS e WHERE e.gate = j.gate AND e.lane = 'post'
                          AND e.agreement = j.agreement AND e.id < j.id))
                 ORDER BY due, id LIMIT 1)
             RETURNING id, gate, lane, agreement, transfer, work, attempts",
        )
        .bind(gate)
        .bind(lane)
        .bind(agreement)
        .bind(holder)
        .bind(now.0)
        .bind(now.0)
        .bind(now.0 - LEASE_MS)
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
            "SELECT id, gate, lane, agreement, transfer, work, attempts FROM jobs WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&mut *self.tx)
        .await?;
        row.as_ref().map(job).transpose()
    }

    /// Renews the lease on a transfer's running work: bytes are moving.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn renew(&mut self, transfer: &TransferId, now: Time) -> Result<()> {
        sqlx::query("UPDATE jobs SET leased = $1 WHERE transfer = $2 AND holder IS NOT NULL")
            .bind(now.0)
            .bind(transfer.to_string())
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The work is done.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn finish(&mut self, id: i64) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE id = $1").bind(id).execute(&mut *self.tx).await?;
        Ok(())
    }

    /// All work of these gates for a transfer is void.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn void(&mut self, transfer: &TransferId, gate: &str) -> Result<()> {
        sqlx::query("DELETE FROM jobs WHERE transfer = $1 AND gate = $2 AND lane = 'jobs'")
            .bind(transfer.to_string())
            .bind(gate)
            .execute(&mut *self.tx)
            .await?;
        Ok(())
    }

    /// The work is to be tried again, not before `due`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn again(&mut self, id: i64, due: Time, why: &str) -> Result<()> {
        sqlx::query(
            "UPDATE jobs SET holder = NULL, leased = NULL, due = $2, why = $3 WHERE id = $1",
        )
        .bind(id)
        .bind(due.0)
        .bind(why.chars().take(300).collect::<String>())
        .execute(&mut *self.tx)
        .await?;
        Ok(())
    }

    /// Why work for this transfer waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn waiting(&mut self, transfer: &TransferId) -> Result<Vec<String>> {
        let rows =
            sqlx::query("SELECT gate, attempts, why FROM jobs WHERE transfer = $1 ORDER BY id")
                .bind(transfer.to_string())
                .fetch_all(&mut *self.tx)
                .await?;
        let line = |row: &AnyRow| {
            let (gate, attempts): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
            let why: Option<String> = row.try_get(2)?;
            Ok(match why {
                Some(why) => format!("{gate}: {why} (tried {attempts} times)"),
                None => format!("{gate}: under way"),
            })
        };
        rows.iter().map(line).collect()
    }

    /// When the earliest work that [`Tx::lease`] would give is due, if any waits.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn earliest(
        &mut self,
        gate: &str,
        lane: &str,
        agreement: Option<&AgreementId>,
    ) -> Result<Option<Time>> {
        let agreement = agreement.map_or_else(|| "*".to_owned(), ToString::to_string);
        let row = sqlx::query(
            "SELECT MIN(due) FROM jobs AS j
             WHERE gate = $1 AND lane = $2 AND ($3 = '*' OR agreement = $3) AND holder IS NULL
               AND (lane <> 'post' OR NOT EXISTS (
                    SELECT 1 FROM jobs AS e WHERE e.gate = j.gate AND e.lane = 'post'
                      AND e.agreement = j.agreement AND e.id < j.id))",
        )
        .bind(gate)
        .bind(lane)
        .bind(agreement)
        .fetch_one(&mut *self.tx)
        .await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Time))
    }
}

/// Counters stay far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn text<T: std::str::FromStr>(row: &AnyRow, column: &str, table: &'static str) -> Result<T> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Row(table))
}

fn tip(row: &AnyRow, table: &'static str) -> Result<Tip> {
    let number: i64 = row.try_get("number")?;
    let number = u64::try_from(number).map_err(|_| StoreError::Row(table))?;
    Ok(Tip { number, digest: text(row, "digest", table)? })
}

fn as_signed(row: &AnyRow) -> Result<Signed> {
    Ok(Signed { statement: row.try_get(0)?, signature: row.try_get(1)? })
}

fn optional_id(row: &AnyRow, column: &str, table: &'static str) -> Result<Option<TransferId>> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|_| StoreError::Row(table))).transpose()
}

fn record<S: Stored>(row: &AnyRow) -> Result<Record<S>> {
    const TABLE: &str = "transfers";
    let data: String = row.try_get("data")?;
    Ok(Record {
        id: text(row, "id", TABLE)?,
        code: text(row, "code", TABLE)?,
        agreement: text(row, "agreement", TABLE)?,
        terms: text(row, "terms", TABLE)?,
        replaces: optional_id(row, "replaces", TABLE)?,
        created: Time(row.try_get("created")?),
        state: serde_json::from_str(&data).map_err(|_| StoreError::Row(TABLE))?,
        changed: Time(row.try_get("changed")?),
        version: row.try_get("version")?,
    })
}

fn job(row: &AnyRow) -> Result<JobRow> {
    const TABLE: &str = "jobs";
    Ok(JobRow {
        id: row.try_get("id")?,
        gate: row.try_get("gate")?,
        lane: row.try_get("lane")?,
        agreement: text(row, "agreement", TABLE)?,
        transfer: optional_id(row, "transfer", TABLE)?,
        work: row.try_get("work")?,
        attempts: row.try_get("attempts")?,
    })
}
