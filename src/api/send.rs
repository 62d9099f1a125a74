//! Submitting a message, and finding out what became of it where the answer was lost.
//!
//! A message is never sent again on a guess. A server that declares that it honours `Idempotency-Key` gets the same
//! message under the same key; any other is asked for its runs and messages until one is proven to be ours.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::Client;
use super::ask::Heard;
use super::client::is_missing;
use super::error::ApiError;
use super::exchange::Call;
use crate::core::Sent;
use crate::core::reconcile::{Clues, LOOKS, SLACK, Seen, Verdict};
use crate::core::retry::Intent;
use crate::model::{AgentId, Message, Run, RunId};

/// How long one request may take that finds out what became of a message, whatever the settings say.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many of an agent's newest runs, and of its newest messages a page, are looked at.
const NEWEST: &str = "100";
/// How many pages of messages are looked at: those of a run that talks a lot push our own away.
const MOST_PAGES: usize = 5;

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
    /// Runs of other messages that were sent from here.
    pub owned: HashSet<RunId>,
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
    /// Where the answer is lost so that the message may have been accepted, this takes up to a minute more to find out.
    pub async fn send(&self, letter: &Letter) -> Result<Run, SendError> {
        let sent_at = Instant::now();
        let error = match self.post(letter, Intent::Act).await {
            Ok(run) => return Ok(run),
            Err(error) => error,
        };
        if error.sent() == Sent::No {
            return Err(SendError { error, candidates: Vec::new() });
        }
        (self.listener)(Heard::Lost { server: &self.server, agent: &letter.agent, cause: error.words() });
        let clues = Clues::read(&letter.body, letter.own_callback);
        let mut search = Search { api: self, letter, clues, sent_at, candidates: Vec::new() };
        match search.run().await {
            Some(run) => {
                (self.listener)(Heard::Found { id: run.id() });
                Ok(run)
            }
            None => Err(SendError { error, candidates: search.candidates }),
        }
    }

    async fn post(&self, letter: &Letter, intent: Intent) -> Result<Run, ApiError> {
        let mut call = Call::post(format!("/agents/{}/messages/async", letter.agent), letter.body.clone());
        (call.idempotency_key, call.intent) = (Some(letter.key.clone()), intent);
        if intent == Intent::ActOnce {
            call = call.within(PATIENCE);
        }
        self.ask_for(&call, |answer| self.run_in(&call, answer)).await
    }
}

/// The search for the run of a lost message.
struct Search<'a> {
    api: &'a Client,
    letter: &'a Letter,
    clues: Clues,
    sent_at: Instant,
    candidates: Vec<RunId>,
}

/// What one look brought.
enum Look {
    Found(Run),
    NotYet,
    /// The server shows neither runs nor messages: more looks bring nothing.
    Blind,
}

impl Search<'_> {
    /// Sends again where that is safe, looks where it is not, until the run is there or the last look was in vain.
    async fn run(&mut self) -> Option<Run> {
        let lost_at = Instant::now();
        if !self.api.honours_keys.get() {
            // What it answers is told by its headers.
            let _ = self.api.exchange(&Call::get("/health/").within(PATIENCE)).await;
        }
        if let Some(run) = self.send_again().await {
            return Some(run);
        }
        let last = LOOKS[LOOKS.len() - 1];
        // A look that took long stands for those that were due meanwhile.
        for at in LOOKS.into_iter().map(|at| (at == last, lost_at + at)) {
            if at.0 || at.1 >= Instant::now() {
                sleep_until(at.1).await;
                match self.look().await {
                    Look::Found(run) => return Some(run),
                    Look::Blind if !self.api.honours_keys.get() => return None,
                    Look::Blind | Look::NotYet => {}
                }
                if let Some(run) = self.send_again().await {
                    return Some(run);
                }
            }
        }
        None
    }

    /// Sends the message again under its key, if the server declares that it accepts it once.
    async fn send_again(&self) -> Option<Run> {
        let safe = self.api.honours_keys.get();
        #[cfg(sabotage)]
        let safe = safe || crate::sabotage::breaks("no-blind-resend");
        if !safe {
            return None;
        }
        self.api.post(self.letter, Intent::ActOnce).await.ok()
    }

    async fn look(&mut self) -> Look {
        let (runs, messages) = join(self.runs(), self.messages()).await;
        if let (Err(runs), Err(messages)) = (&runs, &messages)
            && is_missing(runs)
            && is_missing(messages)
        {
            return Look::Blind;
        }
        let (runs, messages) = (runs.unwrap_or_default(), messages.unwrap_or_default());
        let seen = Seen { runs: &runs, messages: &messages, since: self.since(), owned: &self.letter.owned };
        let verdict = self.clues.judge(&seen);
        #[cfg(sabotage)]
        let verdict = match verdict {
            Verdict::Unproven(ids) if crate::sabotage::breaks("adopt-proven-only") && !ids.is_empty() => {
                Verdict::Proven(ids[0].clone())
            }
            verdict => verdict,
        };
        match verdict {
            Verdict::Proven(id) => self.adopt(&id, runs).await,
            Verdict::Unproven(candidates) => {
                self.candidates = candidates;
                Look::NotYet
            }
        }
    }

    /// Takes a run that is proven to be ours, as the list shows it or as the server shows it by itself.
    async fn adopt(&self, id: &RunId, runs: Vec<Run>) -> Look {
        let listed = runs.into_iter().find(|run| run.id() == id);
        match listed {
            Some(run) => Look::Found(run),
            None => self.api.look(id).await.map_or(Look::NotYet, Look::Found),
        }
    }

    /// The earliest moment, by the server's clock, at which the message can have become a run.
    fn since(&self) -> Timestamp {
        let ago = |date: Timestamp, at: Instant| date.checked_sub(at - self.sent_at + SLACK).unwrap_or(Timestamp::MIN);
        match self.api.date.get() {
            Some(date) => ago(date.server, date.heard),
            None => ago(Timestamp::now(), Instant::now()),
        }
    }

    async fn runs(&self) -> Result<Vec<Run>, ApiError> {
        let call = Call::get("/runs/").list().within(PATIENCE).query("agent_id", self.letter.agent.to_string());
        let call = call.query("background", "true").query("order", "desc").query("limit", NEWEST);
        let answer = self.api.exchange(&call).await?;
        self.api.runs_in(&call, &answer)
    }

    /// The agent's messages since the sending, newest first: those of the run itself may be filtered.
    async fn messages(&self) -> Result<Vec<Message>, ApiError> {
        let mut all: Vec<Message> = Vec::new();
        for _ in 0..MOST_PAGES {
            let page = self.messages_page(all.last()).await?;
            let fresh: Vec<Message> = page.into_iter().filter(|message| !all.contains(message)).collect();
            let oldest = fresh.last().and_then(|message| message.document().text("date"));
            let before = oldest.and_then(crate::model::time::parse).is_some_and(|date| date < self.since());
            let done = fresh.is_empty() || before;
            all.extend(fresh);
            if done {
                break;
            }
        }
        Ok(all)
    }

    async fn messages_page(&self, before: Option<&Message>) -> Result<Vec<Message>, ApiError> {
        let mut call = Call::get(format!("/agents/{}/messages", self.letter.agent)).list().within(PATIENCE);
        call = call.query("order", "desc").query("limit", NEWEST);
        if let Some(id) = before.and_then(|message| message.document().text("id")) {
            call = call.query("before", id);
        }
        let answer = self.api.exchange(&call).await?;
        Ok(self.api.documents_in(&call, &answer)?.into_iter().map(Message::new).collect())
    }
}
