//! Was a message accepted whose answer was lost? Decided from what the server shows afterwards.
//!
//! Only proof counts. That nothing is found proves nothing: a run shows its messages after its first step, and a
//! request can be held up on its way.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::{Message, Run, RunId};

/// When the run of a lost message is looked for, counted from the loss.
pub const LOOKS: [Duration; 6] = [
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(7),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_secs(60),
];

/// How much earlier than the sending a run may seem to have been made: a server's clocks differ, and its `Date` has
/// whole seconds.
pub const SLACK: Duration = Duration::from_secs(10);

/// By what the run of a message can be known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clues {
    /// The ids of its messages. The server keeps them, but for those of approvals and tool results.
    pub otids: HashSet<String>,
    /// Its callback URL, which the server keeps as it was sent.
    pub callback: Option<String>,
    /// The callback URL was made for this message alone.
    pub own_callback: bool,
}

/// What the server shows of an agent after the loss.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The agent's newest runs.
    pub runs: &'a [Run],
    /// The agent's newest messages.
    pub messages: &'a [Message],
    /// No run of the lost message was made before, by the server's clock.
    pub since: Timestamp,
    /// Runs of other messages that were sent from here.
    pub owned: &'a HashSet<RunId>,
}

/// What can be said about the lost message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// This is its run.
    Proven(RunId),
    /// One of these may be its run; nothing proves it. None may be there.
    Unproven(Vec<RunId>),
}

impl Clues {
    /// Reads the clues off a request.
    pub fn read(body: &str, own_callback: bool) -> Self {
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

    /// Decides whose run is whose.
    pub fn judge(&self, seen: &Seen<'_>) -> Verdict {
        let fresh: Vec<&Run> = seen.runs.iter().filter(|run| seen.is_fresh(run)).collect();
        let is_tagged = self.own_callback && self.callback.is_some();
        let tagged = fresh.iter().find(|run| is_tagged && self.same_callback(run) == Some(true));
        let proven = tagged.map(|run| run.id().clone()).or_else(|| self.by_otid(seen));
        match proven {
            Some(id) => Verdict::Proven(id),
            None => {
                let may_be = fresh.into_iter().filter(|run| self.may_be(run, seen.messages));
                Verdict::Unproven(may_be.map(|run| run.id().clone()).collect())
            }
        }
    }

    /// The run that one of our messages belongs to.
    fn by_otid(&self, seen: &Seen<'_>) -> Option<RunId> {
        let ours = seen.messages.iter().filter(|message| self.is_ours(message) && seen.is_recent(message));
        let mut ids = ours.filter_map(|message| message.document().text("run_id")?.parse().ok());
        // A run of the list must be a fresh one; what the list does not show goes by the message's own date.
        ids.find(|id| {
            seen.runs.iter().find(|run| run.id() == id).map_or(!seen.owned.contains(id), |run| seen.is_fresh(run))
        })
    }

    fn is_ours(&self, message: &Message) -> bool {
        message.document().text("otid").is_some_and(|otid| self.otids.contains(otid))
    }

    /// Whether the run may be ours: it calls back where ours does, and no input of another message is known of it.
    fn may_be(&self, run: &Run, messages: &[Message]) -> bool {
        let is_input = |message: &&Message| matches!(message.kind(), "user_message" | "system_message");
        let of_run = |message: &Message| message.document().text("run_id") == Some(run.id().as_str());
        let is_anothers = !self.otids.is_empty() && messages.iter().filter(is_input).any(of_run);
        self.same_callback(run) != Some(false) && !is_anothers
    }

    /// Whether the run calls back where ours does; unknown where the server does not say.
    fn same_callback(&self, run: &Run) -> Option<bool> {
        let shown = run.document().value().get("callback_url")?;
        Some(shown.as_str() == self.callback.as_deref())
    }
}

impl Seen<'_> {
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

    fn clues() -> Clues {
        Clues::read(r#"{"messages":[{"role":"user","content":"hi","otid":"mine"}]}"#, false)
    }

    fn judge(clues: &Clues, runs: &[Run], messages: &[Message], owned: &[RunId]) -> Verdict {
        let owned = owned.iter().cloned().collect();
        let since = time::parse(SENT).expect("a time");
        clues.judge(&Seen { runs, messages, since, owned: &owned })
    }

    #[test]
    fn the_otid_of_a_stored_message_proves_its_run() {
        let at = "2026-11-23T10:00:01Z";
        for runs in [&[run(1, at, None), run(2, at, None)][..], &[]] {
            let verdict = judge(&clues(), runs, &[message("other", 2, at), message("mine", 1, at)], &[]);
            assert_eq!(verdict, Verdict::Proven(id(1)));
        }
    }

    #[test]
    fn the_same_otid_in_an_older_run_proves_nothing() {
        let (before, at) = ("2026-11-23T09:00:00Z", "2026-11-23T10:00:01Z");
        let verdict = judge(&clues(), &[run(1, before, None)], &[message("mine", 1, at)], &[]);
        assert_eq!(verdict, Verdict::Unproven(vec![]));
        assert_eq!(judge(&clues(), &[], &[message("mine", 1, before)], &[]), Verdict::Unproven(vec![]));
        assert_eq!(judge(&clues(), &[], &[message("mine", 1, at)], &[id(1)]), Verdict::Unproven(vec![]));
    }

    #[test]
    fn a_lone_run_without_proof_is_a_candidate_and_no_more() {
        let at = "2026-11-23T10:00:01Z";
        assert_eq!(judge(&clues(), &[run(1, at, None)], &[], &[]), Verdict::Unproven(vec![id(1)]));
        assert_eq!(judge(&clues(), &[run(1, at, None)], &[], &[id(1)]), Verdict::Unproven(vec![]));
        assert_eq!(judge(&clues(), &[run(1, "2026-11-23T09:59:59Z", None)], &[], &[]), Verdict::Unproven(vec![]));
    }

    #[test]
    fn a_run_of_another_message_or_with_another_callback_is_no_candidate() {
        let at = "2026-11-23T10:00:01Z";
        let others = [message("other", 1, at)];
        assert_eq!(judge(&clues(), &[run(1, at, None)], &others, &[]), Verdict::Unproven(vec![]));
        assert_eq!(judge(&clues(), &[run(1, at, Some("http://h/"))], &[], &[]), Verdict::Unproven(vec![]));
    }

    #[test]
    fn a_callback_url_proves_only_if_it_was_made_for_this_message() {
        let at = "2026-11-23T10:00:01Z";
        let body = r#"{"input":"hi","callback_url":"http://127.0.0.1:9/x"}"#;
        let runs = [run(1, at, None), run(2, at, Some("http://127.0.0.1:9/x"))];
        assert_eq!(judge(&Clues::read(body, true), &runs, &[], &[]), Verdict::Proven(id(2)));
        assert_eq!(judge(&Clues::read(body, false), &runs, &[], &[]), Verdict::Unproven(vec![id(2)]));
        assert_eq!(
            judge(&Clues::read(r#"{"input":"hi"}"#, true), &runs[..1], &[], &[]),
            Verdict::Unproven(vec![id(1)])
        );
    }

    #[test]
    fn an_approval_is_never_known_by_its_otid() {
        let body = r#"{"messages":[{"type":"approval","approve":true,"otid":"mine"}]}"#;
        assert_eq!(Clues::read(body, false).otids.len(), 0);
        let at = "2026-11-23T10:00:01Z";
        let verdict = judge(&Clues::read(body, false), &[run(1, at, None)], &[message("mine", 1, at)], &[]);
        assert_eq!(verdict, Verdict::Unproven(vec![id(1)]));
    }
}
