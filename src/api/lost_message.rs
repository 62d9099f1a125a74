//! What became of a lost message: sent again where that is safe, looked for where it is not.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::future::join;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::Client;
use super::client::is_missing;
use super::error::{ApiError, Kind};
use super::exchange::Call;
use super::recent::Recent;
use super::send::Letter;
use crate::core::reconcile::{Clues, LOOKS, SLACK, Seen, Verdict};
use crate::core::retry::Intent;
use crate::model::{Run, RunId};

/// How long one request may take that finds out what became of a message, whatever the settings say.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The search for the run of a lost message.
pub(super) struct Search<'a> {
    api: &'a Client,
    letter: &'a Letter,
    clues: Clues,
    /// Runs of other messages that were sent from here.
    owned: HashSet<RunId>,
    sent_at: Instant,
    /// Runs that may be its own; nothing proves it.
    pub(super) candidates: Vec<RunId>,
}

/// What one look brought.
enum Look {
    Found(Run),
    NotYet,
    /// The server shows neither runs nor messages: more looks bring nothing.
    Blind,
}

impl<'a> Search<'a> {
    /// A search that was not begun yet.
    pub(super) fn new(api: &'a Client, letter: &'a Letter, owned: HashSet<RunId>, sent_at: Instant) -> Self {
        let clues = Clues::read(&letter.body, letter.own_callback);
        Self { api, letter, clues, owned, sent_at, candidates: Vec::new() }
    }

    /// Sends again where that is safe, looks where it is not, until the run is there or the last look was in vain.
    pub(super) async fn run(&mut self) -> Option<Run> {
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
        let recent = Recent { api: self.api, agent: &self.letter.agent, since: self.since() };
        let (runs, messages) = join(recent.runs(), recent.messages()).await;
        if let (Err(runs), Err(messages)) = (&runs, &messages)
            && shows_nothing(runs)
            && shows_nothing(messages)
        {
            return Look::Blind;
        }
        let (runs, messages) = (runs.unwrap_or_default(), messages.unwrap_or_default());
        let seen = Seen { runs: &runs, messages: &messages, since: recent.since, owned: &self.owned };
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
}

/// Whether a server that answers so will not show more later: it has no such list, or is none of HTTP.
fn shows_nothing(error: &ApiError) -> bool {
    is_missing(error) || error.kind == Kind::NotHttp
}

#[cfg(test)]
mod tests;
