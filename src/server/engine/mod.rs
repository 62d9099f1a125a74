//! The engine: which agents are at work in this process, and who waits for what.
//!
//! Each agent with something to do has one worker, which ends when nothing is left. What a worker
//! does is decided in `work`, how a run is carried out in `execute`.

pub mod approvals;
pub mod callback;
pub mod callback_backoff;
pub mod execute;
pub mod notify;
pub mod owner;
pub mod sweeper;
pub mod worker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::store::claims::{self, Claim};
use super::store::{Database, StoreError, runs};
use super::{Adopt, EngineError, Manners, Options, Providers};
use crate::server::types::memory_budget::MemoryBudget;
use crate::server::types::target::Targets;
use notify::{Subscription, Subscriptions};
use owner::Owners;

/// How long to wait before looking again at what another process does.
pub const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// How long news of a run may take that a worker here waits for because another process has it.
const LOOK_AT_OTHERS: Duration = Duration::from_secs(2);

/// What carries out runs, and what the routes stand on.
pub struct Engine {
    pub db: Database,
    pub owners: Arc<Owners>,
    pub manners: Manners,
    pub providers: Providers,
    pub targets: Targets,
    pub room: MemoryBudget,
    /// Each callback that is under way has one of these.
    pub calls: Semaphore,
    execute: bool,
    inner: Mutex<Inner>,
    news: Subscriptions,
    /// Why a worker gave up last, once one did.
    fault: watch::Sender<Option<EngineError>>,
}

#[derive(Default)]
struct Inner {
    stopped: bool,
    /// No further run is begun.
    draining: bool,
    /// What takes up what others leave behind, in a server that stays.
    upkeep: Option<JoinHandle<()>>,
    workers: HashMap<String, Worker>,
    /// Why the last worker of an agent gave up, until another one tries.
    faults: HashMap<String, EngineError>,
    /// How to stop the runs that are at work here.
    live: HashMap<String, Arc<Notify>>,
    /// When runs were accepted here, by the clock that never goes back.
    accepted: HashMap<String, Instant>,
}

/// Who works for an agent, or will in a moment.
#[derive(Default)]
struct Worker {
    /// None while the place is kept free.
    task: Option<JoinHandle<()>>,
    /// Whether something came in since it last looked.
    again: bool,
    /// Ends its wait for a callback when something comes in.
    wake: Arc<Notify>,
}

impl Worker {
    /// Lets it look again.
    fn call(&mut self) {
        self.again = true;
        self.wake.notify_one();
    }
}

impl Inner {
    /// Lets somebody work for an agent, with a run in hand or none.
    fn hire(&mut self, engine: &Arc<Engine>, agent: &str, first: Option<Box<Claim>>) {
        if self.stopped {
            return;
        }
        self.faults.remove(agent);
        let wake = Arc::<Notify>::default();
        let task = tokio::spawn(worker::work(Arc::clone(engine), agent.to_owned(), Arc::clone(&wake), first));
        self.workers.insert(agent.to_owned(), Worker { task: Some(task), again: false, wake });
    }

    /// Lets a worker go, unless something came in since it looked.
    fn retire(&mut self, agent: &str) -> bool {
        if let Some(worker) = self.workers.get_mut(agent).filter(|worker| worker.again) {
            worker.again = false;
            return false;
        }
        self.workers.remove(agent);
        true
    }
}

/// The place of an agent's worker, kept free while a run is accepted: whoever fills it brings the run along.
pub struct Vacancy {
    engine: Arc<Engine>,
    agent: String,
    is_filled: bool,
}

impl Vacancy {
    /// Lets somebody work for the agent, with a run in hand or none.
    pub fn fill(mut self, first: Option<Box<Claim>>) {
        self.is_filled = true;
        self.engine.inner().hire(&self.engine, &self.agent, first);
    }
}

impl Drop for Vacancy {
    /// What came in meanwhile found the place taken.
    fn drop(&mut self) {
        if self.is_filled {
            return;
        }
        let mut inner = self.engine.inner();
        if !inner.retire(&self.agent) {
            inner.hire(&self.engine, &self.agent, None);
        }
        drop(inner);
        self.engine.announce(&self.agent);
    }
}

impl Engine {
    /// An engine over a database; one that does not execute only accepts and reads.
    pub fn new(db: Database, owners: Arc<Owners>, options: &Options) -> Arc<Self> {
        let (news, fault) = (Subscriptions::default(), watch::Sender::new(None));
        let (execute, manners) = (options.execute, options.manners);
        let (providers, targets, inner) = (options.providers.clone(), options.targets.clone(), Mutex::default());
        let (room, calls) = (MemoryBudget::default(), Semaphore::new(callback::MOST_AT_ONCE));
        let engine =
            Arc::new(Self { db, owners, manners, providers, targets, room, calls, execute, inner, news, fault });
        if execute && options.adopt == Adopt::Everything {
            engine.inner().upkeep = Some(tokio::spawn(sweeper::keep_up(Arc::clone(&engine))));
        }
        engine
    }

    /// Takes note of a run that was accepted at a moment.
    pub fn accepted(&self, run: &str, at: Instant) {
        if self.execute {
            self.inner().accepted.insert(run.to_owned(), at);
        }
    }

    /// Executes what is left to do for an agent, in the background.
    pub fn adopt(self: &Arc<Self>, agent: &str) {
        let mut inner = self.inner();
        if inner.stopped || inner.draining || !self.execute {
            return;
        }
        match inner.workers.get_mut(agent) {
            Some(worker) => worker.call(),
            None => inner.hire(self, agent, None),
        }
    }

    /// The place of an agent's worker, if there is none and may be one. It is kept free for whoever asked.
    pub fn vacancy(self: &Arc<Self>, agent: &str) -> Option<Vacancy> {
        let mut inner = self.inner();
        if inner.stopped || inner.draining || !self.execute || inner.workers.contains_key(agent) {
            return None;
        }
        inner.workers.insert(agent.to_owned(), Worker::default());
        Some(Vacancy { engine: Arc::clone(self), agent: agent.to_owned(), is_filled: false })
    }

    /// Returns once nothing is left to do for a run, or with the reason why its worker gave up.
    pub async fn settle(self: &Arc<Self>, run: &str) -> Result<(), EngineError> {
        let Some(agent) = self.unsettled(run)? else { return Ok(()) };
        let mut ear = self.news.listen(&agent);
        let mut first = true;
        while let Some(agent) = self.unsettled(run)? {
            // What failed before gets another chance, and only one.
            if let Some(fault) = self.fault_of(&agent).filter(|_| !first) {
                return Err(fault);
            }
            if !self.works_for(&agent) {
                self.adopt(&agent);
            }
            self.change(&mut ear).await;
            first = false;
        }
        Ok(())
    }

    /// Hears of what happens to a run in this process.
    pub fn listen(&self, run: &str) -> Subscription {
        self.news.listen(run)
    }

    /// Whether this process executes runs.
    pub fn executes(&self) -> bool {
        self.execute
    }

    /// Waits until something has changed; what only another process does has to be looked for.
    async fn change(&self, ear: &mut Subscription) {
        if self.execute { ear.next().await } else { sleep(LOOK_AGAIN).await }
    }

    /// Waits until something may have changed about a run: here, or in the process that works on it.
    pub async fn news(&self, agent: &str, ear: &mut Subscription) {
        // A worker of this process may yet find out that another one has the run.
        let patience = if self.works_for(agent) { LOOK_AT_OTHERS } else { LOOK_AGAIN };
        let _ = timeout(patience, ear.next()).await;
    }

    /// The agent of a run for which something is left to do.
    fn unsettled(&self, run: &str) -> Result<Option<String>, EngineError> {
        let agent = self.db.peek(|tx| match runs::settled(tx, run)? {
            true => Ok(None),
            false => Ok(runs::get(tx, run)?.map(|run| run.agent_id)),
        });
        agent.map_err(|error| EngineError::Stopped(error.to_string()))
    }

    /// Whether an agent has a worker here.
    fn works_for(&self, agent: &str) -> bool {
        self.inner().workers.contains_key(agent)
    }

    /// The agents whose workers gave up.
    pub fn given_up(&self) -> Vec<String> {
        self.inner().faults.keys().cloned().collect()
    }

    /// Why nobody works for an agent any more, if its worker gave up.
    fn fault_of(&self, agent: &str) -> Option<EngineError> {
        self.inner().faults.get(agent).cloned()
    }

    /// Stops a run that is at work here; the database says already that it ended, or is gone.
    pub fn halt(&self, run: &str) {
        let mut inner = self.inner();
        inner.accepted.remove(run);
        if let Some(live) = inner.live.get(run) {
            live.notify_one();
        }
        drop(inner);
        self.announce(run);
    }

    /// Takes note of a run that is at work, and gives what will stop it.
    pub fn begin(&self, run: &str) -> Arc<Notify> {
        Arc::clone(self.inner().live.entry(run.to_owned()).or_default())
    }

    /// Takes note that a run is no longer at work here.
    pub fn finish(&self, run: &str) {
        let mut inner = self.inner();
        inner.live.remove(run);
        inner.accepted.remove(run);
    }

    /// When a run was accepted, if that was here.
    pub fn accepted_at(&self, run: &str) -> Option<Instant> {
        self.inner().accepted.get(run).copied()
    }

    /// Nanoseconds since a run was accepted, if that was here.
    pub fn elapsed(&self, run: &str) -> Option<i64> {
        i64::try_from(self.accepted_at(run)?.elapsed().as_nanos()).ok()
    }

    /// Wakes those who wait for news of a run, or of the work for an agent.
    pub fn announce(&self, of: &str) {
        self.news.tell(of);
    }

    /// Lets a worker go, unless something came in since it looked.
    pub fn retire(&self, agent: &str) -> bool {
        self.inner().retire(agent)
    }

    /// Lets a worker go that cannot do its work, and says so to those who wait.
    pub fn give_up(&self, agent: &str, error: &StoreError) {
        let fault = EngineError::Stopped(error.to_string());
        let mut inner = self.inner();
        inner.workers.remove(agent);
        inner.faults.insert(agent.to_owned(), fault.clone());
        drop(inner);
        self.fault.send_replace(Some(fault));
        self.announce(agent);
    }

    /// Returns once a worker has given up, with the reason.
    pub async fn failed(&self) -> EngineError {
        let mut fault = self.fault.subscribe();
        loop {
            if let Some(fault) = fault.borrow_and_update().clone() {
                return fault;
            }
            // The sender lives as long as this engine.
            let _ = fault.changed().await;
        }
    }

    /// Begins no further run, and returns once those at work have ended.
    pub async fn drain(&self) {
        self.inner().draining = true;
        while let Some(agent) = self.any_at_work() {
            let mut ear = self.news.listen(&agent);
            if self.works_for(&agent) {
                ear.next().await;
            }
        }
    }

    /// An agent that has a worker here.
    fn any_at_work(&self) -> Option<String> {
        self.inner().workers.keys().next().cloned()
    }

    /// Whether further runs may be begun.
    pub fn takes_work(&self) -> bool {
        let inner = self.inner();
        !inner.draining && !inner.stopped
    }

    /// How many runs are at work here.
    pub fn at_work(&self) -> usize {
        self.inner().live.len()
    }

    /// Stops all work at once. What was held stays held. Returns the workers, which are about to end.
    pub fn halt_all(&self) -> Vec<JoinHandle<()>> {
        let mut inner = self.inner();
        inner.stopped = true;
        let workers: Vec<JoinHandle<()>> = inner.workers.drain().filter_map(|(_, worker)| worker.task).collect();
        let tasks: Vec<JoinHandle<()>> = inner.upkeep.take().into_iter().chain(workers).collect();
        tasks.iter().for_each(JoinHandle::abort);
        tasks
    }

    /// Stops all work and gives back what was held.
    pub async fn stop(&self) {
        for task in self.halt_all() {
            // It was aborted, and says so.
            let _ = task.await;
        }
        let me = self.owners.me().to_owned();
        // Behind the work that still waits to be written, so that nothing of it is lost. Best effort: what is not given back, others take once this process is gone.
        let _ = self.db.work(move |tx| claims::give_back(tx, &me)).await;
        let _ = self.db.checkpoint().await;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // No code that can panic runs under this lock, and the maps are whole at any time.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
