//! The query for an agent's next work. It can join the transaction that ends a run.

use std::sync::Arc;

use rusqlite::Transaction;

use super::state::Engine;
use crate::server::store::Result;
use crate::server::store::claims::{self, Claimed};
use crate::server::store::outbox::{self, Collected};

/// The next work of an agent, leased to this process.
pub struct NextWork {
    pub claimed: Claimed,
    pub callbacks: Collected,
}

/// The query for an agent's next work.
#[derive(Clone)]
pub struct NextWorkQuery {
    pub engine: Arc<Engine>,
    pub agent: String,
    /// The runs whose callbacks are in delivery here.
    pub delivering: Vec<String>,
}

impl NextWorkQuery {
    /// Claims the next run, and the callbacks that are due and not in delivery.
    pub fn run(&self, tx: &Transaction<'_>) -> Result<NextWork> {
        let owners = &self.engine.owners;
        let callbacks = outbox::collect(tx, &self.agent, owners, &self.delivering)?;
        let accepts = self.engine.accepts_work();
        let claimed = if accepts { claims::claim_next(tx, &self.agent, owners)? } else { Claimed::Nothing };
        Ok(NextWork { claimed, callbacks })
    }
}
