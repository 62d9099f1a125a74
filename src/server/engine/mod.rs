//! Decides when a run is executed, and by which worker; carries out approvals; delivers callbacks; tells subscribers
//! about changes. Each agent with work to do has one worker, which ends when nothing is left. The files form one
//! direction: `state` ← `callback`, `execute` ← `worker` ← `workers` ← `sweeper`.

mod approvals;
mod callback;
mod callback_backoff;
mod execute;
mod next_work;
pub mod notify;
pub mod state;
mod sweeper;
mod worker;
mod workers;

use std::sync::Arc;

use tokio::time::sleep;

use super::{Adopt, ServerOptions};
use crate::server::store::owner::Owners;
use crate::server::store::{Database, claims, runs};
use notify::Subscription;
use state::POLL_INTERVAL;
pub use state::{Engine, EngineError};

impl Engine {
    /// Starts an engine on a database. Without `execute` it only accepts and reads runs.
    pub fn start(db: Database, owners: Arc<Owners>, options: &ServerOptions) -> Arc<Self> {
        let engine = Arc::new(Self::new(db, owners, options));
        if options.execute && options.adopt == Adopt::Everything {
            engine.set_sweeper(tokio::spawn(sweeper::sweep_forever(Arc::clone(&engine))));
        }
        engine
    }

    /// Returns once nothing is left to do for a run, or with the error of its agent's worker.
    pub async fn settle(self: &Arc<Self>, run: &str) -> Result<(), EngineError> {
        let Some(agent) = self.agent_of_unsettled(run)? else { return Ok(()) };
        let mut subscription = self.subscribe(&agent);
        let mut first = true;
        while let Some(agent) = self.agent_of_unsettled(run)? {
            // A worker that failed before this call is started once more, but only once.
            if let Some(error) = self.worker_error(&agent).filter(|_| !first) {
                return Err(error);
            }
            if !self.has_worker(&agent) {
                self.ensure_worker(&agent);
            }
            self.changed(&mut subscription).await;
            first = false;
        }
        Ok(())
    }

    /// Waits for a change. A process that executes nothing is not notified, so it polls.
    async fn changed(&self, subscription: &mut Subscription) {
        if self.executes() { subscription.changed().await } else { sleep(POLL_INTERVAL).await }
    }

    /// Returns the agent of a run for which something is left to do.
    fn agent_of_unsettled(&self, run: &str) -> Result<Option<String>, EngineError> {
        let agent = self.db.peek(|tx| match runs::settled(tx, run)? {
            true => Ok(None),
            false => Ok(runs::get(tx, run)?.map(|run| run.agent_id)),
        });
        agent.map_err(|error| EngineError::Stopped(error.to_string()))
    }

    /// Starts no further run, and returns once the runs in progress have ended.
    pub async fn drain(&self) {
        self.set_draining();
        while let Some(agent) = self.any_worker() {
            let mut subscription = self.subscribe(&agent);
            if self.has_worker(&agent) {
                subscription.changed().await;
            }
        }
    }

    /// Stops all work and releases the leases.
    pub async fn stop(&self) {
        for task in self.abort_all() {
            // The error only says that the task was aborted.
            let _ = task.await;
        }
        let me = self.owners.me().to_owned();
        // Queued after the writes that still wait, so that none of them is lost. Best effort: a lease that is not
        // released here is taken over once this process is gone.
        let _ = self.db.work(move |tx| claims::release_all(tx, &me)).await;
        let _ = self.db.checkpoint().await;
    }
}
