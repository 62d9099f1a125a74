//! The errors of the store.

use std::sync::Arc;

/// The error of a read or a write. Nothing was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// An error of SQLite. All writes of a batch may get the same one.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// The queue of writes is full.
    #[error("too much waits to be written")]
    Crowded,
    /// The claim was lost: the run was cancelled, deleted, or taken over.
    #[error("the run is no longer held by this process")]
    Lost,
    /// A write panicked.
    #[error("the database worker panicked")]
    Panicked,
}

/// The result of a read or a write.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
