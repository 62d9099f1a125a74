//! Sends a message, and looks for its run if the answer is lost.
//!
//! A message is resent only if that cannot duplicate it. If the server honours `Idempotency-Key`, the client resends
//! the message with the same key. Otherwise it reads the agent's runs and messages until it has proof of the message's
//! run.

use std::collections::HashSet;

use tokio::time::Instant;

use super::client_event::ClientEvent;
use super::error::ApiError;
use super::lost_message::Search;
use super::{Client, Submission};
use crate::core::Acceptance;
use crate::core::retry::Intent;
use crate::model::{Run, RunId};

/// The error of a message whose run is unknown.
#[derive(Clone, Debug)]
pub struct SendError {
    /// The error of the request.
    pub error: ApiError,
    /// Runs that may be the message's, without proof.
    pub candidates: Vec<RunId>,
}

impl Client {
    /// `POST /v1/agents/{agent_id}/messages/async`: submits a message.
    ///
    /// If the message may have been accepted but its answer is lost, this searches for its run for up to a minute.
    /// `owned` returns the runs of other messages from this machine.
    pub async fn send(
        &self,
        submission: &Submission,
        owned: impl FnOnce() -> HashSet<RunId>,
    ) -> Result<Run, SendError> {
        let sent_at = Instant::now();
        let error = match self.post(submission, Intent::Write).await {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        if error.acceptance() == Acceptance::Impossible {
            return Err(SendError { error, candidates: Vec::new() });
        }
        let lost = ClientEvent::Lost { server: &self.server, agent: &submission.agent, cause: error.words() };
        (self.listener)(lost);
        let mut search = Search::new(self, submission, owned(), sent_at);
        match search.run().await {
            Some(run) => {
                (self.listener)(ClientEvent::Found { id: run.id() });
                Ok(run)
            }
            None => Err(SendError { error, candidates: search.candidates }),
        }
    }
}
