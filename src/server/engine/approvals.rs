//! Decisions on tool calls that wait: which run may go on, and behind what.

use crate::server::models::{self, Failure};
use crate::server::store::approvals::{self, Pending, Resume, denial};
use crate::server::store::claims::Claim;
use crate::server::store::messages::{self, NewMessage};
use crate::server::store::{Database, Result};
use crate::server::types::request::{Decision, Returned, Verdict};

const CONFLICT: &str = "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. \
                        Please approve or deny the pending request before continuing.";
const NOTHING_WAITS: &str = "Cannot process approval response: No tool call is currently awaiting approval. \
                              Please send a regular message to interact with the agent.";

/// What a run is to do.
#[derive(Debug)]
pub enum Next {
    /// To answer what it was sent.
    Answer,
    /// To go on where a turn waited.
    GoOn(Resume),
    /// Nothing: what it decides was decided before.
    Nothing,
}

/// Carries out the decision that a run brings.
pub async fn decide(db: &Database, claim: &Claim) -> Result<std::result::Result<Next, Failure>> {
    let decisions: Vec<&Decision> = claim.request.decisions().collect();
    match (&claim.resume, &claim.waits, decisions.as_slice()) {
        // It was carried out before, by a process that did not get to the end.
        (Some(resume), ..) => Ok(Ok(Next::GoOn(resume.clone()))),
        (None, None, []) => Ok(Ok(Next::Answer)),
        (None, Some(_), []) => Ok(Err(Failure::new("PendingApprovalError", CONFLICT))),
        (None, None, again) if were_carried_out(db, claim, again)? => Ok(Ok(Next::Nothing)),
        (None, None, _) => Ok(Err(Failure::new("ValueError", NOTHING_WAITS))),
        (None, Some(waits), [decision]) if concerns(decision, waits) => apply(db, claim, waits, decision).await,
        (None, Some(waits), others) => Ok(Err(mismatch(waits, others))),
    }
}

/// Whether all of these calls were answered: their sender did not hear that, and sent again. There is nothing to add.
fn were_carried_out(db: &Database, claim: &Claim, decisions: &[&Decision]) -> Result<bool> {
    let said_nothing = claim.request.messages().next().is_none();
    let calls: Option<Vec<&String>> = decisions.iter().map(|decision| decision.tool_call_id.as_ref()).collect();
    let Some(calls) = calls.filter(|_| said_nothing) else { return Ok(false) };
    db.peek(|tx| {
        let mut answered = calls.iter().map(|call| messages::is_answered(tx, &claim.agent, call));
        answered.try_fold(true, |all, one| Ok(all && one?))
    })
}

fn concerns(decision: &Decision, waits: &Pending) -> bool {
    let call = decision.tool_call_id.as_ref().is_none_or(|id| *id == waits.tool_call_id);
    call && decision.request_id.as_ref().is_none_or(|id| *id == waits.message_id)
}

fn mismatch(waits: &Pending, decisions: &[&Decision]) -> Failure {
    let named =
        |decision: &&Decision| decision.tool_call_id.clone().or(decision.request_id.clone()).unwrap_or_default();
    let received: Vec<String> = decisions.iter().map(named).map(|id| format!("'{id}'")).collect();
    let expected = &waits.tool_call_id;
    let message = format!("Invalid tool call IDs. Expected ['{expected}'], received [{}]", received.join(", "));
    Failure::new("ValueError", message)
}

async fn apply(
    db: &Database,
    claim: &Claim,
    waits: &Pending,
    decision: &Decision,
) -> Result<std::result::Result<Next, Failure>> {
    let (id, name) = (&waits.tool_call_id, &waits.call.name);
    let response = NewMessage::response(id, &decision.verdict);
    let returned = NewMessage::tool_return(name, id, &outcome(waits, &decision.verdict));
    let (claim, resume) = (claim.clone(), waits.resume.clone());
    let resumed = resume.clone();
    db.work(move |tx| approvals::decide(tx, &claim, &resume, &response, &returned)).await?;
    Ok(Ok(Next::GoOn(resumed)))
}

/// What the tool answers.
fn outcome(waits: &Pending, verdict: &Verdict) -> Returned {
    match verdict {
        Verdict::Approve => Returned::new(false, models::tool_return(&waits.call)),
        Verdict::Deny { reason } => Returned::new(true, denial(reason.as_deref())),
        Verdict::Result(returned) => returned.clone(),
    }
}
