//! The errors of the store.

use std::sync::Arc;

/// Why the database did not do what it was asked for. Nothing was stored.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What SQLite said. Several who wrote together may hear the same.
    #[error(transparent)]
    Sqlite(Arc<rusqlite::Error>),
    /// Too much waits already.
    #[error("too much waits to be written")]
    Crowded,
    /// The run is no longer this process's to write: cancelled, deleted, or taken over.
    #[error("the run is no longer held by this process")]
    Lost,
    /// A bug in this program.
    #[error("the database worker panicked")]
    Panicked,
}

/// What a question to the database gives.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}
