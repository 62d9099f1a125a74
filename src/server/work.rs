//! A worker: executes the runs of one agent in their order, and delivers their callbacks beside that.

use std::sync::Arc;

use rusqlite::Transaction;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::engine::{Engine, LOOK_AGAIN};
use super::store::claims::{self, Claimed};
use super::store::outbox::{self, Collected};
use super::store::{Result, StoreError};
use super::{callback, execute};

/// After how many failures of the database in a row a worker gives up.
const MOST_FAULTS: usize = 5;

/// What a worker does next.
enum Next {
    /// Look for more.
    Again,
    /// Wait for another process.
    Wait,
    /// Go, for nothing is left.
    Done,
}

/// Callbacks that are being delivered.
#[derive(Default)]
struct Deliveries {
    tasks: JoinSet<String>,
    runs: Vec<String>,
}

/// Works for an agent until nothing is left to do.
pub(super) async fn work(engine: Arc<Engine>, agent: String, wake: Arc<Notify>) {
    let mut deliveries = Deliveries::default();
    let mut faults = 0;
    loop {
        match look(&engine, &agent, &wake, &mut deliveries).await {
            Ok(Next::Again) => faults = 0,
            Ok(Next::Wait) => sleep(LOOK_AGAIN).await,
            Ok(Next::Done) if engine.retire(&agent) => return engine.announce(&agent),
            Ok(Next::Done) => {}
            Err(error) if faults + 1 == MOST_FAULTS => return engine.give_up(&agent, &error),
            Err(_) => {
                faults += 1;
                sleep(LOOK_AGAIN).await;
            }
        }
        engine.announce(&agent);
    }
}

/// Does the next thing there is to do.
async fn look(engine: &Arc<Engine>, agent: &str, wake: &Notify, deliveries: &mut Deliveries) -> Result<Next> {
    let (claimed, elsewhere) = take(engine, agent, deliveries).await?;
    match claimed {
        Claimed::Run(claim) => execute::execute(engine, &claim).await.map(|()| Next::Again),
        Claimed::Closed(run) => {
            engine.announce(&run);
            Ok(Next::Again)
        }
        Claimed::Elsewhere => Ok(Next::Wait),
        Claimed::Nothing if deliveries.finish_one(wake).await? => Ok(Next::Again),
        Claimed::Nothing if elsewhere => Ok(Next::Wait),
        Claimed::Nothing => Ok(Next::Done),
    }
}

/// Takes the next run and the callbacks that nobody delivers. Returns also whether another process delivers.
async fn take(engine: &Arc<Engine>, agent: &str, deliveries: &mut Deliveries) -> Result<(Claimed, bool)> {
    let (of, owners, busy) = (agent.to_owned(), Arc::clone(&engine.owners), deliveries.runs.clone());
    let takes = engine.takes_work();
    let work = move |tx: &Transaction<'_>| {
        let collected = outbox::collect(tx, &of, &owners, &busy)?;
        let claimed = if takes { claims::claim(tx, &of, &owners)? } else { Claimed::Nothing };
        Ok((claimed, collected))
    };
    let (claimed, Collected { ours, elsewhere }) = engine.db.write(work).await?;
    deliveries.start(engine, agent, ours);
    Ok((claimed, elsewhere && takes))
}

impl Deliveries {
    fn start(&mut self, engine: &Arc<Engine>, agent: &str, runs: Vec<String>) {
        for run in runs {
            self.runs.push(run.clone());
            self.tasks.spawn(deliver(Arc::clone(engine), agent.to_owned(), run));
        }
    }

    /// Waits until one is done or a run comes in, if any is under way.
    async fn finish_one(&mut self, wake: &Notify) -> Result<bool> {
        let finished = tokio::select! {
            finished = self.tasks.join_next() => finished,
            () = wake.notified(), if !self.tasks.is_empty() => return Ok(true),
        };
        match finished {
            None => Ok(false),
            Some(Ok(run)) => {
                self.runs.retain(|other| *other != run);
                Ok(true)
            }
            Some(Err(_)) => {
                // A bug. They begin anew, as often as a worker bears it.
                *self = Self::default();
                Err(StoreError::Panicked)
            }
        }
    }
}

async fn deliver(engine: Arc<Engine>, agent: String, run: String) -> String {
    // An error of the database leaves the row, which the next look finds again.
    let _ = callback::deliver(&engine, &run).await;
    engine.announce(&agent);
    run
}
