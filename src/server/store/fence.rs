//! The fence: a write for a run is refused once its claim was lost.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Result, StoreError};
use super::runs::{COLUMNS, RunRow};
use crate::server::types::approval::{PendingApproval, Resume};
use crate::server::types::request::SendRequest;

/// A run at work, and what the work needs.
#[derive(Clone, Debug)]
pub struct Claim {
    pub run: String,
    /// The run's place among all runs.
    pub seq: i64,
    pub agent: String,
    pub owner: String,
    /// Counts the claims of this run: with the owner it tells this one from all others.
    pub attempt: i64,
    pub request: Arc<SendRequest>,
    pub created: i64,
    /// How many steps are stored.
    pub steps: i64,
    /// The agent's model.
    pub model: String,
    /// What the model is told about itself.
    pub system: String,
    /// Where the turn goes on, if this run is the answer to a question.
    pub resume: Option<Resume>,
    /// The agent's call that waits for a decision.
    pub pending: Option<PendingApproval>,
}

/// Fails if the claim was lost.
pub fn check(connection: &Connection, claim: &Claim) -> Result<()> {
    fence(connection, claim).map(|_| ())
}

/// Returns the run, if the claim still holds. A cancel takes it away, unless it lets the step go on to its end.
pub fn fence(connection: &Connection, claim: &Claim) -> Result<RunRow> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE seq = ? AND owner = ? AND attempt = ? AND status IN ('running', 'cancelled')"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let run = statement.query_row(params![claim.seq, claim.owner, claim.attempt], RunRow::read).optional()?;
    run.ok_or(StoreError::Lost)
}
