//! Posts a message to an agent, and tracks whether the server may have accepted it.

use std::cell::Cell;
use std::time::Duration;

use super::Client;
use super::error::ApiError;
use super::exchange::Call;
use crate::core::Acceptance;
use crate::core::retry::Intent;
use crate::core::run_match::REQUEST_TIME_LIMIT;
use crate::model::{AgentId, Run};

/// A message that is being submitted.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The agent that receives it.
    pub agent: AgentId,
    /// The body of the request, as JSON.
    pub body: String,
    /// The idempotency key. A server that honours it accepts the message once.
    pub key: String,
    /// Whether the callback URL is unique to this message, so that a run with this URL is the message's.
    pub own_callback: bool,
    /// Whether the server may have accepted it so far.
    pub acceptance: Cell<Acceptance>,
}

impl Client {
    /// Returns whether the server may have accepted a message so far. That is impossible before a connection was
    /// established, and during the pause before a retry.
    pub fn acceptance(&self, submission: &Submission) -> Acceptance {
        if self.transport.was_connected() { submission.acceptance.get() } else { Acceptance::Impossible }
    }

    pub(super) async fn post(&self, submission: &Submission, intent: Intent) -> Result<Run, ApiError> {
        let path = format!("/agents/{}/messages/async", submission.agent);
        let mut call = Call::post(path, submission.body.clone());
        call.idempotency_key = Some(submission.key.clone());
        call.intent = intent;
        if intent == Intent::IdempotentWrite {
            call = call.within(REQUEST_TIME_LIMIT);
        }
        self.repeat(&call, async |left| self.post_once(submission, &call, left).await).await
    }

    async fn post_once(&self, submission: &Submission, call: &Call, left: Option<Duration>) -> Result<Run, ApiError> {
        submission.acceptance.set(Acceptance::Possible);
        let answer = self.exchange_seen(call, left, |_| ()).await;
        let run = answer.and_then(|answer| self.run_in(call, &answer));
        // The rejection of a resend does not show whether the first request was accepted.
        let is_rejected = |error: &ApiError| error.acceptance() == Acceptance::Impossible;
        if call.intent == Intent::Write && run.as_ref().is_err_and(is_rejected) {
            submission.acceptance.set(Acceptance::Impossible);
        }
        run
    }
}
