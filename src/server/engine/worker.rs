//! A worker: executes the runs of one agent in order, and delivers their callbacks at the same time.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::next_work::{NextWork, NextWorkQuery};
use super::state::{Engine, POLL_INTERVAL};
use super::{callback, execute};
use crate::server::store::claims::Claimed;
use crate::server::store::fence::Claim;
use crate::server::store::outbox::{self, Collected};
use crate::server::store::{Result, StoreError};

/// The number of database errors in a row after which a worker gives up.
const MOST_ERRORS: usize = 5;

/// The next action of a worker.
enum NextAction {
    /// Look for more work.
    Continue,
    /// Wait for another process.
    Wait,
    /// End, since nothing is left.
    Done,
}

/// The callbacks in delivery.
#[derive(Default)]
struct Deliveries {
    tasks: JoinSet<String>,
    /// Their runs.
    runs: Vec<String>,
}

/// Works for an agent until nothing is left to do. The first run may be claimed already.
pub async fn run(engine: Arc<Engine>, agent: String, wake: Arc<Notify>, first: Option<Box<Claim>>) {
    let mut deliveries = Deliveries::default();
    let mut work = first.map(|claim| NextWork { claimed: Claimed::Run(claim), callbacks: Collected::default() });
    let mut errors = 0;
    loop {
        match next(&engine, &agent, &wake, &mut deliveries, &mut work).await {
            Ok(NextAction::Continue) => errors = 0,
            Ok(NextAction::Wait) => sleep(POLL_INTERVAL).await,
            Ok(NextAction::Done) if engine.remove_idle_worker(&agent) => return engine.notify(&agent),
            Ok(NextAction::Done) => {}
            Err(error) if errors + 1 == MOST_ERRORS => return engine.remove_failed_worker(&agent, &error),
            Err(_) => {
                errors += 1;
                sleep(POLL_INTERVAL).await;
            }
        }
        engine.notify(&agent);
    }
}

/// Does the next work: the one in `work`, or else the one that a query finds.
async fn next(
    engine: &Arc<Engine>,
    agent: &str,
    wake: &Notify,
    deliveries: &mut Deliveries,
    work: &mut Option<NextWork>,
) -> Result<NextAction> {
    deliveries.reap()?;
    let query = |delivering: &[String]| NextWorkQuery {
        engine: Arc::clone(engine),
        agent: agent.to_owned(),
        delivering: delivering.to_vec(),
    };
    let NextWork { claimed, callbacks } = match work.take() {
        Some(work) => work,
        None => {
            let query = query(&deliveries.runs);
            engine.db.work(move |tx| query.run(tx)).await?
        }
    };
    let elsewhere = callbacks.elsewhere && engine.accepts_work();
    deliveries.start(engine, agent, callbacks.to_deliver);
    match claimed {
        Claimed::Run(claim) => {
            let query = query(&deliveries.runs);
            *work = tokio::select! {
                work = execute::execute(engine, &claim, query) => work?,
                () = deliveries.deliver_forever(engine, agent) => None,
            };
            Ok(NextAction::Continue)
        }
        Claimed::Closed(run) => {
            engine.notify(&run);
            Ok(NextAction::Continue)
        }
        Claimed::Elsewhere => Ok(NextAction::Wait),
        Claimed::Nothing if deliveries.finish_one(wake).await? => Ok(NextAction::Continue),
        Claimed::Nothing if elsewhere => Ok(NextAction::Wait),
        Claimed::Nothing => Ok(NextAction::Done),
    }
}

impl Deliveries {
    fn start(&mut self, engine: &Arc<Engine>, agent: &str, runs: Vec<String>) {
        for run in runs {
            // Two overlapping queries may return the same callback.
            if self.runs.contains(&run) {
                continue;
            }
            self.runs.push(run.clone());
            self.tasks.spawn(deliver(Arc::clone(engine), agent.to_owned(), run));
        }
    }

    /// Waits until a delivery ends or work arrives. Returns `false` if no callback is in delivery.
    async fn finish_one(&mut self, wake: &Notify) -> Result<bool> {
        let finished = tokio::select! {
            finished = self.tasks.join_next() => finished,
            () = wake.notified(), if !self.tasks.is_empty() => return Ok(true),
        };
        finished.map_or(Ok(false), |finished| self.remove(finished).map(|()| true))
    }

    /// Delivers callbacks for as long as a run takes: when one ends, the next is started. Never returns.
    async fn deliver_forever(&mut self, engine: &Arc<Engine>, agent: &str) {
        while let Some(finished) = self.tasks.join_next().await {
            let was_full = self.runs.len() >= outbox::MOST_AT_ONCE;
            // An error here is not lost: the query after the run returns the callback again.
            let removed = self.remove(finished);
            if removed.is_ok() && was_full {
                let agent_id = agent.to_owned();
                let owners = Arc::clone(&engine.owners);
                let delivering = self.runs.clone();
                let collected = engine.db.work(move |tx| outbox::collect(tx, &agent_id, &owners, &delivering)).await;
                self.start(engine, agent, collected.unwrap_or_default().to_deliver);
            }
        }
        std::future::pending().await
    }

    /// Removes the deliveries that ended, so that others can start.
    fn reap(&mut self) -> Result<()> {
        while let Some(finished) = self.tasks.try_join_next() {
            self.remove(finished)?;
        }
        Ok(())
    }

    fn remove(&mut self, finished: std::result::Result<String, JoinError>) -> Result<()> {
        let Ok(run) = finished else {
            // A delivery panicked. All are started again, which counts as an error of the worker.
            *self = Self::default();
            return Err(StoreError::Panicked);
        };
        self.runs.retain(|other| *other != run);
        Ok(())
    }
}

async fn deliver(engine: Arc<Engine>, agent: String, run: String) -> String {
    // After a database error the row is still in the outbox, and the next query returns it.
    let _ = callback::deliver(&engine, &run).await;
    engine.notify(&agent);
    run
}
