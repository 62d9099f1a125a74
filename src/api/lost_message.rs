//! Finds the run of a message whose answer was lost: resends the message if that is safe, else searches for its run.

use std::collections::HashSet;

use futures_util::future::join;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::agent_activity::AgentActivity;
use super::endpoints::is_missing;
use super::error::{ApiError, ErrorKind};
use super::exchange::Call;
use super::{Client, Submission};
use crate::core::retry::Intent;
use crate::core::run_match::{AgentState, CLOCK_TOLERANCE, Fingerprint, REQUEST_TIME_LIMIT, RunMatch, SCHEDULE};
use crate::model::{Run, RunId};

/// A search for the run of a lost message.
pub(super) struct Search<'a> {
    api: &'a Client,
    submission: &'a Submission,
    fingerprint: Fingerprint,
    /// Runs of other messages from this machine.
    owned: HashSet<RunId>,
    sent_at: Instant,
    /// Runs that may be the message's, without proof.
    pub(super) candidates: Vec<RunId>,
}

/// The result of one poll.
enum SearchResult {
    Found(Run),
    NotYet,
    /// The server has neither list, so that more polls are useless.
    NotSupported,
}

impl<'a> Search<'a> {
    /// Returns a search that has not started.
    pub(super) fn new(api: &'a Client, submission: &'a Submission, owned: HashSet<RunId>, sent_at: Instant) -> Self {
        let fingerprint = Fingerprint::of(&submission.body, submission.own_callback);
        Self { api, submission, fingerprint, owned, sent_at, candidates: Vec::new() }
    }

    /// Resends if that is safe and polls otherwise, until the run is found or the schedule ends.
    pub(super) async fn run(&mut self) -> Option<Run> {
        let lost_at = Instant::now();
        if !self.api.honours_keys.get() {
            // The headers of any answer declare whether the server honours the key.
            let _ = self.api.exchange(&Call::get("/health/").within(REQUEST_TIME_LIMIT)).await;
        }
        if let Some(run) = self.resend().await {
            return Some(run);
        }
        for (n, delay) in SCHEDULE.into_iter().enumerate() {
            let due = lost_at + delay;
            // Polls that became due during a slow one are skipped, except for the last.
            if due < Instant::now() && n + 1 < SCHEDULE.len() {
                continue;
            }
            sleep_until(due).await;
            match self.poll().await {
                SearchResult::Found(run) => return Some(run),
                SearchResult::NotSupported if !self.api.honours_keys.get() => return None,
                SearchResult::NotSupported | SearchResult::NotYet => {}
            }
            if let Some(run) = self.resend().await {
                return Some(run);
            }
        }
        None
    }

    /// Resends the message under its key, if the server honours the key.
    async fn resend(&self) -> Option<Run> {
        let safe = self.api.honours_keys.get();
        #[cfg(sabotage)]
        let safe = safe || crate::sabotage::breaks("no-blind-resend");
        if !safe {
            return None;
        }
        self.api.post(self.submission, Intent::IdempotentWrite).await.ok()
    }

    async fn poll(&mut self) -> SearchResult {
        let activity = AgentActivity { api: self.api, agent: &self.submission.agent, since: self.since() };
        let (runs, messages) = join(activity.runs(), activity.messages()).await;
        if let (Err(runs), Err(messages)) = (&runs, &messages)
            && is_not_supported(runs)
            && is_not_supported(messages)
        {
            return SearchResult::NotSupported;
        }
        let runs = runs.unwrap_or_default();
        let messages = messages.unwrap_or_default();
        let state = AgentState { runs: &runs, messages: &messages, since: activity.since, owned: &self.owned };
        let found = self.fingerprint.find(&state);
        #[cfg(sabotage)]
        let found = match found {
            RunMatch::Unproven(ids) if crate::sabotage::breaks("adopt-proven-only") && !ids.is_empty() => {
                RunMatch::Proven(ids[0].clone())
            }
            found => found,
        };
        match found {
            RunMatch::Proven(id) => self.adopt(&id, runs).await,
            RunMatch::Unproven(candidates) => {
                self.candidates = candidates;
                SearchResult::NotYet
            }
        }
    }

    /// Returns a run that is proven to be the message's, from the list or else from its own endpoint.
    async fn adopt(&self, id: &RunId, runs: Vec<Run>) -> SearchResult {
        let listed = runs.into_iter().find(|run| run.id() == id);
        match listed {
            Some(run) => SearchResult::Found(run),
            None => self.api.run_once(id).await.map_or(SearchResult::NotYet, SearchResult::Found),
        }
    }

    /// Returns the earliest possible time of the run's creation, by the server's clock.
    fn since(&self) -> Timestamp {
        let ago = |date: Timestamp, at: Instant| {
            date.checked_sub(at - self.sent_at + CLOCK_TOLERANCE).unwrap_or(Timestamp::MIN)
        };
        match self.api.server_time.get() {
            Some(clock) => ago(clock.time, clock.received_at),
            None => ago(Timestamp::now(), Instant::now()),
        }
    }
}

/// Returns whether later polls fail too: the server has no such list, or does not speak HTTP.
fn is_not_supported(error: &ApiError) -> bool {
    is_missing(error) || error.kind == ErrorKind::NotHttp
}

#[cfg(test)]
mod tests;
