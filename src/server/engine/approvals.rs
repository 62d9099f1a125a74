//! Approvals: carries out the decision of a request on a waiting tool call, and finds where the turn resumes.

use crate::server::models;
use crate::server::store::approvals::{self, denial};
use crate::server::store::fence::Claim;
use crate::server::store::messages;
use crate::server::store::new_message::NewMessage;
use crate::server::store::{Database, Result};
use crate::server::types::approval::{PendingApproval, Resume};
use crate::server::types::request::{Decision, ToolReturn, Verdict};
use crate::server::types::run_error::{RunError, RunErrorKind};

const PENDING: &str = "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. \
                       Please approve or deny the pending request before continuing.";
const NOTHING_PENDING: &str = "Cannot process approval response: No tool call is currently awaiting approval. \
                               Please send a regular message to interact with the agent.";

/// The next step of a run after its approvals.
#[derive(Debug)]
pub enum NextStep {
    /// Answer its own messages.
    Answer,
    /// Resume the turn that waited.
    Resume(Resume),
    /// Nothing: its decision was carried out before.
    Nothing,
}

/// Carries out the decision of a run's request.
pub async fn decide(db: &Database, claim: &Claim) -> Result<std::result::Result<NextStep, RunError>> {
    let decisions: Vec<&Decision> = claim.request.decisions().collect();
    match (&claim.resume, &claim.pending, decisions.as_slice()) {
        // A process that died afterwards carried the decision out.
        (Some(resume), ..) => Ok(Ok(NextStep::Resume(resume.clone()))),
        (None, None, []) => Ok(Ok(NextStep::Answer)),
        (None, Some(_), []) => Ok(Err(RunError::new(RunErrorKind::PendingApproval, PENDING))),
        (None, None, repeated) if were_carried_out(db, claim, repeated)? => Ok(Ok(NextStep::Nothing)),
        (None, None, _) => Ok(Err(RunError::new(RunErrorKind::NoPendingCall, NOTHING_PENDING))),
        (None, Some(pending), [decision]) if concerns(decision, pending) => apply(db, claim, pending, decision).await,
        (None, Some(pending), others) => Ok(Err(mismatch(pending, others))),
    }
}

/// Returns whether every call of these decisions has a result. If so, the request repeats decisions that were carried out:
/// its sender lost the first response.
fn were_carried_out(db: &Database, claim: &Claim, decisions: &[&Decision]) -> Result<bool> {
    let has_no_message = claim.request.messages().next().is_none();
    let calls: Option<Vec<&String>> = decisions.iter().map(|decision| decision.tool_call_id.as_ref()).collect();
    let Some(calls) = calls.filter(|_| has_no_message) else { return Ok(false) };
    db.peek(|tx| {
        let mut answered = calls.iter().map(|call| messages::is_answered(tx, &claim.agent, call));
        answered.try_fold(true, |all, one| Ok(all && one?))
    })
}

fn concerns(decision: &Decision, pending: &PendingApproval) -> bool {
    let same_call = decision.tool_call_id.as_ref().is_none_or(|id| *id == pending.tool_call_id);
    same_call && decision.request_id.as_ref().is_none_or(|id| *id == pending.message_id)
}

fn mismatch(pending: &PendingApproval, decisions: &[&Decision]) -> RunError {
    let named =
        |decision: &&Decision| decision.tool_call_id.clone().or(decision.request_id.clone()).unwrap_or_default();
    let received: Vec<String> = decisions.iter().map(named).map(|id| format!("'{id}'")).collect();
    let expected = &pending.tool_call_id;
    let message = format!("Invalid tool call IDs. Expected ['{expected}'], received [{}]", received.join(", "));
    RunError::new(RunErrorKind::CallMismatch, message)
}

async fn apply(
    db: &Database,
    claim: &Claim,
    pending: &PendingApproval,
    decision: &Decision,
) -> Result<std::result::Result<NextStep, RunError>> {
    let response = NewMessage::response(&pending.tool_call_id, &decision.verdict);
    let result = result(pending, &decision.verdict);
    let result = NewMessage::tool_return(&pending.call.name, &pending.tool_call_id, &result);
    let claim = claim.clone();
    let resume = pending.resume.clone();
    db.work(move |tx| approvals::decide(tx, &claim, &resume, &response, &result)).await?;
    Ok(Ok(NextStep::Resume(pending.resume.clone())))
}

/// Returns the result of a tool call after a verdict.
fn result(pending: &PendingApproval, verdict: &Verdict) -> ToolReturn {
    match verdict {
        Verdict::Approve => ToolReturn::new(false, models::tool_return(&pending.call)),
        Verdict::Deny { reason } => ToolReturn::new(true, denial(reason.as_deref())),
        Verdict::Result(returned) => returned.clone(),
    }
}
