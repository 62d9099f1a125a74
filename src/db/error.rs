//! What goes wrong with a database, sorted by what can be done about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why a database was not opened.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The file or its directory cannot be written.
    #[error("cannot write {}", path.display())]
    NotWritable {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file belongs to something else.
    #[error("{} is not a database of this program", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file was written by a newer version.
    #[error("{} is of version {found}, newer than the {known} that this program knows", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest known version.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Anything else that SQLite said.
    #[error("cannot open {}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: rusqlite::Error,
    },
    /// Anything else that the system said.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// Whether SQLite gave up waiting for another process.
pub fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Whether there is no room for what was to be written.
pub fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// Sorts what SQLite said about a file.
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

/// Sorts what the system said about a file.
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
