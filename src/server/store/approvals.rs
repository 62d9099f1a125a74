//! Tool calls that wait for an approval: at most one per agent.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::error::Result;
use super::fence::{Claim, fence};
use super::messages;
use super::new_message::NewMessage;
use super::runs::RunRow;
use crate::server::types::approval::{PendingApproval, Resume};
use crate::server::types::message::MessageRow;
use crate::server::types::request::{ToolReturn, Verdict};
use crate::server::types::tool_call::ToolCall;

fn read(row: &Row<'_>) -> rusqlite::Result<PendingApproval> {
    Ok(PendingApproval {
        message_id: row.get("message_id")?,
        tool_call_id: row.get("tool_call_id")?,
        call: ToolCall { name: row.get("name")?, arguments: row.get("arguments")? },
        resume: Resume {
            model: row.get("resume_model")?,
            text: row.get("resume_text")?,
            position: row.get("resume_at")?,
        },
    })
}

/// Returns the pending approval of an agent.
pub fn of_agent(tx: &Transaction<'_>, agent: &str) -> Result<Option<PendingApproval>> {
    Ok(tx.prepare_cached("SELECT * FROM approvals WHERE agent_id = ?")?.query_row([agent], read).optional()?)
}

/// Returns the message that asks for an agent's pending approval.
pub fn request_of(tx: &Transaction<'_>, agent: &str) -> Result<Option<MessageRow>> {
    match of_agent(tx, agent)? {
        Some(waits) => messages::get(tx, &waits.message_id),
        None => Ok(None),
    }
}

/// Returns the pending approval for which a run stopped.
pub fn of_run(tx: &Transaction<'_>, run: &str) -> Result<Option<PendingApproval>> {
    Ok(tx.prepare_cached("SELECT * FROM approvals WHERE run_id = ?")?.query_row([run], read).optional()?)
}

/// Adds a pending approval.
pub fn add(tx: &Transaction<'_>, run: &RunRow, waits: &PendingApproval) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO approvals
         (agent_id, run_id, message_id, tool_call_id, name, arguments, resume_model, resume_text, resume_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        run.agent_id,
        run.id,
        waits.message_id,
        waits.tool_call_id,
        waits.call.name,
        waits.call.arguments,
        waits.resume.model,
        waits.resume.text,
        waits.resume.position
    ])?;
    Ok(())
}

/// Stores a decision and the result of the tool as messages of a run, and deletes the pending approval.
pub fn resolve(tx: &Transaction<'_>, run: &RunRow, response: &NewMessage, answer: &NewMessage) -> Result<()> {
    messages::insert(tx, run, None, response)?;
    messages::insert(tx, run, None, answer)?;
    tx.prepare_cached("DELETE FROM approvals WHERE agent_id = ?")?.execute([&run.agent_id])?;
    Ok(())
}

/// Resolves a pending approval with the decision of a run, which then resumes the turn.
pub fn decide(
    tx: &Transaction<'_>,
    claim: &Claim,
    resume: &Resume,
    response: &NewMessage,
    answer: &NewMessage,
) -> Result<()> {
    let run = fence(tx, claim)?;
    resolve(tx, &run, response, answer)?;
    tx.prepare_cached("UPDATE runs SET resume_model = ?, resume_text = ?, resume_at = ? WHERE id = ?")?
        .execute(params![resume.model, resume.text, resume.position, run.id])?;
    Ok(())
}

/// Denies the pending approval of a run.
pub fn deny(tx: &Transaction<'_>, run: &RunRow, waits: &PendingApproval, reason: &str) -> Result<()> {
    let verdict = Verdict::Deny { reason: Some(reason.to_owned()) };
    let response = NewMessage::response(&waits.tool_call_id, &verdict);
    let denied = ToolReturn::new(true, denial(Some(reason)));
    let answer = NewMessage::tool_return(&waits.call.name, &waits.tool_call_id, &denied);
    resolve(tx, run, &response, &answer)
}

/// Returns the result that the model gets for a denied call.
pub fn denial(reason: Option<&str>) -> String {
    let reason = reason.map_or_else(String::new, |reason| format!(" Reason: {reason}"));
    format!("Error: request to call tool denied.{reason}")
}
