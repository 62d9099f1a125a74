//! Read-only connections. Each read sees a snapshot, and never waits for a writer.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Transaction};

use super::error::Result;
use super::shared::SharedConnection;
use crate::db;

/// The number of idle connections that are kept open.
const KEPT: usize = 8;

/// The connections of readers.
pub enum Readers {
    /// A pool of their own, for a file.
    Pool { path: PathBuf, idle: Mutex<Vec<Connection>> },
    /// The writer's connection, for a database in memory.
    Writer(SharedConnection),
}

impl Readers {
    /// Makes the readers of a file, or of a database in memory.
    pub fn new(path: Option<&Path>, writer: &SharedConnection) -> Self {
        match path {
            Some(path) => Self::Pool { path: path.to_owned(), idle: Mutex::default() },
            None => Self::Writer(SharedConnection::clone(writer)),
        }
    }

    /// Reads in one transaction.
    pub fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T>) -> Result<T> {
        self.with(|connection| work(&connection.transaction()?))
    }

    /// Reads with one statement.
    pub fn glance<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.with(|connection| work(connection))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
        match self {
            Self::Writer(shared) => work(&mut shared.lock().unwrap_or_else(PoisonError::into_inner)),
            Self::Pool { path, idle } => {
                // A connection whose work panics is not put back.
                let mut connection = take(idle).map_or_else(|| db::open_to_read(path), Ok)?;
                let result = work(&mut connection);
                put_back(idle, connection);
                result
            }
        }
    }
}

fn take(idle: &Mutex<Vec<Connection>>) -> Option<Connection> {
    idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
}

fn put_back(idle: &Mutex<Vec<Connection>>, connection: Connection) {
    let mut idle = idle.lock().unwrap_or_else(PoisonError::into_inner);
    if idle.len() < KEPT {
        idle.push(connection);
    }
}
