//! A store on PostgreSQL is taken by one core.

use std::time::Duration;

use sqlx::{Any, Row, Transaction};

use super::{Result, Store, StoreError};

/// Under which name the number stands of the core that took this store last.
const CORE: &str = "core";
/// How often a core that starts asks once more for the lock, and how long it waits between.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

impl Store {
    /// An advisory lock on a connection that is kept for as long as the process lives.
    pub(super) async fn take_postgres(&self, shown: &str) -> Result<()> {
        let mut keeper = self.pool.acquire().await?.detach();
        let sql = "SELECT CASE WHEN pg_try_advisory_lock(5357321) THEN 1 ELSE 0 END";
        // The server may see a moment later that the core before this one is gone.
        for tries in 0.. {
            match sqlx::query(sql).fetch_one(&mut keeper).await?.try_get::<i32, _>(0)? {
                1 => break,
                _ if tries == TRIES => return Err(StoreError::Taken(shown.to_owned())),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        // The connection holds the lock; it ends with the process, or before it with the server: see `is_ours`.
        std::mem::forget(keeper);
        Ok(())
    }

    /// The number by which this core has taken it.
    pub(super) async fn core_number(&self) -> Result<i64> {
        let sql = "INSERT INTO counters (name, value) VALUES ($1, (random() * 9e15)::bigint)
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING value";
        Ok(sqlx::query(sql).bind(CORE).fetch_one(&self.pool).await?.try_get("value")?)
    }
}

/// The lock is that of one connection, and a server that starts anew ends it while the core lives: another core may have
/// taken the store since. It leaves its number, so whoever was before it writes nothing more into it; it waits for what is
/// being written. By chance, and not one more than before: a store that was put back has an older number.
pub(super) async fn is_ours(
    tx: &mut Transaction<'static, Any>,
    core: i64,
    place: &str,
) -> Result<()> {
    let sql = "SELECT value FROM counters WHERE name = $1 FOR SHARE";
    let last: i64 = sqlx::query(sql).bind(CORE).fetch_one(&mut **tx).await?.try_get("value")?;
    if last == core { Ok(()) } else { Err(StoreError::Taken(place.to_owned())) }
}
