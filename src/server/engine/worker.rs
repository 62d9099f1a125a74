//! A worker: executes the runs of one agent in their order, and delivers their callbacks beside that.

use std::sync::Arc;

use rusqlite::Transaction;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use super::{Engine, LOOK_AGAIN};
use super::{callback, execute};
use crate::server::store::claims::{self, Claim, Claimed};
use crate::server::store::outbox::{self, Collected};
use crate::server::store::{Result, StoreError};

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

/// What there is to do for an agent.
pub struct Taken {
    claimed: Claimed,
    callbacks: Collected,
}

/// A look at what there is to do for an agent. It goes along with the write that ends a run.
#[derive(Clone)]
pub struct Look {
    engine: Arc<Engine>,
    agent: String,
    /// The callbacks that are under way here.
    busy: Vec<String>,
}

impl Look {
    /// Takes the next run and the callbacks that nobody delivers.
    pub fn take(&self, tx: &Transaction<'_>) -> Result<Taken> {
        let owners = &self.engine.owners;
        let callbacks = outbox::collect(tx, &self.agent, owners, &self.busy)?;
        let takes = self.engine.takes_work();
        let claimed = if takes { claims::claim(tx, &self.agent, owners)? } else { Claimed::Nothing };
        Ok(Taken { claimed, callbacks })
    }
}

/// Works for an agent until nothing is left to do, beginning with a run in hand, if there is one.
pub async fn work(engine: Arc<Engine>, agent: String, wake: Arc<Notify>, first: Option<Box<Claim>>) {
    let mut deliveries = Deliveries::default();
    let mut taken = first.map(|claim| Taken { claimed: Claimed::Run(claim), callbacks: Collected::default() });
    let mut faults = 0;
    loop {
        match look(&engine, &agent, &wake, &mut deliveries, &mut taken).await {
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

/// Does the next thing there is to do: what was taken before, or what a look finds.
async fn look(
    engine: &Arc<Engine>,
    agent: &str,
    wake: &Notify,
    deliveries: &mut Deliveries,
    taken: &mut Option<Taken>,
) -> Result<Next> {
    deliveries.forget_those_done()?;
    let look = |busy: &[String]| Look { engine: Arc::clone(engine), agent: agent.to_owned(), busy: busy.to_vec() };
    let Taken { claimed, callbacks } = match taken.take() {
        Some(taken) => taken,
        None => {
            let look = look(&deliveries.runs);
            engine.db.work(move |tx| look.take(tx)).await?
        }
    };
    let elsewhere = callbacks.elsewhere && engine.takes_work();
    deliveries.start(engine, agent, callbacks.ours);
    match claimed {
        Claimed::Run(claim) => {
            let look = look(&deliveries.runs);
            *taken = tokio::select! {
                taken = execute::execute(engine, &claim, look) => taken?,
                () = deliveries.go_on(engine, agent) => None,
            };
            Ok(Next::Again)
        }
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

impl Deliveries {
    fn start(&mut self, engine: &Arc<Engine>, agent: &str, runs: Vec<String>) {
        for run in runs {
            // Two looks that crossed each other find the same.
            if self.runs.contains(&run) {
                continue;
            }
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
        finished.map_or(Ok(false), |finished| self.forget(finished).map(|()| true))
    }

    /// Delivers on beside a run, however long that takes: what waits for room gets it. Never returns.
    async fn go_on(&mut self, engine: &Arc<Engine>, agent: &str) {
        while let Some(finished) = self.tasks.join_next().await {
            let (of, owners, were) = (agent.to_owned(), Arc::clone(&engine.owners), self.runs.len());
            // What fails here is found again by the look behind the run.
            let forgotten = self.forget(finished);
            if forgotten.is_ok() && were >= outbox::MOST_AT_ONCE {
                let busy = self.runs.clone();
                let collected = engine.db.work(move |tx| outbox::collect(tx, &of, &owners, &busy)).await;
                self.start(engine, agent, collected.unwrap_or_default().ours);
            }
        }
        std::future::pending().await
    }

    /// Makes room for others where some are done, however long the agent goes on working.
    fn forget_those_done(&mut self) -> Result<()> {
        while let Some(finished) = self.tasks.try_join_next() {
            self.forget(finished)?;
        }
        Ok(())
    }

    fn forget(&mut self, finished: std::result::Result<String, JoinError>) -> Result<()> {
        let Ok(run) = finished else {
            // A bug. They begin anew, as often as a worker bears it.
            *self = Self::default();
            return Err(StoreError::Panicked);
        };
        self.runs.retain(|other| *other != run);
        Ok(())
    }
}

async fn deliver(engine: Arc<Engine>, agent: String, run: String) -> String {
    // An error of the database leaves the row, which the next look finds again.
    let _ = callback::deliver(&engine, &run).await;
    engine.announce(&agent);
    run
}
