//! Cancels runs.

use rusqlite::{Transaction, params};

use super::error::Result;
use super::runs::get;
use super::{approvals, outbox};
use crate::server::types::clock;

/// The result of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// No such run.
    Unknown,
    /// It had ended before; nothing changed.
    Before,
    /// It is cancelled now.
    Now,
}

/// Cancels a run, and denies its pending approval. With `for_good` it also revokes the lease; otherwise the step in
/// progress may still complete the run.
pub fn cancel(tx: &Transaction<'_>, id: &str, duration_ns: Option<i64>, for_good: bool) -> Result<Cancelled> {
    let Some(run) = get(tx, id)? else { return Ok(Cancelled::Unknown) };
    let waits = approvals::of_run(tx, id)?;
    if run.status.is_terminal() && waits.is_none() {
        return Ok(Cancelled::Before);
    }
    let now = clock::now();
    tx.prepare_cached(
        "UPDATE runs SET status = 'cancelled', stop_reason = 'cancelled', owner = iif(?4, NULL, owner),
           lease_until = NULL, completed = coalesce(completed, ?2), duration_ns = coalesce(duration_ns, ?3)
         WHERE id = ?1",
    )?
    .execute(params![id, now, duration_ns.unwrap_or((now - run.created).max(0) * 1000), for_good])?;
    match waits {
        Some(waits) => approvals::deny(tx, &run, &waits, "the run was cancelled")?,
        None => outbox::add(tx, &run, None)?,
    }
    Ok(Cancelled::Now)
}
