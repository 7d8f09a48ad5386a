//! The store of one party, opened by its core alone: SQLite by default, PostgreSQL by URL, the same SQL.
//!
//! State, ledger and queued work change together in one transaction. One process writes, one transaction at
//! a time. No secret and no file name is ever in it.

mod asked;
mod epochs;
mod numbers;
mod postgres;
mod queue;
mod said;
mod sqlite;
mod tip;
mod trouble;
mod watched;

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, OnceLock, PoisonError};

pub use asked::Asked;
pub use epochs::{Fate, SetBack};
pub use numbers::Number;
pub use queue::{Due, Holder, JobRow, RENEW, Wakes};
pub use said::Kept;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluis_core::id::{AgreementId, Digest, Time, TransferCode, TransferId};
use sluis_core::statement::{SignatureError, Tip};
use sluis_core::words;
use sluis_core::words::Words;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::{Any, AnyPool, Row, Transaction};
use tip::End;
pub use tip::Sign;
use tokio::sync::{Mutex, OwnedMutexGuard};
pub use watched::Waiting;

use crate::durable::Out;
use crate::faults::at;

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
    /// Somebody else wrote into the ledger.
    #[error(
        "the store: its ledger does not end with entry {0}, as this core left it: somebody else wrote into it. Nothing is done with \
         this store: put a good backup in its place, and keep this one"
    )]
    Changed(u64),
    /// Where the ledger ends cannot be signed.
    #[error("the store: the end of the ledger: {0}")]
    Unsigned(SignatureError),
    /// SQLite before 3.51.3 can lose a WAL.
    #[error("SQLite {0} is too old: 3.51.3 is the first without the WAL-reset fault")]
    OldSqlite(String),
}

impl StoreError {
    /// For people.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Sql(error) => trouble::words(error),
            Self::Row(table) => words!(
                "de databank: een rij van {table} is niet te lezen; zet een back-up terug, of vraag hulp voor u verdergaat",
                "{self}"
            ),
            Self::Taken(place) => words!(
                "de databank {place} is in gebruik door een andere kern: stop die eerst",
                "{self}"
            ),
            Self::Place(place, error) => {
                words!("de databank {place}: {}", "the store {place}: {}"; Words::io(error))
            }
            Self::Changed(number) => words!(
                "de databank: haar logboek eindigt niet met inschrijving {number}, zoals deze kern het achterliet: iemand anders schreef erin. Met deze databank gebeurt niets meer: zet een goede back-up op haar plaats, en bewaar deze",
                "{self}"
            ),
            Self::Unsigned(error) => words!(
                "de databank: het einde van het logboek: {}",
                "the store: the end of the ledger: {}";
                error.words()
            ),
            Self::Stale => words!("de zending is intussen veranderd; kijk opnieuw", "{self}"),
            Self::OldSqlite(version) => words!(
                "SQLite {version} is te oud: 3.51.3 is de eerste zonder de fout met de WAL",
                "{self}"
            ),
        }
    }
}

/// Details of a ledger entry.
#[must_use]
pub fn detail<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

type Result<T> = std::result::Result<T, StoreError>;

/// What a store has. All of it at once: thousands of them are opened in a run of the tests.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS terms (digest TEXT PRIMARY KEY, agreement TEXT NOT NULL, text TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS transfers (
        id TEXT PRIMARY KEY, code TEXT NOT NULL, agreement TEXT NOT NULL, terms TEXT NOT NULL,
        replaces TEXT, created BIGINT NOT NULL,
        state TEXT NOT NULL, data TEXT NOT NULL, open INTEGER NOT NULL, expires BIGINT, changed BIGINT NOT NULL, version BIGINT NOT NULL);
    CREATE UNIQUE INDEX IF NOT EXISTS open_codes ON transfers (code) WHERE open = 1;
    CREATE INDEX IF NOT EXISTS transfers_code ON transfers (code);
    CREATE INDEX IF NOT EXISTS transfers_changed ON transfers (changed);
    CREATE INDEX IF NOT EXISTS transfers_state ON transfers (state);
    CREATE INDEX IF NOT EXISTS transfers_due ON transfers (expires) WHERE open = 1;
    CREATE TABLE IF NOT EXISTS statements (
        issuer TEXT NOT NULL, agreement TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL,
        kind TEXT NOT NULL, transfer TEXT, statement TEXT NOT NULL, signature TEXT NOT NULL,
        entry BIGINT NOT NULL, effect INTEGER NOT NULL, PRIMARY KEY (issuer, agreement, number));
    CREATE INDEX IF NOT EXISTS statements_transfer ON statements (transfer, kind);
    CREATE TABLE IF NOT EXISTS ledger (
        number BIGINT PRIMARY KEY, digest TEXT NOT NULL, transfer TEXT, line TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS tip (
        one INTEGER PRIMARY KEY, number BIGINT NOT NULL, digest TEXT NOT NULL, signatures TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS ledger_transfer ON ledger (transfer);
    CREATE TABLE IF NOT EXISTS jobs (
        id BIGINT PRIMARY KEY, gate TEXT NOT NULL, lane TEXT NOT NULL, agreement TEXT NOT NULL,
        transfer TEXT, work TEXT NOT NULL,
        due BIGINT NOT NULL, attempts BIGINT NOT NULL, holder TEXT, leased BIGINT, granted BIGINT, why TEXT,
        since BIGINT, said BIGINT);
    CREATE TABLE IF NOT EXISTS told (reminder TEXT PRIMARY KEY, at BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS asked (
        verb TEXT NOT NULL, subject TEXT NOT NULL, uid BIGINT NOT NULL, name TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (verb, subject));
    CREATE TABLE IF NOT EXISTS wanted (
        verb TEXT NOT NULL, subject TEXT NOT NULL, word TEXT NOT NULL, PRIMARY KEY (verb, subject));
    CREATE INDEX IF NOT EXISTS statements_agreement ON statements (agreement, entry);
    CREATE INDEX IF NOT EXISTS statements_kind ON statements (agreement, kind, entry);
    CREATE TABLE IF NOT EXISTS rehearsals (transfer TEXT PRIMARY KEY, agreement TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS numbers (
        agreement TEXT NOT NULL, custodian TEXT NOT NULL, used TEXT NOT NULL, next TEXT, confirmed BIGINT, told TEXT,
        behind BIGINT,
        PRIMARY KEY (agreement, custodian));
    CREATE TABLE IF NOT EXISTS tried (
        transfer TEXT NOT NULL, custodian TEXT NOT NULL, number TEXT NOT NULL, PRIMARY KEY (transfer, custodian));
    CREATE TABLE IF NOT EXISTS set_back (
        agreement TEXT PRIMARY KEY, number BIGINT NOT NULL, digest TEXT NOT NULL, since BIGINT NOT NULL);
    CREATE TABLE IF NOT EXISTS epochs (
        agreement TEXT NOT NULL, epoch BIGINT NOT NULL, kept BIGINT NOT NULL, kept_digest TEXT NOT NULL,
        began BIGINT NOT NULL, began_digest TEXT NOT NULL, PRIMARY KEY (agreement, epoch));
    CREATE TABLE IF NOT EXISTS set_back_words (
        digest TEXT PRIMARY KEY, agreement TEXT NOT NULL, word TEXT NOT NULL, signature TEXT NOT NULL,
        at BIGINT NOT NULL, fate TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS contradicted (
        agreement TEXT NOT NULL, number BIGINT NOT NULL, digest TEXT NOT NULL, at BIGINT NOT NULL,
        PRIMARY KEY (agreement, number));
    CREATE INDEX IF NOT EXISTS jobs_due ON jobs (gate, lane, due);
    CREATE INDEX IF NOT EXISTS jobs_transfer ON jobs (transfer);
    CREATE INDEX IF NOT EXISTS jobs_in_order ON jobs (gate, lane, agreement, id);
";

/// How a connection to SQLite writes.
const PRAGMAS: &str =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON";

/// The store.
#[derive(Clone)]
pub struct Store {
    pool: AnyPool,
    /// On PostgreSQL: the number that this core has taken it by, and where it lies, for people.
    postgres: Option<(i64, Arc<str>)>,
    /// Who holds it writes; whether the connection to SQLite makes each commit durable.
    writer: Arc<Mutex<bool>>,
    lock: Option<Arc<Out>>,
    /// Signs where the ledger ends; nothing before its party is known.
    sign: Arc<OnceLock<Sign>>,
    end: End,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store(..)")
    }
}

/// One transaction. Dropped without [`Tx::commit`], it changes nothing.
pub struct Tx {
    tx: Transaction<'static, Any>,
    _turn: OwnedMutexGuard<bool>,
    /// Who looks for work again once it is durable.
    pub(crate) wakes: Wakes,
    /// Where the ledger ends by what was entered in it.
    entered: Option<Tip>,
    sign: Arc<OnceLock<Sign>>,
    end: End,
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
    /// The transfer that took its place, where one did.
    fn replaced_by(&self) -> Option<TransferId> {
        None
    }
}

impl Store {
    /// Opens the store and takes it: a second core on the same store is refused.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open(place: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let postgres = place.contains("://");
        let (url, lock) = if postgres { (place.to_owned(), None) } else { sqlite::taken(place)? };
        let pool = AnyPoolOptions::new()
            .max_connections(if postgres { 4 } else { 1 })
            // A connection to a file does not break.
            .test_before_acquire(postgres)
            .acquire_timeout(std::time::Duration::from_secs(20))
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if !postgres {
                        sqlx::raw_sql(PRAGMAS).execute(&mut *connection).await?;
                    }
                    Ok(())
                })
            })
            .after_release(|connection, _| Box::pin(sqlite::is_out_of_transaction(connection)))
            .connect(&url)
            .await?;
        let writer = Arc::new(Mutex::new(true));
        let mut store = Self {
            pool,
            postgres: None,
            writer,
            lock: lock.map(Arc::new),
            sign: Arc::default(),
            end: End::default(),
        };
        if !postgres {
            store.check_sqlite().await?;
            store.make_tables().await?;
            return Ok(store);
        }
        let shown: Arc<str> = place.rsplit('@').next().unwrap_or_default().into();
        store.take_postgres(&shown).await?;
        store.make_tables().await?;
        store.postgres = Some((store.core_number().await?, shown));
        Ok(store)
    }

    async fn make_tables(&self) -> Result<()> {
        sqlx::raw_sql(SCHEMA).execute(&self.pool).await?;
        Ok(())
    }

    /// Ends it. A pool that is only dropped closes its connections later, on threads of their own: who opens the same file
    /// in the same process may still find it locked by them. So too with the lock of this process, which a child has as well
    /// from its fork until it is another program.
    pub async fn close(self) {
        self.pool.close().await;
        if let Some(lock) = self.lock {
            // One that cannot be lifted ends with its last holder.
            let _ = rustix::fs::flock(&*lock, rustix::fs::FlockOperation::Unlock);
        }
    }

    /// Begins a transaction; there is one at a time.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn begin(&self) -> Result<Tx> {
        self.begin_as(true).await
    }

    /// Begins one that a power cut may undo as long as no other was committed after it; a kill undoes nothing. For what
    /// is true only while this machine runs, or is done again without harm: a lease, the end of one.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn begin_unsynced(&self) -> Result<Tx> {
        self.begin_as(false).await
    }

    async fn begin_as(&self, synced: bool) -> Result<Tx> {
        let mut turn = Arc::clone(&self.writer).lock_owned().await;
        if self.postgres.is_none() && *turn != synced {
            // Whoever is cut off in between leaves it said to be less than it is.
            *turn = false;
            let level = if synced { "FULL" } else { "NORMAL" };
            let sql = sqlx::AssertSqlSafe(format!("PRAGMA synchronous = {level}"));
            sqlx::raw_sql(sql).execute(&self.pool).await?;
            *turn = synced;
        }
        let mut tx = self.pool.begin().await?;
        if let Some((core, place)) = &self.postgres {
            postgres::is_ours(&mut tx, *core, place).await?;
            if !synced {
                sqlx::query("SET LOCAL synchronous_commit = off").execute(&mut *tx).await?;
            }
        }
        let (sign, end) = (Arc::clone(&self.sign), Arc::clone(&self.end));
        Ok(Tx { tx, _turn: turn, wakes: Wakes::default(), entered: None, sign, end })
    }
}

impl Tx {
    /// Makes it durable.
    ///
    /// # Errors
    /// [`StoreError::Sql`]: then nothing of it is, or all of it, and only the store knows. Who did something for it on a
    /// disk asks the store what counts before it is undone.
    #[track_caller]
    pub fn commit(mut self) -> impl Future<Output = Result<()>> + Send {
        let line = Location::caller();
        async move {
            self.sign_tip().await?;
            at(line, "commit").map_err(sqlx::Error::Io)?;
            let (entered, end) = (self.entered, Arc::clone(&self.end));
            self.tx.commit().await?;
            if entered.is_some() {
                *end.lock().unwrap_or_else(PoisonError::into_inner) = entered;
            }
            Ok(at(line, "committed").map_err(sqlx::Error::Io)?)
        }
    }

    /// Keeps an agreement's text for as long as transfers rest on it. `true`: it was not here before.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn keep_terms(
        &mut self,
        digest: &Digest,
        agreement: &AgreementId,
        text: &str,
    ) -> Result<bool> {
        let kept = sqlx::query("INSERT INTO terms (digest, agreement, text) VALUES ($1, $2, $3) ON CONFLICT (digest) DO NOTHING")
            .bind(digest.to_string())
            .bind(agreement.to_string())
            .bind(text)
            .execute(&mut *self.tx)
            .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// The texts of every version of an agreement that was ever in use here.
    ///
    /// # Errors
    /// [`StoreError::Sql`].
    pub async fn versions(&mut self, agreement: &AgreementId) -> Result<Vec<String>> {
        let rows = sqlx::query("SELECT text FROM terms WHERE agreement = $1")
            .bind(agreement.to_string())
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
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

    /// Writes a transfer, new or changed: a compare-and-set on what was read. Its end may come earlier, never later.
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
             SET state = $7, data = $8, open = $9, changed = $11, version = $12,
                 expires = CASE WHEN transfers.expires < $10 THEN transfers.expires ELSE $10 END
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

    /// The same under one agreement.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn recent_under<S: Stored>(
        &mut self,
        agreement: &AgreementId,
        limit: i64,
    ) -> Result<Vec<Record<S>>> {
        let rows = sqlx::query(
            "SELECT * FROM transfers WHERE agreement = $1 ORDER BY open DESC, changed DESC LIMIT $2",
        )
        .bind(agreement.as_str())
        .bind(limit)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(record).collect()
    }

    /// The transfers whose clocks run: the open ones, the oldest first, and those that changed last; at most `limit`
    /// of either.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn clocked<S: Stored>(&mut self, limit: i64) -> Result<Vec<Record<S>>> {
        let mut all = Vec::new();
        for which in [
            "SELECT * FROM transfers WHERE open = 1 ORDER BY created LIMIT $1",
            "SELECT * FROM transfers WHERE open = 0 ORDER BY changed DESC LIMIT $1",
        ] {
            let rows = sqlx::query(which).bind(limit).fetch_all(&mut *self.tx).await?;
            all.extend(rows.iter().map(record).collect::<Result<Vec<_>>>()?);
        }
        Ok(all)
    }

    /// The transfers in this state, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn in_state<S: Stored>(&mut self, state: &str, limit: i64) -> Result<Vec<Record<S>>> {
        let rows =
            sqlx::query("SELECT * FROM transfers WHERE state = $1 ORDER BY created LIMIT $2")
                .bind(state)
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

    /// The transfers under an agreement that are not over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn open_under<S: Stored>(
        &mut self,
        agreement: &AgreementId,
    ) -> Result<Vec<Record<S>>> {
        let rows = sqlx::query("SELECT * FROM transfers WHERE open = 1 AND agreement = $1")
            .bind(agreement.to_string())
            .fetch_all(&mut *self.tx)
            .await?;
        rows.iter().map(record).collect()
    }

    /// The agreements under which some transfer is not over.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn with_open_transfers(&mut self) -> Result<Vec<AgreementId>> {
        let sql = "SELECT DISTINCT agreement FROM transfers WHERE open = 1";
        let rows = sqlx::query(sql).fetch_all(&mut *self.tx).await?;
        rows.iter().map(|row| text(row, "agreement", "transfers")).collect()
    }

    /// Whether an open transfer goes by this code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_taken(&mut self, code: &TransferCode) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM transfers WHERE code = $1 AND open = 1")
            .bind(code.to_string())
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
    }

    /// Whether a transfer in this state goes by this code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_called(&mut self, code: &TransferCode, state: &str) -> Result<bool> {
        let row = sqlx::query("SELECT id FROM transfers WHERE code = $1 AND state = $2 LIMIT 1")
            .bind(code.to_string())
            .bind(state)
            .fetch_optional(&mut *self.tx)
            .await?;
        Ok(row.is_some())
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
}

/// Counters stay far below 2^63.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn text<T: std::str::FromStr>(row: &AnyRow, column: &str, table: &'static str) -> Result<T> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_| StoreError::Row(table))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_takes_no_later_one_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("store.db");
        let store = Store::open(place.to_str().unwrap()).await.unwrap();
        // As SQLite does where the disk is full.
        let mut tx = store.begin().await.unwrap();
        sqlx::query("ROLLBACK").execute(&mut *tx.tx).await.unwrap();
        drop(tx);
        let mut tx = store.begin_unsynced().await.unwrap();
        tx.set_number("left", 1).await.unwrap();
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        tx.set_number("kept", 2).await.unwrap();
        tx.commit().await.unwrap();
        // What was committed is there for whoever opens the file.
        let url = format!("sqlite://{}", place.display());
        let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
        let sql = "SELECT COUNT(*) FROM counters WHERE name IN ('left', 'kept')";
        let found: i64 = sqlx::query(sql).fetch_one(&mut other).await.unwrap().try_get(0).unwrap();
        assert_eq!(found, 1);
    }
}
