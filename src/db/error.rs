//! The errors of opening a database, by what the user can do about them.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The file or its directory cannot be written.
    #[error("cannot write {}", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file belongs to another program.
    #[error("{} is not a database of this program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by another version of this program.
    #[error("{} has version {found} of the tables, and this program has version {known}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The error of SQLite.
        source: rusqlite::Error,
    },
    /// Any other error of SQLite.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Its error.
        source: rusqlite::Error,
    },
    /// Any other error of the system.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
}

/// Whether SQLite gave up waiting for a lock.
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether the disk is full.
pub fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Classifies an error of SQLite.
pub(super) fn classify(path: &Path, source: rusqlite::Error) -> DbError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => DbError::Foreign { path },
        Some(ErrorCode::DatabaseCorrupt) => DbError::Corrupt { path, source },
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::PermissionDenied
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure,
        ) => DbError::NotWritable { path, source: source.into() },
        _ => DbError::Sqlite { path, source },
    }
}

/// Classifies an error of the system.
pub(super) fn io_error(path: &Path, source: io::Error) -> DbError {
    use io::ErrorKind::{AlreadyExists, NotADirectory, NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
    let path = path.to_owned();
    match source.kind() {
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | NotFound | AlreadyExists | StorageFull => {
            DbError::NotWritable { path, source: source.into() }
        }
        _ => DbError::Io { path, source },
    }
}
