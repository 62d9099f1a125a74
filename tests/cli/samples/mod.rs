//! Answers recorded from a real Letta server, read through the library.
//!
//! `tests/samples/index.json` lists them; a sample without an expectation here fails, and so does an
//! expectation without a sample.

mod expected;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use agentctl::core::Outcome;
use agentctl::core::facts::{Details, FigureSource, facts};
use agentctl::core::outcome::outcome;
use agentctl::model::fault::Fault;
use agentctl::model::{Document, Message, Run, RunStatus, StopReason};
use serde_json::Value;

use expected::Expect::{Messages, Number, Redirect, Refusal, Run as ARun, Runs, Steps, Stream, Word};
use expected::{EXPECTED, Expect};

/// A recorded answer.
struct Sample {
    name: String,
    status: u64,
    headers: Value,
    body: String,
}

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "samples"].iter().collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn samples() -> Vec<Sample> {
    let index: BTreeMap<String, Value> = serde_json::from_str(&read("index.json")).expect("an index");
    let sample = |(name, entry): (String, Value)| {
        let body = read(entry["file"].as_str().expect("a file"));
        let status = entry["status"].as_u64().expect("a status");
        Sample { name, status, headers: entry["headers"].clone(), body }
    };
    index.into_iter().map(sample).collect()
}

fn body(name: &str) -> String {
    samples().into_iter().find(|sample| sample.name == name).unwrap_or_else(|| panic!("no sample {name}")).body
}

/// The objects of a JSON array, each as it was written.
fn objects(text: &str) -> Vec<Document> {
    let raw: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(text).expect("an array");
    raw.iter().map(|object| Document::parse(object.get()).expect("an object")).collect()
}

#[test]
fn every_sample_has_an_expectation_and_every_expectation_a_sample() {
    let recorded: BTreeSet<String> = samples().into_iter().map(|sample| sample.name).collect();
    let expected: BTreeSet<String> = EXPECTED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(recorded, expected);
    assert_eq!(expected.len(), EXPECTED.len(), "an expectation stands twice");
}

#[test]
fn every_file_is_in_the_index_or_a_received_callback() {
    let index: BTreeMap<String, Value> = serde_json::from_str(&read("index.json")).expect("an index");
    let listed: BTreeSet<&str> = index.values().filter_map(|entry| entry["file"].as_str()).collect();
    for entry in fs::read_dir(folder()).expect("the samples") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        let known = name == "index.json" || name.ends_with(".received.json") || listed.contains(name.as_str());
        assert!(known, "{name} is in no list");
    }
}

#[test]
fn every_sample_is_read_as_what_it_is() {
    let expected: BTreeMap<&str, Expect> = EXPECTED.iter().copied().collect();
    for sample in samples() {
        let name = &sample.name;
        match expected[name.as_str()] {
            ARun(status, stop, outcome, error) => check_run(&sample, status, stop, outcome, error),
            Runs(count, durations) => check_runs(&sample, count, durations),
            Messages(kinds, reply) => check_messages(&sample, kinds, reply),
            Steps(statuses, reason) => check_steps(&sample, statuses, reason),
            Number(key, number) => {
                let document = Document::parse(&sample.body).expect(name);
                assert_eq!(document.count(key), Some(number), "{name}");
            }
            Word(word) => {
                let document = Document::parse(&sample.body).expect(name);
                let first = document.value().as_object().and_then(|object| object.values().next());
                assert_eq!(first.and_then(Value::as_str), Some(word), "{name}");
            }
            Refusal(detail) => check_refusal(&sample, detail),
            Stream(frames) => {
                assert_eq!(sample.body.lines().filter(|line| line.starts_with("data: ")).count(), frames, "{name}");
            }
            Redirect => {
                assert_eq!(sample.status, 307, "{name}");
                assert!(sample.headers["location"].as_str().is_some_and(|to| to.starts_with("http://")), "{name}");
            }
        }
    }
}

fn check_run(sample: &Sample, status: &str, stop: Option<&str>, expected: Outcome, error: Option<&str>) {
    let name = &sample.name;
    let run = Run::parse(&sample.body).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(run.status(), RunStatus::from(status), "{name}");
    assert_eq!(run.stop_reason(), stop.map(StopReason::from), "{name}");
    assert_eq!(outcome(&run, Duration::ZERO), expected, "{name}");
    assert_eq!(run.status().is_terminal(), run.completed_at().is_some(), "{name}: an end has its time");
    assert_eq!(run.error().is_some(), error.is_some(), "{name}: {:?}", run.error());
    let found = run.error().unwrap_or_default();
    assert!(found.starts_with(error.unwrap_or_default()), "{name}: {found}");
    assert!(run.created_at().is_some(), "{name}: it was created some time");
    assert!(run.agent_id().is_some_and(|id| id.parse::<agentctl::model::AgentId>().is_ok()), "{name}: its agent");
    assert_eq!(run.ttft_ns(), None, "{name}: this release never measures it");
    check_kept(name, run.document(), &sample.body);
}

fn check_runs(sample: &Sample, count: usize, durations: &[u64]) {
    let runs: Vec<Run> =
        objects(&sample.body).into_iter().map(|document| Run::from_document(document).expect(&sample.name)).collect();
    assert_eq!(runs.len(), count, "{}", sample.name);
    let filled: Vec<u64> = runs.iter().filter_map(Run::total_duration_ns).collect();
    assert_eq!(filled, durations, "{}", sample.name);
}

fn check_messages(sample: &Sample, kinds: &[&str], reply: Option<&str>) {
    let name = &sample.name;
    let messages: Vec<Message> = objects(&sample.body).into_iter().map(Message::new).collect();
    assert_eq!(messages.iter().map(Message::kind).collect::<Vec<_>>(), kinds, "{name}");
    assert_eq!(agentctl::model::message::reply(&messages).as_deref(), reply, "{name}");
    let keys: BTreeSet<_> = messages.iter().map(Message::key).collect();
    assert_eq!(keys.len(), messages.len(), "{name}: two items share a key");
    for message in &messages {
        let calls = message.tool_calls();
        let asks = matches!(message.kind(), "tool_call_message" | "approval_request_message");
        assert_eq!(!calls.is_empty(), asks, "{name}: {}", message.kind());
        assert!(calls.iter().all(|call| !call.name.is_empty() && !call.id.is_empty()), "{name}: {calls:?}");
        assert_eq!(!message.tool_returns().is_empty(), message.kind() == "tool_return_message", "{name}");
    }
}

fn check_steps(sample: &Sample, statuses: &[&str], reason: Option<&str>) {
    let name = &sample.name;
    let steps = objects(&sample.body);
    assert_eq!(steps.iter().filter_map(|step| step.text("status")).collect::<Vec<_>>(), statuses, "{name}");
    let silent = Run::parse(r#"{"id":"run-12345678","status":"failed"}"#).expect("a run");
    let found = facts(&silent, Outcome::Failed, &Details { steps, ..Details::default() }).reason;
    assert_eq!(found.is_some(), reason.is_some(), "{name}: {found:?}");
    assert!(found.unwrap_or_default().starts_with(reason.unwrap_or_default()), "{name}");
}

fn check_refusal(sample: &Sample, detail: &str) {
    let name = &sample.name;
    assert!(sample.status >= 400, "{name}");
    let fault = Fault::parse(&sample.body);
    assert!(fault.message.contains(detail), "{name}: {}", fault.message);
    assert!(!fault.message.contains("'loc'"), "{name}: the server's own notation: {}", fault.message);
}

/// The document on one line is the same JSON value with its keys in the same order.
fn check_kept(name: &str, document: &Document, body: &str) {
    let sent: Value = serde_json::from_str(body).expect("JSON");
    let kept: Value = serde_json::from_str(document.line()).expect("JSON");
    assert_eq!(sent.to_string(), kept.to_string(), "{name}");
    assert!(!document.line().contains('\n'), "{name}");
}

#[test]
fn the_duration_comes_from_the_metrics_else_from_the_times() {
    let run = Run::parse(&body("run-completed")).expect("a run");
    let metrics = Some(Document::parse(&body("run-metrics")).expect("metrics"));
    let usage = Some(Document::parse(&body("run-usage")).expect("usage"));
    let known = facts(&run, Outcome::Succeeded, &Details { metrics, usage, steps: vec![] });
    assert_eq!((known.duration_ns, known.duration_from), (Some(1_446_280_448), Some(FigureSource::Metrics)));
    assert_eq!((known.steps, known.total_tokens), (Some(1), Some(378)));
    let bare = facts(&run, Outcome::Succeeded, &Details::default());
    assert_eq!(bare.duration_from, Some(FigureSource::Timestamps));
    assert_eq!(bare.duration_ns, Some(1_395_016_000), "14:56:08.275779 to 14:56:09.670795");
}

#[test]
fn a_received_callback_names_its_run_and_how_it_ended() {
    for (file, status) in [
        ("callback-ok", "completed"),
        ("callback-500", "completed"),
        ("callback-302", "completed"),
        ("callback-timeout", "completed"),
        ("callback-run-failed", "failed"),
        ("callback-run-cancelled", "cancelled"),
    ] {
        let callback = Document::parse(&read(&format!("{file}.received.json"))).expect(file);
        assert!(callback.text("run_id").is_some_and(|id| id.parse::<agentctl::model::RunId>().is_ok()), "{file}");
        assert_eq!(callback.text("status"), Some(status), "{file}");
        assert!(callback.text("completed_at").and_then(agentctl::model::time::parse).is_some(), "{file}");
    }
}
