//! The database of the server: one connection, one transaction at a time, off the runtime's thread.
//!
//! Several processes may have the same file open. Every write takes the lock first
//! (`BEGIN IMMEDIATE`), so what a transaction reads is still so when it writes.

pub(super) mod agents;
pub(super) mod approvals;
pub(super) mod claims;
pub(super) mod lists;
pub(super) mod messages;
pub(super) mod outbox;
pub(super) mod runs;
mod schema;
pub(super) mod steps;

pub(super) use lists::Page;
pub(super) use schema::IDENTITY;

use std::sync::Arc;

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::Mutex;

/// The database, to be shared.
#[derive(Clone)]
pub(super) struct Database(Arc<Mutex<Connection>>);

/// Why the database did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    /// What SQLite said.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The run is no longer this process's to write: cancelled, deleted, or taken over.
    #[error("the run is no longer held by this process")]
    Lost,
    /// A bug in this program.
    #[error("the database worker panicked")]
    Panicked,
}

/// What a question to the database gives.
pub(super) type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Database {
    /// Takes an open connection.
    pub(super) fn new(connection: Connection) -> Self {
        Self(Arc::new(Mutex::new(connection)))
    }

    /// Reads, in one transaction.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.transact(TransactionBehavior::Deferred, work).await
    }

    /// Writes, in one transaction; it is durable when this returns, and undone on an error.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.transact(TransactionBehavior::Immediate, work).await
    }

    /// Copies the write-ahead log into the file, as far as nobody is in the way.
    pub(super) async fn checkpoint(&self) -> Result<()> {
        let connection = Arc::clone(&self.0).lock_owned().await;
        blocking(move || Ok(connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?)).await
    }

    async fn transact<T: Send + 'static>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut connection = Arc::clone(&self.0).lock_owned().await;
        blocking(move || {
            let transaction = connection.transaction_with_behavior(behavior)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        })
        .await
    }
}

/// Runs work that waits for the disk on a thread of its own. A paused test clock stands still meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Panicked))
}
