//! One database: a writer that commits together what waits together, and readers beside it.
//!
//! Several processes may have the same file open. Every write takes the lock first
//! (`BEGIN IMMEDIATE`), so what a transaction reads is still so when it writes.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

use super::error::{Result, StoreError};
use super::readers::Readers;
use super::writer::{For, Writer};
use crate::db::{self, DbError};

/// The database, to be shared.
#[derive(Clone)]
pub struct Database {
    writer: Arc<Writer>,
    readers: Arc<Readers>,
}

impl Database {
    /// Opens the database of a file, or one that lives in memory as long as this value.
    pub fn open(path: Option<&Path>, identity: db::Identity) -> Result<Self, DbError> {
        let connection = path.map_or_else(|| db::open_in_memory(identity), |path| db::open(path, identity))?;
        let connection = Arc::new(Mutex::new(connection));
        let readers = Readers::new(path, &connection);
        Ok(Self { writer: Arc::new(Writer::new(connection)), readers: Arc::new(readers) })
    }

    /// Reads, in one transaction, on a thread that may wait for the disk.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let readers = Arc::clone(&self.readers);
        blocking(move || readers.read(work)).await
    }

    /// Reads on this very thread: for a few rows that an index finds, where changing threads would cost more.
    pub fn peek<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.readers.read(work)
    }

    /// Reads one thing on this very thread. One statement sees one state by itself, and needs no transaction.
    pub fn glance<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.readers.glance(work)
    }

    /// Writes: all of it or, on an error, nothing. It is durable when this returns.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(For::Request, work).await
    }

    /// The same for this process's own work, which lets those pass who wait for an answer.
    pub async fn work<T: Send + 'static>(
        &self,
        work: impl FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.writer.write(For::Work, work).await
    }

    /// The same for strangers, who are turned away while too much waits, before anything is prepared for them.
    pub async fn offer<T: Send + 'static, W>(&self, prepare: impl FnOnce() -> W) -> Result<T>
    where
        W: FnMut(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        if self.writer.is_crowded() { Err(StoreError::Crowded) } else { self.write(prepare()).await }
    }

    /// Copies the write-ahead log into the file, as far as nobody is in the way.
    pub async fn checkpoint(&self) -> Result<()> {
        let writer = Arc::clone(&self.writer);
        blocking(move || writer.with(|connection| Ok(connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)")?)))
            .await
    }
}

/// Runs work that waits for the disk on a thread of its own. A paused test clock stands still meanwhile.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Panicked))
}
