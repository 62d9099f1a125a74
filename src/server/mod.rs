//! The local server: runs agents on this machine and serves the API in front of them.
//!
//! Decides how a server starts, stops and is called: through its router, in this process or on a port. Several processes
//! may share one database file. `http` accepts requests, `engine` executes runs with `models`, `store` keeps everything,
//! `render` writes the documents of the API, and `types` holds the types that the others share.

mod engine;
mod http;
mod models;
mod render;
mod store;
#[cfg(test)]
mod tests;
mod types;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;

use crate::db::DbError;
use crate::model::id::BadId;
use crate::model::{AgentId, RunId};
use engine::Engine;
pub use engine::EngineError;
pub use http::{access, listener};
pub use models::providers::Providers;
use store::owner::{Alive, Owners};
use store::{Database, IDENTITY, StoreError, agents};
pub use types::behaviour::Behaviour;
pub use types::callback_target;
use types::callback_target::CallbackAllowList;
pub use types::host_name::HostName;
pub use types::memory_budget::MemoryBudget;

/// Checks that a file is an undamaged database of this server. Writes nothing.
pub fn check_database(path: &std::path::Path) -> Result<(), DbError> {
    crate::db::check(path, IDENTITY)
}

/// Parses a script of `agentctl/script` and returns its number of steps; `None` if the text is not a script. Only the
/// fuzzer uses it.
#[doc(hidden)]
pub fn script_steps(text: &str) -> Result<Option<usize>, String> {
    models::script_steps(text)
}

/// The database of a server.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file, which other processes may share.
    File(PathBuf),
    /// Memory, lost when the server stops.
    Memory,
}

/// The options of a server.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The database.
    pub store: Store,
    /// Whether to execute runs. Otherwise the server only accepts and reads them.
    pub execute: bool,
    /// Documented behaviour, or that of the real server.
    pub behaviour: Behaviour,
    /// Which runs and callbacks of stopped processes to take over.
    pub adopt: Adopt,
    /// The endpoints of models that other programs serve.
    pub providers: Providers,
    /// The allow-list of callback URLs.
    pub targets: CallbackAllowList,
}

/// Which work of stopped processes a server takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// All of it, at the start and periodically, for a long-running server.
    Everything,
    /// That of the agents that it works for, for a command that ends.
    OnRequest,
}

impl ServerOptions {
    /// The options of a command that ends: documented behaviour, and only the built-in models.
    pub fn new(store: Store, execute: bool) -> Self {
        Self {
            store,
            execute,
            behaviour: Behaviour::Documented,
            adopt: Adopt::OnRequest,
            providers: Providers::default(),
            targets: CallbackAllowList::of_this_machine(),
        }
    }
}

/// The error of a server that does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file or its directory is not writable.
    #[error("the local database cannot be written")]
    NotWritable(#[source] DbError),
    /// The file is damaged, or not a database of this version. It was not changed.
    #[error("the local database cannot be used")]
    Unusable(#[source] DbError),
    /// Any other error of the system or the database.
    #[error("the local server cannot start")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DbError> for StartError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotWritable { .. } => Self::NotWritable(error),
            DbError::Foreign { .. } | DbError::OtherVersion { .. } | DbError::Corrupt { .. } => Self::Unusable(error),
            DbError::Sqlite { .. } | DbError::Io { .. } => Self::Failed(error.into()),
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// A running server. Dropping it leaves its runs as a killed process would; see [`Running::stop`].
pub struct Running {
    engine: Arc<Engine>,
    alive: Option<Alive>,
}

/// Starts a server.
pub async fn start(options: ServerOptions) -> Result<Running, StartError> {
    let path = match &options.store {
        Store::File(path) => Some(path.clone()),
        Store::Memory => None,
    };
    let owners = Arc::new(Owners::new(path.as_deref()));
    let opened = tokio::task::spawn_blocking(move || Database::open(path.as_deref(), IDENTITY)).await;
    let db = opened.map_err(|_| StoreError::Panicked)??;
    let alive = if options.execute { register(&db, &owners).await? } else { None };
    Ok(Running { engine: Engine::start(db, owners, &options), alive })
}

/// Registers this process with the others that share the database. Holds the write lock, since they remove entries of
/// processes that seem dead.
async fn register(db: &Database, owners: &Arc<Owners>) -> Result<Option<Alive>, StartError> {
    let owners = Arc::clone(owners);
    Ok(db.write(move |_| Ok(owners.enter())).await??)
}

impl Running {
    /// Returns the routes of the API, to be called in this process or served on a port.
    pub fn router(&self) -> Router {
        http::routes::router(Arc::clone(&self.engine))
    }

    /// Returns the memory budget that request bodies and responses share.
    pub fn memory(&self) -> MemoryBudget {
        self.engine.memory_budget.clone()
    }

    /// Returns the oldest agent with a name, created if there is none. Concurrent calls get the same agent.
    pub async fn agent_named(&self, name: &str) -> Result<AgentId, StartError> {
        let name = name.to_owned();
        let id = self.engine.db.write(move |tx| agents::oldest_or_new(tx, &name)).await?;
        id.parse().map_err(|error: BadId| StartError::Failed(error.into()))
    }

    /// Waits until a run has ended and its callback, if it has one, was attempted.
    ///
    /// A server that executes runs also executes this one, in the order of its agent's queue. Returns an error if the
    /// worker of that agent gave up.
    pub async fn settle(&self, run: &RunId) -> Result<(), EngineError> {
        self.engine.settle(run.as_str()).await
    }

    /// Waits until a worker has given up because the database failed repeatedly. Nothing retries by itself afterwards.
    pub async fn failed(&self) -> EngineError {
        self.engine.failed().await
    }

    /// Executes the open runs and callbacks of an agent, in the background.
    pub fn adopt(&self, agent: &AgentId) {
        self.engine.ensure_worker(agent.as_str());
    }

    /// Returns the number of runs in progress in this process.
    pub fn at_work(&self) -> usize {
        self.engine.running()
    }

    /// Starts no further run, and waits until those in progress have ended.
    pub async fn drain(&self) {
        self.engine.drain().await;
    }

    /// Stops, and releases unfinished runs, so that another process can continue them at once.
    pub async fn stop(mut self) {
        self.engine.stop().await;
        if let Some(alive) = self.alive.take() {
            alive.leave();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.engine.abort_all());
    }
}
