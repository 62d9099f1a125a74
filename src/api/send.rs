//! Submitting a message, and finding out what became of it where the answer was lost.
//!
//! A message is never sent again on a guess. A server that declares that it honours `Idempotency-Key` gets the same
//! message under the same key; any other is asked for its runs and messages until one is proven to be ours.

use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use super::Client;
use super::error::ApiError;
use super::exchange::Call;
use super::lost_message::{PATIENCE, Search};
use super::retrying::Heard;
use crate::core::Sent;
use crate::core::retry::Intent;
use crate::model::{AgentId, Run, RunId};

/// A message on its way.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The agent that it is for.
    pub agent: AgentId,
    /// The request, JSON.
    pub body: String,
    /// The key under which a server that honours it accepts the message once.
    pub key: String,
    /// Its callback URL was made for this message alone: a run that shows it is ours.
    pub own_callback: bool,
    /// Whether it may have been accepted so far.
    pub sent: Cell<Sent>,
}

/// A message that did not bring a run.
#[derive(Clone, Debug)]
pub struct SendError {
    /// How its answer was lost.
    pub error: ApiError,
    /// Runs that may be its own, where it is unknown whether it was accepted. Nothing proves it.
    pub candidates: Vec<RunId>,
}

impl Client {
    /// `POST /v1/agents/{agent_id}/messages/async`: submits a message.
    ///
    /// Where the answer is lost so that the message may have been accepted, this takes up to a minute more to find out;
    /// `owned` then tells which runs became of other messages that were sent from here.
    pub async fn send(&self, letter: &Letter, owned: impl FnOnce() -> HashSet<RunId>) -> Result<Run, SendError> {
        let sent_at = Instant::now();
        let error = match self.post(letter, Intent::Act).await {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        if error.sent() == Sent::No {
            return Err(SendError { error, candidates: Vec::new() });
        }
        (self.listener)(Heard::Lost { server: &self.server, agent: &letter.agent, cause: error.words() });
        let mut search = Search::new(self, letter, owned(), sent_at);
        match search.run().await {
            Some(run) => {
                (self.listener)(Heard::Found { id: run.id() });
                Ok(run)
            }
            None => Err(SendError { error, candidates: search.candidates }),
        }
    }

    /// Whether a message that is being sent may have been accepted so far: not before a connection came about, nor
    /// while the next try is waited for.
    pub fn sent(&self, letter: &Letter) -> Sent {
        if self.transport.was_connected() { letter.sent.get() } else { Sent::No }
    }

    pub(super) async fn post(&self, letter: &Letter, intent: Intent) -> Result<Run, ApiError> {
        let mut call = Call::post(format!("/agents/{}/messages/async", letter.agent), letter.body.clone());
        (call.idempotency_key, call.intent) = (Some(letter.key.clone()), intent);
        if intent == Intent::ActOnce {
            call = call.within(PATIENCE);
        }
        self.repeat(&call, async |left| self.post_once(letter, &call, left).await).await
    }

    async fn post_once(&self, letter: &Letter, call: &Call, left: Option<Duration>) -> Result<Run, ApiError> {
        letter.sent.set(Sent::Maybe);
        let answer = self.exchange_seen(call, left, |_| ()).await;
        let run = answer.and_then(|answer| self.run_in(call, &answer));
        // What was unknown once is never known again by another try.
        if call.intent == Intent::Act && run.as_ref().is_err_and(|error| error.sent() == Sent::No) {
            letter.sent.set(Sent::No);
        }
        run
    }
}
