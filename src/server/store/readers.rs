//! Connections that only read: each sees what was committed when it began, and waits for nobody.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Transaction};

use super::error::Result;
use super::shared::SharedConnection;
use crate::db;

/// How many connections are kept open for the next reader.
const KEPT: usize = 8;

/// Where readers get their connections.
pub enum Readers {
    /// They have their own, beside the writer's.
    Pool { path: PathBuf, idle: Mutex<Vec<Connection>> },
    /// A database in memory has only one.
    Writer(SharedConnection),
}

impl Readers {
    /// Readers of a file; without one, of the connection that has all of it.
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
