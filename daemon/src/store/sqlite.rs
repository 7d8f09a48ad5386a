//! A store in a file, by SQLite.

use sqlx::{Connection, Row};

use super::{Result, Store, StoreError};
use crate::durable::{self, Out};
use crate::files;

impl Store {
    /// SQLite is new enough.
    pub(super) async fn check_sqlite(&self) -> Result<()> {
        let row = sqlx::query("SELECT sqlite_version()").fetch_one(&self.pool).await?;
        let version: String = row.try_get(0)?;
        let parts: Vec<u32> = version.split('.').filter_map(|part| part.parse().ok()).collect();
        if parts.as_slice() < [3, 51, 3].as_slice() {
            return Err(StoreError::OldSqlite(version));
        }
        Ok(())
    }
}

/// Whether a connection that comes back may be used again. A full disk has SQLite roll a transaction back by itself, and the
/// rollback that `sqlx` then asks for fails: it would count that transaction as open for ever, and take what comes after for a
/// part of it, which no commit makes durable.
pub(super) async fn is_out_of_transaction(
    connection: &mut sqlx::AnyConnection,
) -> sqlx::Result<bool> {
    if connection.is_in_transaction() {
        // Whoever left without a commit has a rollback waiting; an answer comes after it.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

/// The URL of an SQLite file and the lock that this process holds on it.
pub(super) fn taken(place: &str) -> Result<(String, Option<Out>)> {
    let failed = |e: std::io::Error| StoreError::Place(place.to_owned(), e);
    let path = std::path::Path::new(place);
    if let Some(folder) = path.parent() {
        files::private_folder(folder).map_err(failed)?;
    }
    durable::keep(path, 0o600).map_err(failed)?;
    let lock = durable::keep(&path.with_extension("lock"), 0o600).map_err(failed)?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| StoreError::Taken(place.to_owned()))?;
    Ok((format!("sqlite://{place}"), Some(lock)))
}
