//! Decisions on tool calls that wait: which run may go on, and behind what.

use serde_json::Value;

use super::answer::{self, Failure};
use super::request::{Decision, Verdict};
use super::store::approvals::{self, Pending, Resume, denial};
use super::store::claims::Claim;
use super::store::messages::NewMessage;
use super::store::{Database, Result};

const CONFLICT: &str = "CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call. \
                        Please approve or deny the pending request before continuing.";
const NOTHING_WAITS: &str = "Cannot process approval response: No tool call is currently awaiting approval.";

/// Carries out the decision that a run brings. Returns where its turn goes on, if it is not a new one.
pub(super) async fn decide(db: &Database, claim: &Claim) -> Result<std::result::Result<Option<Resume>, Failure>> {
    let decisions: Vec<&Decision> = claim.request.decisions().collect();
    match (&claim.resume, &claim.waits, decisions.as_slice()) {
        // It was carried out before, by a process that did not get to the end.
        (Some(resume), ..) => Ok(Ok(Some(resume.clone()))),
        (None, None, []) => Ok(Ok(None)),
        (None, Some(_), []) => Ok(Err(Failure::new("PendingApprovalError", CONFLICT))),
        (None, None, _) => Ok(Err(Failure::new("ValueError", NOTHING_WAITS))),
        (None, Some(waits), [decision]) if concerns(decision, waits) => apply(db, claim, waits, decision).await,
        (None, Some(waits), others) => Ok(Err(mismatch(waits, others))),
    }
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
) -> Result<std::result::Result<Option<Resume>, Failure>> {
    let (id, name) = (&waits.tool_call_id, &waits.call.name);
    let (approve, reason, error, answer) = outcome(waits, &decision.verdict);
    let response = NewMessage::response(id, approve, reason);
    let returned = NewMessage::tool_return(name, id, error, &answer);
    let (claim, resume) = (claim.clone(), waits.resume.clone());
    let resumed = resume.clone();
    db.write(move |tx| approvals::decide(tx, &claim, &resume, response, returned)).await?;
    Ok(Ok(Some(resumed)))
}

/// Whether it is allowed, why not, whether the tool failed, and what it answers.
fn outcome<'a>(waits: &Pending, verdict: &'a Verdict) -> (bool, Option<&'a str>, bool, Value) {
    match verdict {
        Verdict::Approve => (true, None, false, answer::tool_return(&waits.call).into()),
        Verdict::Deny { reason } => (false, reason.as_deref(), true, denial(reason.as_deref())),
        Verdict::Result { error, tool_return } => (true, None, *error, tool_return.clone()),
    }
}
