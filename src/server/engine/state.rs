//! The state of the engine: the database, the limits, and the table of workers. It starts no task itself.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::notify::{Subscription, Subscriptions};
use crate::server::ServerOptions;
use crate::server::models::providers::Providers;
use crate::server::store::owner::Owners;
use crate::server::store::{Database, StoreError};
use crate::server::types::behaviour::Behaviour;
use crate::server::types::callback_target::CallbackAllowList;
use crate::server::types::memory_budget::MemoryBudget;

/// The interval at which the work of another process is polled.
pub const POLL_INTERVAL: Duration = Duration::from_millis(150);

/// The longest wait for a notification about a run of an agent that has a worker here: its run may be leased by another
/// process, which sends no notification.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(2);

/// The number of callbacks in delivery at once, over all agents. Each has its own connection.
pub const MOST_CALLBACKS: usize = 64;

/// Why a server stopped executing runs.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The database failed several times in a row; this is its last error.
    #[error("the database failed: {0}")]
    Stopped(String),
}

/// The engine, shared by the routes and the workers.
pub struct Engine {
    pub db: Database,
    pub owners: Arc<Owners>,
    pub behaviour: Behaviour,
    pub providers: Providers,
    pub targets: CallbackAllowList,
    pub memory_budget: MemoryBudget,
    /// One permit for each callback in delivery.
    pub callback_permits: Semaphore,
    execute: bool,
    table: Mutex<Table>,
    subscriptions: Subscriptions,
    /// The last error of a worker that gave up.
    failure: watch::Sender<Option<EngineError>>,
}

#[derive(Default)]
struct Table {
    stopped: bool,
    /// Whether no further run is started.
    draining: bool,
    /// The sweeper, in a server that runs one.
    sweeper: Option<JoinHandle<()>>,
    /// The workers, by agent.
    workers: HashMap<String, Worker>,
    /// The errors of workers that gave up, by agent, until another worker starts.
    errors: HashMap<String, EngineError>,
    /// The abort signals of the runs in progress here.
    running: HashMap<String, Arc<Notify>>,
    /// The monotonic times at which runs were accepted here.
    accepted: HashMap<String, Instant>,
}

/// A worker of an agent, or the place reserved for one.
#[derive(Default)]
struct Worker {
    /// `None` while the place is only reserved.
    task: Option<JoinHandle<()>>,
    /// Whether work arrived since the worker last looked.
    has_new_work: bool,
    /// Ends the worker's wait for a callback when work arrives.
    wake: Arc<Notify>,
}

impl Table {
    /// Removes a worker that found nothing to do. Returns `false` if work arrived since, so that it must look again.
    fn remove_idle(&mut self, agent: &str) -> bool {
        if let Some(worker) = self.workers.get_mut(agent).filter(|worker| worker.has_new_work) {
            worker.has_new_work = false;
            return false;
        }
        self.workers.remove(agent);
        true
    }

    fn accepts_work(&self) -> bool {
        !self.draining && !self.stopped
    }
}

impl Engine {
    pub fn new(db: Database, owners: Arc<Owners>, options: &ServerOptions) -> Self {
        Self {
            db,
            owners,
            behaviour: options.behaviour,
            providers: options.providers.clone(),
            targets: options.targets.clone(),
            memory_budget: MemoryBudget::default(),
            callback_permits: Semaphore::new(MOST_CALLBACKS),
            execute: options.execute,
            table: Mutex::default(),
            subscriptions: Subscriptions::default(),
            failure: watch::Sender::new(None),
        }
    }

    /// Whether this process executes runs.
    pub fn executes(&self) -> bool {
        self.execute
    }

    /// Whether further runs may be started.
    pub fn accepts_work(&self) -> bool {
        self.table().accepts_work()
    }

    /// Makes sure that an agent's worker sees new work. Returns `false` if it has no worker and may get one.
    pub fn wake_worker(&self, agent: &str) -> bool {
        let mut table = self.table();
        if !table.accepts_work() || !self.execute {
            return true;
        }
        let Some(worker) = table.workers.get_mut(agent) else { return false };
        worker.has_new_work = true;
        worker.wake.notify_one();
        true
    }

    /// Reserves the place of an agent's worker. Returns `false` if the agent has a worker or may not get one.
    pub fn reserve_place(&self, agent: &str) -> bool {
        let mut table = self.table();
        if !table.accepts_work() || !self.execute || table.workers.contains_key(agent) {
            return false;
        }
        table.workers.insert(agent.to_owned(), Worker::default());
        true
    }

    /// Puts the task of a worker, made by `spawn`, into its place. Nothing is spawned once the engine has stopped.
    pub fn fill_place(&self, agent: &str, spawn: impl FnOnce(Arc<Notify>) -> JoinHandle<()>) {
        let mut table = self.table();
        if table.stopped {
            return;
        }
        table.errors.remove(agent);
        let wake = Arc::<Notify>::default();
        let task = spawn(Arc::clone(&wake));
        table.workers.insert(agent.to_owned(), Worker { task: Some(task), has_new_work: false, wake });
    }

    /// Removes a worker that found nothing to do. Returns `false` if work arrived since, so that it must look again.
    pub fn remove_idle_worker(&self, agent: &str) -> bool {
        self.table().remove_idle(agent)
    }

    /// Removes a worker that failed, and reports its error.
    pub fn remove_failed_worker(&self, agent: &str, error: &StoreError) {
        let error = EngineError::Stopped(error.to_string());
        let mut table = self.table();
        table.workers.remove(agent);
        table.errors.insert(agent.to_owned(), error.clone());
        drop(table);
        self.failure.send_replace(Some(error));
        self.notify(agent);
    }

    /// Whether an agent has a worker here.
    pub fn has_worker(&self, agent: &str) -> bool {
        self.table().workers.contains_key(agent)
    }

    /// Returns an agent that has a worker here.
    pub fn any_worker(&self) -> Option<String> {
        self.table().workers.keys().next().cloned()
    }

    /// Returns the agents whose workers gave up.
    pub fn agents_with_errors(&self) -> Vec<String> {
        self.table().errors.keys().cloned().collect()
    }

    /// Returns the error with which an agent's worker gave up.
    pub fn worker_error(&self, agent: &str) -> Option<EngineError> {
        self.table().errors.get(agent).cloned()
    }

    /// Waits until a worker gives up, and returns the error of the last one that did.
    pub async fn failed(&self) -> EngineError {
        let mut failure = self.failure.subscribe();
        loop {
            if let Some(error) = failure.borrow_and_update().clone() {
                return error;
            }
            // The sender lives as long as this engine.
            let _ = failure.changed().await;
        }
    }

    /// Records when a run was accepted here.
    pub fn record_accepted(&self, run: &str, at: Instant) {
        if self.execute {
            self.table().accepted.insert(run.to_owned(), at);
        }
    }

    /// Returns when a run was accepted, if that was here.
    pub fn accepted_at(&self, run: &str) -> Option<Instant> {
        self.table().accepted.get(run).copied()
    }

    /// Returns the nanoseconds since a run was accepted, if that was here.
    pub fn elapsed(&self, run: &str) -> Option<i64> {
        i64::try_from(self.accepted_at(run)?.elapsed().as_nanos()).ok()
    }

    /// Records that a run is in progress. Returns its abort signal.
    pub fn record_started(&self, run: &str) -> Arc<Notify> {
        Arc::clone(self.table().running.entry(run.to_owned()).or_default())
    }

    /// Records that a run is no longer in progress here.
    pub fn record_ended(&self, run: &str) {
        let mut table = self.table();
        table.running.remove(run);
        table.accepted.remove(run);
    }

    /// Returns the number of runs in progress here.
    pub fn running(&self) -> usize {
        self.table().running.len()
    }

    /// Aborts the execution of a run that has ended or was deleted in the database.
    pub fn abort(&self, run: &str) {
        let mut table = self.table();
        table.accepted.remove(run);
        if let Some(signal) = table.running.get(run) {
            signal.notify_one();
        }
        drop(table);
        self.notify(run);
    }

    /// Subscribes to the changes of a run or an agent in this process.
    pub fn subscribe(&self, id: &str) -> Subscription {
        self.subscriptions.subscribe(id)
    }

    /// Notifies the subscribers of a run or an agent.
    pub fn notify(&self, id: &str) {
        self.subscriptions.notify(id);
    }

    /// Waits until a run of an agent may have changed, here or in the process that executes it.
    pub async fn maybe_changed(&self, agent: &str, subscription: &mut Subscription) {
        let patience = if self.has_worker(agent) { NOTIFY_TIMEOUT } else { POLL_INTERVAL };
        let _ = timeout(patience, subscription.changed()).await;
    }

    pub fn set_sweeper(&self, sweeper: JoinHandle<()>) {
        self.table().sweeper = Some(sweeper);
    }

    pub fn set_draining(&self) {
        self.table().draining = true;
    }

    /// Aborts all tasks at once, without releasing their leases. Returns the tasks, which are about to end.
    pub fn abort_all(&self) -> Vec<JoinHandle<()>> {
        let mut table = self.table();
        table.stopped = true;
        let workers: Vec<JoinHandle<()>> = table.workers.drain().filter_map(|(_, worker)| worker.task).collect();
        let tasks: Vec<JoinHandle<()>> = table.sweeper.take().into_iter().chain(workers).collect();
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // No code that can panic runs under this lock, so the table is consistent even if it is poisoned.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
