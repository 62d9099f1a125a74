//! The local server: agents that answer on this machine, behind the API's own routes.
//!
//! It has no port of its own: the router is called in this process, or bound by whoever wants to.
//! Several processes may share one database file. What each request must look like is decided in
//! `validate`, what an answer looks like in `render`, who may work on a run in `store::claims`.

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
use engine::owner::{Alive, Owners};
pub use http::{access, listener};
pub use models::providers::Providers;
use store::{Database, IDENTITY, StoreError, agents};
pub use types::host_name::HostName;
pub use types::memory_budget::MemoryBudget;
pub use types::quirks::Manners;
pub use types::target;
use types::target::Targets;

/// Whether the database of a server is ours, and sound. Nothing is written.
pub fn examine(path: &std::path::Path) -> Result<(), DbError> {
    crate::db::check(path, IDENTITY)
}

/// How many steps a script for `agentctl/script` has; none where a text is no script. For the fuzzer, which nothing else
/// lets at the reader of scripts.
#[doc(hidden)]
pub fn script_steps(text: &str) -> Result<Option<usize>, String> {
    models::script_steps(text)
}

/// Where a server keeps what it knows.
#[derive(Clone, Debug)]
pub enum Store {
    /// In a file, which other processes may share.
    File(PathBuf),
    /// In memory, as long as the server runs.
    Memory,
}

/// What a server is started with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to keep things.
    pub store: Store,
    /// Whether to execute runs; otherwise they are only accepted and read.
    pub execute: bool,
    /// Whose manners it has.
    pub manners: Manners,
    /// Which runs and callbacks of others to take up.
    pub adopt: Adopt,
    /// The endpoints of models that other programs run.
    pub providers: Providers,
    /// Where callbacks may go.
    pub targets: Targets,
}

/// What a server takes up that other processes left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// All of it, at the start and from time to time: for a server that stays.
    Everything,
    /// What belongs to the agents that it is asked to work for: for a command that ends.
    OnRequest,
}

impl Options {
    /// What a command is started with that ends, and that does what is documented with the models that are built in.
    pub fn new(store: Store, execute: bool) -> Self {
        let (manners, adopt) = (Manners::Documented, Adopt::OnRequest);
        Self { store, execute, manners, adopt, providers: Providers::default(), targets: Targets::of_this_machine() }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The file or its directory cannot be written; memory would do.
    #[error("the local database cannot be written")]
    NotWritable(#[source] DbError),
    /// The file is not a database of this server, or of a newer one, or damaged. It was not touched.
    #[error("the local database cannot be used")]
    NotOurs(#[source] DbError),
    /// Anything else that the system or the database said.
    #[error("the local server cannot start")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<DbError> for StartError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::NotWritable { .. } => Self::NotWritable(error),
            DbError::Foreign { .. } | DbError::Newer { .. } | DbError::Corrupt { .. } => Self::NotOurs(error),
            DbError::Sqlite { .. } | DbError::Io { .. } => Self::Failed(error.into()),
        }
    }
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Why a server that runs does not go on with a run.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The database failed again and again; with what it said last.
    #[error("the database failed: {0}")]
    Stopped(String),
}

/// A server that runs. Dropped, it leaves its runs as a killed process would; see [`Running::stop`].
pub struct Running {
    engine: Arc<Engine>,
    alive: Option<Alive>,
}

/// Starts a server.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let path = match &options.store {
        Store::File(path) => Some(path.clone()),
        Store::Memory => None,
    };
    let owners = Arc::new(Owners::new(path.as_deref()));
    let opened = tokio::task::spawn_blocking(move || Database::open(path.as_deref(), IDENTITY)).await;
    let db = opened.map_err(|_| StoreError::Panicked)??;
    let alive = if options.execute { enter(&db, &owners).await? } else { None };
    Ok(Running { engine: Engine::new(db, owners, &options), alive })
}

/// Begins to be seen by other processes. Under the write lock, since they remove what looks dead. Nobody else writes here
/// yet, so it is done once.
async fn enter(db: &Database, owners: &Arc<Owners>) -> Result<Option<Alive>, StartError> {
    let owners = Arc::clone(owners);
    Ok(db.write(move |_| Ok(owners.enter())).await??)
}

impl Running {
    /// The routes of the API, to be called in this process or bound to a port.
    pub fn router(&self) -> Router {
        http::routes::router(Arc::clone(&self.engine))
    }

    /// The room that bodies and answers share.
    pub fn room(&self) -> MemoryBudget {
        self.engine.room.clone()
    }

    /// The oldest agent of a name, made if there is none. Two processes that ask together get the same one.
    pub async fn agent_named(&self, name: &str) -> Result<AgentId, StartError> {
        let name = name.to_owned();
        let id = self.engine.db.write(move |tx| agents::oldest_or_new(tx, &name)).await?;
        id.parse().map_err(|error: BadId| StartError::Failed(error.into()))
    }

    /// Waits until a run has ended and its callback, if it has one, was attempted.
    ///
    /// A server that executes runs sees to it that this one is, behind those of its agent that came before.
    /// It is an error if the worker of that agent gave up.
    pub async fn settle(&self, run: &RunId) -> Result<(), EngineError> {
        self.engine.settle(run.as_str()).await
    }

    /// Returns once the database has failed a worker again and again: nothing goes on by itself.
    pub async fn failed(&self) -> EngineError {
        self.engine.failed().await
    }

    /// Executes what is left to do for an agent, in the background.
    pub fn adopt(&self, agent: &AgentId) {
        self.engine.adopt(agent.as_str());
    }

    /// How many runs are at work in this process.
    pub fn at_work(&self) -> usize {
        self.engine.at_work()
    }

    /// Begins no further run, and returns once those at work have ended.
    pub async fn drain(&self) {
        self.engine.drain().await;
    }

    /// Stops working and gives back what is unfinished, so that another process can go on at once.
    pub async fn stop(mut self) {
        self.engine.stop().await;
        if let Some(alive) = self.alive.take() {
            alive.leave();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.engine.halt_all());
    }
}
