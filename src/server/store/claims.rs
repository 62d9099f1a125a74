//! Claims: leases on runs. One process executes a run at a time, and an agent's runs are executed in order, one at a time.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Transaction, params};

use super::agents::{self, AgentProfile};
use super::approvals;
use super::error::{Result, StoreError};
use super::fence::{Claim, check};
use super::owner::Owners;
use super::runs::{self, COLUMNS, RunRow};
use super::sql::OF_AGENT;
use super::steps::{self, Ending};
use crate::model::{RunStatus, StopReason};
use crate::server::types::approval::Resume;
use crate::server::types::clock;
use crate::server::types::request::SendRequest;
use crate::server::types::run_error::{RunError, RunErrorKind};

/// The duration of a lease, in microseconds.
pub const LEASE: i64 = 30_000_000;

/// The `attempt` of a run's first claim.
pub const FIRST: i64 = 1;

/// The number of processes that may die while they execute a run.
const MOST_LOST: i64 = 3;

/// The result of a claim.
#[derive(Debug)]
pub enum Claimed {
    /// This process has the lease.
    Run(Box<Claim>),
    /// Another living process has the lease on the next run.
    Elsewhere,
    /// The next run, with this id, could not be executed and was ended.
    Closed(String),
    /// The agent has no open run.
    Nothing,
}

/// Claims the next run of an agent, unless another living process has the lease.
pub fn claim_next(tx: &Transaction<'_>, agent: &str, owners: &Owners) -> Result<Claimed> {
    let sql = format!(
        "SELECT {COLUMNS}, owner, lease_until, attempt, lost FROM runs
         WHERE agent = {OF_AGENT} AND status IN ('created', 'running') ORDER BY seq LIMIT 1"
    );
    let head =
        tx.prepare_cached(&sql)?.query_row([agent], |row| Ok((RunRow::read(row)?, Lease::read(row)?))).optional()?;
    let Some((run, hold)) = head else { return Ok(Claimed::Nothing) };
    // A process leases the runs of an agent in order, so its lease on the first run is the oldest.
    if hold.lease_until.is_some_and(is_old) || hold.owner.as_deref() != Some(owners.me()) {
        renew_all(tx, agent, owners.me())?;
    }
    if hold.is_by_another(owners) {
        return Ok(Claimed::Elsewhere);
    }
    let lost = hold.lost + i64::from(hold.died(&run, owners));
    let Some(request) = runs::request(tx, &run)?.filter(|_| lost < MOST_LOST) else {
        steps::end_run(tx, &run, &given_up(&run, lost), owners.me())?;
        return Ok(Claimed::Closed(run.id));
    };
    take(tx, &run, &hold, lost, owners.me())?;
    Ok(Claimed::Run(Box::new(assemble(tx, run, Arc::new(request), hold.attempt + 1, owners.me())?)))
}

/// The lease columns of a run.
#[derive(Debug)]
struct Lease {
    owner: Option<String>,
    lease_until: Option<i64>,
    attempt: i64,
    lost: i64,
}

impl Lease {
    fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            owner: row.get("owner")?,
            lease_until: row.get("lease_until")?,
            attempt: row.get("attempt")?,
            lost: row.get("lost")?,
        })
    }

    /// Whether another process has the lease. A dead process is detected by its lock, a hung one by its expired lease.
    fn is_by_another(&self, owners: &Owners) -> bool {
        #[cfg(sabotage)]
        if crate::sabotage::breaks("the-dead-hold-nothing") {
            return self.owner.as_deref().is_some_and(|owner| owner != owners.me());
        }
        let in_time = self.lease_until.is_some_and(|until| until > clock::now());
        self.owner.as_deref().is_some_and(|owner| owner != owners.me() && in_time && owners.is_alive(owner))
    }

    /// Whether the process that executed the run died.
    fn died(&self, run: &RunRow, owners: &Owners) -> bool {
        run.status == RunStatus::Running && self.owner.as_deref().is_some_and(|owner| owner != owners.me())
    }
}

fn given_up(run: &RunRow, lost: i64) -> Ending {
    let error = if lost < MOST_LOST {
        RunError::new(RunErrorKind::UnreadableRequest, "the request of this run cannot be read")
    } else {
        let message = format!("worker lost: {lost} processes that worked on this run ended before it did");
        RunError::new(RunErrorKind::WorkerLost, message)
    };
    let duration_ns = (clock::now() - run.created).max(0) * 1000;
    Ending { status: RunStatus::Failed, reason: StopReason::Error, error: Some(error), duration_ns }
}

fn take(tx: &Transaction<'_>, run: &RunRow, hold: &Lease, lost: i64, me: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE runs SET status = 'running', owner = ?, lease_until = ?, attempt = ?, lost = ? WHERE seq = ?",
    )?
    .execute(params![me, clock::now() + LEASE, hold.attempt + 1, lost, run.seq])?;
    Ok(())
}

fn assemble(tx: &Transaction<'_>, run: RunRow, request: Arc<SendRequest>, attempt: i64, me: &str) -> Result<Claim> {
    let agent = agents::profile(tx, &run.agent_id)?.ok_or(StoreError::Lost)?;
    let steps = steps::usage(tx, &run.id)?.steps;
    let resume = resume(tx, &run.id)?;
    Ok(Claim { attempt, steps, resume, ..claim_new(tx, &run, request, agent, me)? })
}

/// Returns the first claim of a run that was stored as running.
pub fn claim_new(
    tx: &Transaction<'_>,
    run: &RunRow,
    request: Arc<SendRequest>,
    agent: AgentProfile,
    me: &str,
) -> Result<Claim> {
    Ok(Claim {
        steps: 0,
        system: agent.system_prompt(request.override_system.as_ref()),
        model: agent.model,
        pending: approvals::of_agent(tx, &run.agent_id)?,
        resume: None,
        created: run.created,
        seq: run.seq,
        run: run.id.clone(),
        agent: run.agent_id.clone(),
        owner: me.to_owned(),
        attempt: FIRST,
        request,
    })
}

fn resume(tx: &Transaction<'_>, run: &str) -> Result<Option<Resume>> {
    let sql = "SELECT resume_model, resume_text, resume_at FROM runs WHERE id = ? AND resume_text IS NOT NULL";
    let read = |row: &rusqlite::Row<'_>| Ok(Resume { model: row.get(0)?, text: row.get(1)?, position: row.get(2)? });
    Ok(tx.prepare_cached(sql)?.query_row([run], read).optional()?)
}

/// Renews the lease. Fails if the claim was lost.
pub fn renew(tx: &Transaction<'_>, claim: &Claim) -> Result<()> {
    let sql = "SELECT lease_until FROM runs WHERE id = ?";
    let lease: Option<i64> = tx.prepare_cached(sql)?.query_row([&claim.run], |row| row.get(0)).optional()?.flatten();
    if lease.is_some_and(is_old) {
        renew_all(tx, &claim.agent, &claim.owner)?;
    }
    check(tx, claim)
}

/// Whether a third of the lease has passed.
fn is_old(lease_until: i64) -> bool {
    lease_until < clock::now() + LEASE * 2 / 3
}

/// Renews the leases of a process on an agent's runs, each once a third of it has passed.
fn renew_all(tx: &Transaction<'_>, agent: &str, owner: &str) -> Result<()> {
    let now = clock::now();
    let sql = format!(
        "UPDATE runs SET lease_until = ?1 WHERE agent = {OF_AGENT} AND owner = ?3 AND lease_until < ?4
           AND status IN ('created', 'running')"
    );
    tx.prepare_cached(&sql)?.execute(params![now + LEASE, agent, owner, now + LEASE * 2 / 3])?;
    Ok(())
}

/// Returns the agents with open runs that this process has no lease on, and the owners of unexpired leases.
pub fn held_by_others(tx: &Transaction<'_>, me: &str) -> Result<Vec<(String, Option<String>)>> {
    let sql =
        "SELECT DISTINCT agents.id, iif(lease_until > ?2, owner, NULL) FROM runs JOIN agents ON agents.seq = agent
               WHERE status IN ('created', 'running') AND owner IS NOT ?1";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map(params![me, clock::now()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Searches open runs only: every command with `--local` ends with this, however many runs are stored.
const RELEASE_ALL: &str =
    "UPDATE runs SET owner = NULL, lease_until = NULL WHERE owner = ? AND status IN ('created', 'running')";

/// Releases all leases of a process, so that others need not wait until they expire.
pub fn release_all(tx: &Transaction<'_>, owner: &str) -> Result<(), StoreError> {
    tx.prepare_cached(RELEASE_ALL)?.execute([owner])?;
    tx.prepare_cached("UPDATE outbox SET owner = NULL WHERE owner = ?")?.execute([owner])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db;
    use crate::server::store::IDENTITY;

    #[test]
    fn leases_to_release_are_found_by_an_index() {
        let connection = db::open_in_memory(IDENTITY).expect("opened");
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {RELEASE_ALL}")).expect("a statement");
        let plan = statement.query_map(["me"], |row| row.get("detail")).expect("a plan");
        let plan: Vec<String> = plan.collect::<Result<_, _>>().expect("a plan");
        assert!(plan.iter().all(|step| step.starts_with("SEARCH")), "{plan:?}");
    }
}
