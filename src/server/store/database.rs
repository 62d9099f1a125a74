//! The database: one writer, which commits in batches, and a pool of readers.
//!
//! Several processes may have the same file open. Every write transaction begins with the lock (`BEGIN IMMEDIATE`), so
//! what it has read cannot change before it writes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

use super::error::{Result, StoreError};
use super::readers::Readers;
use super::writer::{For, Writer};
use crate::db::{self, DbError};

/// A handle of the database.
#[derive(Clone)]
pub struct Database {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl Database {
    /// Opens a file, or a database in memory that lives as long as this value.
    pub fn open(path: Option<&Path>, identity: db::Identity) -> Result<Self, DbError> {
        let connection = path.map_or_else(|| db::open_in_memory(identity), |path| db::open(path, identity))?;
        let connection = Arc::new(Mutex::new(connection));
        let readers = Readers::new(path, &connection);
        Ok(Self { writer: Arc::new(Writer::new(connection)), readers: Arc::new(readers) })
    }

    /// Reads in one transaction, on a blocking thread.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let readers = Arc::clone(&self.readers);
        blocking(move || readers.read(work)).await
    }

    /// Reads in one transaction on this thread: for a few rows found by an index, where a thread switch would cost more.
    pub fn peek<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.readers.read(work)
    }

    /// Reads with one statement on this thread. A single statement is consistent without a transaction.
    pub fn glance<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.readers.glance(work)
    }

    /// Writes for a request: all or nothing. Returns after the durable commit.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(For::Request, work).await
    }

    /// Writes for this process's own work. Requests have priority in a batch.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(For::Work, work).await
    }

    /// Writes for a new request. Refuses it before `prepare` if the queue is full.
    pub async fn offer<T: Send + 'static, W>(&self, prepare: impl FnOnce() -> W) -> Result<T>
    where
        W: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        if self.writer.is_crowded() { Err(StoreError::Crowded) } else { self.write(prepare()).await }
    }

    /// Copies the write-ahead log into the file, as far as no reader still needs it.
    pub async fn checkpoint(&self) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        blocking(move || writer.with(|connection| Ok(connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?)))
            .await
    }
}

/// Runs work on a blocking thread.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Panicked))
}
