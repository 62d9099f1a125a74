//! Decides which run belongs to a message whose answer was lost.
//!
//! A run is accepted only with proof. A search that finds no run does not prove that the message was rejected: a run
//! shows its messages only after its first step, and the server may still receive the request.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Message, Run, RunId};

/// The times of the polls for the run of a message, since its answer was lost.
pub const SCHEDULE: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(7),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// The time limit of one request of the search, whatever the settings say.
pub const REQUEST_TIME_LIMIT: Duration = Duration::from_secs(10);

/// The time by which a run may seem older than its request: the clocks of a server's machines differ, and its `Date`
/// has whole seconds.
pub const CLOCK_TOLERANCE: Duration = Duration::from_secs(10);

/// The properties by which the run of a message is recognised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// The ids of its messages, except for those of approvals and tool results, which the server does not store.
    pub otids: HashSet<String>,
    /// Its callback URL, which the server stores as it was sent.
    pub callback: Option<String>,
    /// Whether the callback URL is unique to this message.
    pub own_callback: bool,
}

/// The runs and messages of an agent after the answer was lost.
#[derive(Clone, Copy, Debug)]
pub struct AgentState<'a> {
    /// The agent's newest runs.
    pub runs: &'a [Run],
    /// The agent's newest messages.
    pub messages: &'a [Message],
    /// The earliest time of creation of the message's run, by the server's clock.
    pub since: Timestamp,
    /// Runs of other messages from this machine.
    pub owned: &'a HashSet<RunId>,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunMatch {
    /// The message's run.
    Proven(RunId),
    /// Runs that may be the message's, without proof.
    Unproven(Vec<RunId>),
}

impl Fingerprint {
    /// Returns the fingerprint of a request.
    pub fn of(body: &str, own_callback: bool) -> Self {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let messages = body.get("messages").and_then(Value::as_array);
        let kept = messages
            .into_iter()
            .flatten()
            .filter(|message| !matches!(message.get("type").and_then(Value::as_str), Some("approval" | "tool_return")));
        let otid = |message: &Value| message.get("otid")?.as_str().map(str::to_owned);
        let callback = body.get("callback_url").and_then(Value::as_str).map(str::to_owned);
        Self { otids: kept.filter_map(otid).collect(), callback, own_callback }
    }

    /// Finds the message's run.
    pub fn find(&self, seen: &AgentState<'_>) -> RunMatch {
        let fresh: Vec<&Run> = seen.runs.iter().filter(|run| seen.is_fresh(run)).collect();
        let is_tagged = self.own_callback && self.callback.is_some();
        let tagged = fresh.iter().find(|run| is_tagged && self.same_callback(run) == Some(true));
        let proven = tagged.map(|run| run.id().clone()).or_else(|| self.by_otid(seen));
        match proven {
            Some(id) => RunMatch::Proven(id),
            None => {
                let may_be = fresh.into_iter().filter(|run| self.may_be(run, seen.messages));
                RunMatch::Unproven(may_be.map(|run| run.id().clone()).collect())
            }
        }
    }

    /// Returns the run of a stored message with one of our otids.
    fn by_otid(&self, seen: &AgentState<'_>) -> Option<RunId> {
        let ours = seen.messages.iter().filter(|message| self.is_ours(message) && seen.is_recent(message));
        let mut ids = ours.filter_map(|message| message.document().text("run_id")?.parse().ok());
        // A listed run must be new. For a run that is not listed, the date of the message decides.
        ids.find(|id| {
            seen.runs.iter().find(|run| run.id() == id).map_or(!seen.owned.contains(id), |run| seen.is_fresh(run))
        })
    }

    fn is_ours(&self, message: &Message) -> bool {
        message.document().text("otid").is_some_and(|otid| self.otids.contains(otid))
    }

    /// Returns whether the run may be ours: its callback URL may be the same, and it has no input of another message.
    fn may_be(&self, run: &Run, messages: &[Message]) -> bool {
        let is_input = |message: &&Message| matches!(message.kind(), "user_message" | "system_message");
        let of_run = |message: &Message| message.document().text("run_id") == Some(run.id().as_str());
        let is_anothers = !self.otids.is_empty() && messages.iter().filter(is_input).any(of_run);
        self.same_callback(run) != Some(false) && !is_anothers
    }

    /// Returns whether the run has our callback URL; `None` if the server does not show it.
    fn same_callback(&self, run: &Run) -> Option<bool> {
        let shown = run.document().value().get("callback_url")?;
        Some(shown.as_str() == self.callback.as_deref())
    }
}

impl AgentState<'_> {
    fn is_fresh(&self, run: &Run) -> bool {
        !self.owned.contains(run.id()) && run.created_at().is_none_or(|made| made >= self.since)
    }

    fn is_recent(&self, message: &Message) -> bool {
        message.date().is_none_or(|date| date >= self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Document, time};
    use serde_json::json;

    const SENT: &str = "2026-11-23T10:00:00Z";

    fn run(n: u32, at: &str, callback: Option<&str>) -> Run {
        let document = json!({"id": format!("run-{n:08x}"), "created_at": at, "callback_url": callback});
        Run::from_document(Document::from_value(document)).expect("a run")
    }

    fn message(otid: &str, run: u32, at: &str) -> Message {
        let document = json!({
            "id": "message-1", "message_type": "user_message", "otid": otid, "date": at, "run_id": format!("run-{run:08x}"),
        });
        Message::new(Document::from_value(document))
    }

    fn id(n: u32) -> RunId {
        format!("run-{n:08x}").parse().expect("an id")
    }

    fn fingerprint() -> Fingerprint {
        Fingerprint::of(r#"{"messages":[{"role":"user","content":"hi","otid":"mine"}]}"#, false)
    }

    fn find(fingerprint: &Fingerprint, runs: &[Run], messages: &[Message], owned: &[RunId]) -> RunMatch {
        let owned = owned.iter().cloned().collect();
        let since = time::parse(SENT).expect("a time");
        fingerprint.find(&AgentState { runs, messages, since, owned: &owned })
    }

    #[test]
    fn the_otid_of_a_stored_message_proves_its_run() {
        let at = "2026-11-23T10:00:01Z";
        for runs in [&[run(1, at, None), run(2, at, None)][..], &[]] {
            let found = find(&fingerprint(), runs, &[message("other", 2, at), message("mine", 1, at)], &[]);
            assert_eq!(found, RunMatch::Proven(id(1)));
        }
    }

    #[test]
    fn the_same_otid_in_an_older_run_proves_nothing() {
        let before = "2026-11-23T09:00:00Z";
        let at = "2026-11-23T10:00:01Z";
        let found = find(&fingerprint(), &[run(1, before, None)], &[message("mine", 1, at)], &[]);
        assert_eq!(found, RunMatch::Unproven(vec![]));
        assert_eq!(find(&fingerprint(), &[], &[message("mine", 1, before)], &[]), RunMatch::Unproven(vec![]));
        assert_eq!(find(&fingerprint(), &[], &[message("mine", 1, at)], &[id(1)]), RunMatch::Unproven(vec![]));
    }

    #[test]
    fn a_lone_run_without_proof_is_only_a_candidate() {
        let at = "2026-11-23T10:00:01Z";
        assert_eq!(find(&fingerprint(), &[run(1, at, None)], &[], &[]), RunMatch::Unproven(vec![id(1)]));
        assert_eq!(find(&fingerprint(), &[run(1, at, None)], &[], &[id(1)]), RunMatch::Unproven(vec![]));
        assert_eq!(find(&fingerprint(), &[run(1, "2026-11-23T09:59:59Z", None)], &[], &[]), RunMatch::Unproven(vec![]));
    }

    #[test]
    fn a_run_of_another_message_or_with_another_callback_is_no_candidate() {
        let at = "2026-11-23T10:00:01Z";
        let others = [message("other", 1, at)];
        assert_eq!(find(&fingerprint(), &[run(1, at, None)], &others, &[]), RunMatch::Unproven(vec![]));
        assert_eq!(find(&fingerprint(), &[run(1, at, Some("http://h/"))], &[], &[]), RunMatch::Unproven(vec![]));
    }

    #[test]
    fn a_callback_url_is_proof_only_if_it_is_unique_to_the_message() {
        let at = "2026-11-23T10:00:01Z";
        let body = r#"{"input":"hi","callback_url":"http://127.0.0.1:9/x"}"#;
        let runs = [run(1, at, None), run(2, at, Some("http://127.0.0.1:9/x"))];
        assert_eq!(find(&Fingerprint::of(body, true), &runs, &[], &[]), RunMatch::Proven(id(2)));
        assert_eq!(find(&Fingerprint::of(body, false), &runs, &[], &[]), RunMatch::Unproven(vec![id(2)]));
        assert_eq!(
            find(&Fingerprint::of(r#"{"input":"hi"}"#, true), &runs[..1], &[], &[]),
            RunMatch::Unproven(vec![id(1)])
        );
    }

    #[test]
    fn the_otid_of_an_approval_proves_nothing() {
        let body = r#"{"messages":[{"type":"approval","approve":true,"otid":"mine"}]}"#;
        assert_eq!(Fingerprint::of(body, false).otids.len(), 0);
        let at = "2026-11-23T10:00:01Z";
        let found = find(&Fingerprint::of(body, false), &[run(1, at, None)], &[message("mine", 1, at)], &[]);
        assert_eq!(found, RunMatch::Unproven(vec![id(1)]));
    }
}
