//! Renders runs and events as JSON documents, one a line.

use std::time::Duration;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::core::facts::Facts;
use crate::core::stats::Group;
use crate::follow::event::{EndedRun, Event};
use crate::model::document::one_line;
use crate::model::{Message, Run};
use crate::report::Failure;
use crate::text::time::rfc3339;

/// The version of the event lines.
const VERSION: u8 = 1;

/// Returns the run as the server sent it, with the facts under `_agentctl`.
pub fn run_with_facts(run: &Run, facts: &Facts) -> String {
    run.document().line_with("_agentctl", facts)
}

/// Returns the figures of the runs that have the same stop reason.
pub fn stats(group: &Group) -> String {
    one_line(&serde_json::to_string(group).expect("strings and numbers"))
}

/// Returns the event line of a run that this command has just sent.
pub fn submitted(run: &Run, now: Timestamp) -> String {
    line(What::Submitted { run_id: run.id().as_str(), run: raw(run.document().line()) }, now)
}

/// Returns the line of an event, or `None` for events that only displays need. Durations are in nanoseconds.
///
/// An outage begins with the first `poll_error` and ends with `poll_ok`. `run_id` is null if the poll listed runs. `ended`
/// and `error` are each the last line about a run.
pub fn event(event: &Event, now: Timestamp) -> Option<String> {
    let what = match event {
        Event::Added { .. } | Event::Tick => return None,
        Event::Status { run } => status(run),
        Event::Step { id, step_id, number } => What::Step { run_id: id.as_str(), step_id, number: *number },
        Event::Message { id, message } => new_message(id.as_str(), message),
        Event::PollError { id, error, retry_in, down_for } => What::PollError {
            run_id: id.as_ref().map(|id| id.as_str()),
            error,
            retry_in_ns: nanos(*retry_in),
            down_for_ns: nanos(*down_for),
        },
        Event::Recovered { down_for } => What::PollOk { down_for_ns: nanos(*down_for) },
        Event::Note { id, text } => What::Note { run_id: id.as_str(), text },
        Event::Stalled { id, silent_for } => What::Stalled { run_id: id.as_str(), silent_for_ns: nanos(*silent_for) },
        Event::Callback { run } => callback(run),
        Event::Ended(ending) => ended(ending),
        Event::Lost { id, failure, .. } => What::Error { run_id: id.as_str(), error: error(failure) },
    };
    Some(line(what, now))
}

/// A line of `--events`. Durations are in nanoseconds. Newer versions may add keys and types of events.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Event")]
pub struct EventLine<'a> {
    /// The version of the format.
    v: u8,
    /// When the event was observed, as RFC 3339.
    time: String,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum What<'a> {
    /// The run that this command sent.
    Submitted {
        run_id: &'a str,
        #[schemars(schema_with = "a_run")]
        run: Box<RawValue>,
    },
    /// A new status of a run.
    Status { run_id: &'a str, status: String, stop_reason: Option<String> },
    /// A step that began.
    Step { run_id: &'a str, step_id: &'a str, number: usize },
    /// A new message.
    Message {
        run_id: &'a str,
        #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
        message: Box<RawValue>,
    },
    /// A poll that failed. `run_id` is null if the poll listed runs.
    PollError { run_id: Option<&'a str>, error: &'a str, retry_in_ns: u64, down_for_ns: u64 },
    /// The outage is over.
    PollOk { down_for_ns: u64 },
    /// A notice about a run.
    Note { run_id: &'a str, text: &'a str },
    /// Nothing about a run changed for longer than --stall-after.
    Stalled { run_id: &'a str, silent_for_ns: u64 },
    /// The run's callback was attempted: the time, and the response status or the error.
    Callback { run_id: &'a str, sent_at: Option<&'a str>, status_code: Option<u64>, error: Option<&'a str> },
    /// The end of a run: the last line about it.
    Ended {
        run_id: &'a str,
        status: String,
        stop_reason: Option<String>,
        #[schemars(schema_with = "a_run")]
        run: Box<RawValue>,
    },
    /// A run that could not be followed to its end: the last line about it.
    Error {
        run_id: &'a str,
        #[schemars(with = "crate::report::Error<'a>")]
        error: Box<RawValue>,
    },
}

/// Refers to the schema of a run.
fn a_run(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"$ref": "#/$defs/Run"})
}

fn line(what: What<'_>, now: Timestamp) -> String {
    let line = EventLine { v: VERSION, time: rfc3339(now), what };
    // Notes and error messages contain untrusted text too, so the whole line is escaped.
    one_line(&serde_json::to_string(&line).expect("strings, numbers and JSON that was read before"))
}

fn status(run: &Run) -> What<'_> {
    What::Status { run_id: run.id().as_str(), status: run.status().to_string(), stop_reason: stop_reason(run) }
}

fn callback(run: &Run) -> What<'_> {
    let document = run.document();
    What::Callback {
        run_id: run.id().as_str(),
        sent_at: document.text("callback_sent_at"),
        status_code: document.count("callback_status_code"),
        error: document.text("callback_error"),
    }
}

fn new_message<'a>(run_id: &'a str, message: &Message) -> What<'a> {
    What::Message { run_id, message: raw(message.document().line()) }
}

fn ended(ending: &EndedRun) -> What<'_> {
    let run = &*ending.run;
    What::Ended {
        run_id: run.id().as_str(),
        status: run.status().to_string(),
        stop_reason: stop_reason(run),
        run: raw(&run_with_facts(run, &ending.facts)),
    }
}

fn stop_reason(run: &Run) -> Option<String> {
    run.stop_reason().map(|reason| reason.to_string())
}

/// Returns the `error` object that a failed command prints.
fn error(failure: &Failure) -> Box<RawValue> {
    #[derive(Deserialize)]
    struct Envelope {
        error: Box<RawValue>,
    }
    let envelope: Envelope = serde_json::from_str(&failure.json()).expect("a failure is an object with an error");
    envelope.error
}

pub(super) fn raw(document: &str) -> Box<RawValue> {
    RawValue::from_string(document.to_owned()).expect("a document is JSON")
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::{context, facts_of, message, run};
    use serde_json::{Value, json};
    use std::rc::Rc;

    fn lines(events: &[Event]) -> String {
        let now = context(None).now;
        let lines: Vec<String> = events.iter().filter_map(|one| event(one, now)).collect();
        lines.join("\n")
    }

    #[test]
    fn a_run_keeps_its_text_and_gets_one_more_key() {
        let run = Run::parse(r#"{"id":"run-12345678","n":1.50,"tomorrow":[]}"#).expect("a run");
        let line = run_with_facts(&run, &facts_of(&run));
        assert!(
            line.starts_with(r#"{"id":"run-12345678","n":1.50,"tomorrow":[],"_agentctl":{"outcome":"open","#),
            "{line}"
        );
    }

    #[test]
    fn every_event_of_a_run_is_a_line() {
        let run = Rc::new(Run::parse(r#"{"id":"run-12345678","status":"running","n":1.50}"#).expect("a run"));
        let id = run.id().clone();
        let retry_in = Duration::from_secs(5);
        let down_for = Duration::from_secs(12);
        let events = [
            Event::Added { id: id.clone(), run: Some(run.clone()) },
            Event::Status { run: run.clone() },
            Event::Step { id: id.clone(), step_id: "step-1".into(), number: 1 },
            Event::Message { id: id.clone(), message: message(json!({"id": "message-1", "n": 2.0})) },
            Event::PollError { id: None, error: "refused".into(), retry_in, down_for },
            Event::Recovered { down_for },
            Event::Note { id: id.clone(), text: "odd\u{9b}".into() },
            Event::Tick,
        ];
        insta::assert_snapshot!(lines(&events), @r#"
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"status","run_id":"run-12345678","status":"running","stop_reason":null}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"step","run_id":"run-12345678","step_id":"step-1","number":1}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"message","run_id":"run-12345678","message":{"id":"message-1","n":2.0}}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"poll_error","run_id":null,"error":"refused","retry_in_ns":5000000000,"down_for_ns":12000000000}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"poll_ok","down_for_ns":12000000000}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"note","run_id":"run-12345678","text":"odd\u009b"}
        "#);
    }

    #[test]
    fn an_ended_line_contains_the_run_and_an_error_line_the_error() {
        let run = Rc::new(run(json!({})));
        let facts = facts_of(&run);
        let failure = Failure::usage("no such run").run(run.id());
        let events = [
            Event::Ended(Rc::new(EndedRun { run: run.clone(), facts, messages: None })),
            Event::Lost { id: run.id().clone(), run: None, failure },
        ];
        insta::assert_snapshot!(lines(&events), @r#"
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"ended","run_id":"run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77","status":"completed","stop_reason":"end_turn","run":{"id":"run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77","agent_id":"agent-11111111-1111-4111-8111-111111111111","status":"completed","stop_reason":"end_turn","created_at":"2026-11-23T14:56:08","total_duration_ns":4230000000,"ttft_ns":310000000,"_agentctl":{"outcome":"succeeded","reason":null,"duration_ns":4230000000,"duration_from":"run","ttft_ns":310000000,"ttft_from":"run","steps":3,"total_tokens":812}}}
        {"v":1,"time":"2026-11-23T14:59:20.000Z","type":"error","run_id":"run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77","error":{"code":"usage","message":"no such run","hint":null,"exit":2,"http_status":null,"run_id":"run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77","retryable":false}}
        "#);
    }

    #[test]
    fn a_sent_run_gives_a_submitted_line_and_every_line_is_json() {
        let line = submitted(&run(json!({})), context(None).now);
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!((&value["v"], &value["type"]), (&json!(1), &json!("submitted")));
        assert_eq!(value["run"]["status"], "completed");
    }
}
