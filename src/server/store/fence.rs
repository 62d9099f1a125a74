//! The fence: a write for a run is refused once its claim was lost.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};

use super::error::{Result, StoreError};
use super::runs::{COLUMNS, RunRow};
use crate::server::types::approval::{PendingApproval, Resume};
use crate::server::types::request::SendRequest;

/// A claim: the lease on a run, with the input of its execution.
#[derive(Clone, Debug)]
pub struct Claim {
    pub run: String,
    /// The run's number.
    pub seq: i64,
    pub agent: String,
    pub owner: String,
    /// The number of this claim of the run. With `owner`, it is the fencing token.
    pub attempt: i64,
    pub request: Arc<SendRequest>,
    pub created: i64,
    /// The number of stored steps.
    pub steps: i64,
    /// The agent's model.
    pub model: String,
    /// The system prompt.
    pub system: String,
    /// The point at which the turn resumes, if this run decided on an approval.
    pub resume: Option<Resume>,
    /// The agent's tool call that waits for an approval.
    pub pending: Option<PendingApproval>,
}

/// Fails if the claim was lost.
pub fn check(connection: &Connection, claim: &Claim) -> Result<()> {
    fence(connection, claim).map(|_| ())
}

/// Returns the run, or an error if the claim was lost. A cancel revokes the claim, unless it lets the step end.
pub fn fence(connection: &Connection, claim: &Claim) -> Result<RunRow> {
    let sql = format!(
        "SELECT {COLUMNS} FROM runs WHERE seq = ? AND owner = ? AND attempt = ? AND status IN ('running', 'cancelled')"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let run = statement.query_row(params![claim.seq, claim.owner, claim.attempt], RunRow::read).optional()?;
    run.ok_or(StoreError::Lost)
}
