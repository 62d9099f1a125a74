//! Starts workers: one for each agent with work to do.

use std::sync::Arc;

use super::state::Engine;
use super::worker;
use crate::server::store::fence::Claim;

/// The reserved place of an agent's worker, while a run of the agent is accepted. The worker then starts with that run
/// already claimed.
pub struct Reservation {
    engine: Arc<Engine>,
    agent: String,
    is_used: bool,
}

impl Reservation {
    /// Starts the worker, with a claimed run or without one.
    pub fn start(mut self, first: Option<Box<Claim>>) {
        self.is_used = true;
        self.engine.spawn_worker(&self.agent, first);
    }
}

impl Drop for Reservation {
    /// Gives the place up. Work that arrived meanwhile only marked the place, so a worker is started for it.
    fn drop(&mut self) {
        if self.is_used {
            return;
        }
        if !self.engine.remove_idle_worker(&self.agent) {
            self.engine.spawn_worker(&self.agent, None);
        }
        self.engine.notify(&self.agent);
    }
}

impl Engine {
    /// Makes sure that an agent has a worker, which executes what is left to do.
    pub fn ensure_worker(self: &Arc<Self>, agent: &str) {
        // The place is reserved in a second step. If another thread was faster, its worker looks at the database later
        // than this call, so nothing is missed; `wake_worker` then only makes it look once more.
        while !self.wake_worker(agent) {
            if self.reserve_place(agent) {
                return self.spawn_worker(agent, None);
            }
        }
    }

    /// Reserves the place of an agent's worker, if the agent has none and may get one.
    pub fn reserve_worker(self: &Arc<Self>, agent: &str) -> Option<Reservation> {
        let reserved = self.reserve_place(agent);
        reserved.then(|| Reservation { engine: Arc::clone(self), agent: agent.to_owned(), is_used: false })
    }

    fn spawn_worker(self: &Arc<Self>, agent: &str, first: Option<Box<Claim>>) {
        self.fill_place(agent, |wake| tokio::spawn(worker::run(Arc::clone(self), agent.to_owned(), wake, first)));
    }
}
