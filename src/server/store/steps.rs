//! Steps: each is one transaction with its messages, its usage and, if it is the last, the run's end.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::approvals;
use super::error::Result;
use super::fence::{Claim, fence};
use super::messages;
use super::new_message::NewMessage;
use super::outbox;
use super::page::PageRequest;
use super::runs::RunRow;
use super::sql::as_json;
use crate::model::{RunStatus, StopReason};
use crate::server::types::approval::PendingApproval;
use crate::server::types::run_error::RunError;
use crate::server::types::{clock, ids};

/// A stored step.
#[derive(Clone, Debug)]
pub struct StepRow {
    pub id: String,
    pub run_id: String,
    pub agent_id: String,
    pub model: String,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    pub stop_reason: Option<String>,
    pub error_type: Option<String>,
    pub error: Option<String>,
}

/// A step to store.
#[derive(Debug, Default)]
pub struct NewStep {
    /// The handle of the model that made it.
    pub model: String,
    pub messages: Vec<NewMessage>,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
    /// The tool call that waits for an approval after this step.
    pub pending: Option<PendingApproval>,
    pub error: Option<RunError>,
    /// Whether the messages of the request are not assigned to it.
    pub drops_input: bool,
}

/// How a run ends.
#[derive(Debug)]
pub struct Ending {
    pub status: RunStatus,
    pub reason: StopReason,
    pub error: Option<RunError>,
    pub duration_ns: i64,
}

/// The tokens of a run, over all its steps.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub steps: i64,
    pub prompt_tokens: i64,
    pub completion_tokens: i64,
}

impl StepRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            run_id: row.get("run_id")?,
            agent_id: row.get("agent_id")?,
            model: row.get("model")?,
            prompt_tokens: row.get("prompt_tokens")?,
            completion_tokens: row.get("completion_tokens")?,
            stop_reason: row.get("stop_reason")?,
            error_type: row.get("error_type")?,
            error: row.get("error")?,
        })
    }
}

/// Stores a step, the end of the run, or both; an error if the claim was lost.
pub fn commit(
    tx: &Transaction<'_>,
    claim: &Claim,
    step: Option<&NewStep>,
    ttft_ns: Option<i64>,
    ending: Option<&Ending>,
) -> Result<()> {
    let run = fence(tx, claim)?;
    if run.ttft_ns.is_none() && ttft_ns.is_some() {
        tx.prepare_cached("UPDATE runs SET ttft_ns = ? WHERE seq = ?")?.execute(params![ttft_ns, run.seq])?;
    }
    if let Some(step) = step {
        add(tx, &run, step, ending.map(|ending| &ending.reason))?;
    }
    if let Some(ending) = ending {
        end_run(tx, &run, ending, &claim.owner)?;
    }
    Ok(())
}

fn add(tx: &Transaction<'_>, run: &RunRow, step: &NewStep, reason: Option<&StopReason>) -> Result<()> {
    let id = format!("step-{}", ids::uuid());
    let error = step.error.as_ref();
    let stop_reason = error.map(|error| error.kind.stop_reason());
    tx.prepare_cached(
        "INSERT INTO steps (id, run_id, model, prompt_tokens, completion_tokens, stop_reason, error_type, error)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        run.id,
        step.model,
        step.prompt_tokens,
        step.completion_tokens,
        stop_reason.as_ref().or(reason).map(StopReason::as_str),
        error.map(|error| error.kind.exception()),
        error.map(|error| &error.message)
    ])?;
    if !step.drops_input {
        adopt_inputs(tx, run, &id)?;
    }
    for message in &step.messages {
        messages::insert(tx, run, Some(&id), message)?;
    }
    step.pending.as_ref().map_or(Ok(()), |waits| approvals::add(tx, run, waits))
}

/// Assigns the messages of the request to the first step. Approvals belong to no step.
fn adopt_inputs(tx: &Transaction<'_>, run: &RunRow, step: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE messages SET step_id = ? WHERE agent = ? AND run_seq = ? AND step_id IS NULL
           AND message_type <> 'approval_response_message'",
    )?
    .execute(params![step, run.agent, run.seq])?;
    Ok(())
}

/// Ends a run, and adds its callback to the outbox in the same transaction.
pub fn end_run(tx: &Transaction<'_>, run: &RunRow, ending: &Ending, owner: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE runs SET status = ?, stop_reason = ?, error = ?, completed = coalesce(completed, ?), duration_ns = ?,
           owner = NULL, lease_until = NULL WHERE seq = ?",
    )?
    .execute(params![
        ending.status.as_str(),
        ending.reason.as_str(),
        ending.error.as_ref().map(as_json),
        clock::now(),
        ending.duration_ns,
        run.seq
    ])?;
    #[cfg(sabotage)]
    if crate::sabotage::breaks("callback-with-the-end") {
        return Ok(());
    }
    // The callback of a cancelled run was added when it was cancelled.
    if run.status == RunStatus::Cancelled { Ok(()) } else { outbox::add(tx, run, Some(owner)) }
}

/// Adds a callback in another transaction than the end of its run, so that a process that dies between loses it.
#[cfg(sabotage)]
pub fn add_callback_late(tx: &Transaction<'_>, claim: &Claim) -> Result<()> {
    match super::runs::get(tx, &claim.run)? {
        Some(run) if crate::sabotage::breaks("callback-with-the-end") => outbox::add(tx, &run, Some(&claim.owner)),
        _ => Ok(()),
    }
}

/// Returns the tokens of a run.
pub fn usage(tx: &Transaction<'_>, run: &str) -> Result<Usage> {
    let sql = "SELECT count(*), coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0)
               FROM steps WHERE run_id = ?";
    let read =
        |row: &Row<'_>| Ok(Usage { steps: row.get(0)?, prompt_tokens: row.get(1)?, completion_tokens: row.get(2)? });
    Ok(tx.prepare_cached(sql)?.query_row([run], read)?)
}

/// Lists a run's steps, a page at a time. The id of an unknown cursor is the error.
pub fn list(tx: &Transaction<'_>, run: &str, page: &PageRequest) -> Result<std::result::Result<Vec<StepRow>, String>> {
    for cursor in [&page.after, &page.before].into_iter().flatten() {
        let known =
            tx.prepare_cached("SELECT 1 FROM steps WHERE id = ?")?.query_row([cursor], |_| Ok(())).optional()?;
        if known.is_none() {
            return Ok(Err(cursor.clone()));
        }
    }
    let (cursor, tail) = page.bounds(tx, "steps", "steps.seq")?;
    let limit = page.limit;
    let sql = format!(
        "SELECT steps.*, agents.id AS agent_id FROM steps JOIN runs ON runs.id = run_id JOIN agents ON agents.seq = agent WHERE run_id = ? AND {cursor} {tail} LIMIT {limit}"
    );
    // Not cached: the numbers in it differ each time.
    let mut statement = tx.prepare(&sql)?;
    let mut found = statement.query_map([run], StepRow::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
    if page.backwards() {
        found.reverse();
    }
    Ok(Ok(found))
}
