//! Compares the responses of this server with recordings of a real server 0.16.8.
//!
//! Status, keys, types and enum values must be equal. Exceptions are listed here with their reasons; a listed difference
//! that does not occur fails the test.

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::*;
use stage::{Before, Stage};

/// Keys whose values are enums of the API and are compared. Other values are compared by type.
const ENUMS: &[&str] = &["status", "stop_reason", "message_type", "run_type", "error_type", "callback_status_code"];

/// Recordings that are not compared, with the reason.
const LEFT_OUT: &[(&str, &str)] = &[
    ("error-wrong-token", "API keys are checked by the access rules of a port, which have their own tests"),
    ("error-wrong-token-post", "the same"),
    ("error-no-token", "the same"),
    ("run-completed-memgpt", "this server has one type of agent"),
    ("run-messages-memgpt", "the same"),
    ("run-max-steps-memgpt", "the same"),
    ("run-failed-memgpt", "the same"),
    ("run-orphaned", "this server finishes a run after a crash"),
    ("cancel-orphaned", "the same"),
    ("run-orphaned-cancelled", "the same"),
    ("twice-run-0", "this server never runs an agent concurrently"),
    ("twice-run-0-messages", "the same"),
    ("twice-run-1", "the same"),
    ("twice-run-1-messages", "the same"),
    ("twice-agent-messages", "the same"),
    ("twice-next-run", "the same"),
    ("run-callback-timeout", "the timeout takes five seconds"),
    ("run-callback-no-such-host", "callbacks of this server go to this machine only"),
    ("run-stream-completed", "like other completed runs; its stream is compared"),
    ("run-cancelled-later", "depends on timing; see the tests of models"),
    ("run-cancelled-messages", "the same"),
    ("run-cancelled-steps", "the same"),
    ("run-stream-after", "the real server numbers pieces of messages; see the tests of streams"),
    ("run-running", "depends on timing; see the tests of streams"),
];

/// Collects the differences of two documents.
fn differences(at: &str, real: &Value, ours: &Value, found: &mut BTreeSet<String>) {
    match (real, ours) {
        (Value::Object(real), Value::Object(ours)) => {
            for key in real.keys().chain(ours.keys()).collect::<BTreeSet<_>>() {
                let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
                match (real.get(key), ours.get(key)) {
                    (Some(real), Some(ours)) => differences(&at, real, ours, found),
                    (Some(_), None) => drop(found.insert(format!("{at}: not here"))),
                    (None, _) => drop(found.insert(format!("{at}: only here"))),
                }
            }
        }
        (Value::Array(real), Value::Array(ours)) => {
            if real.len() != ours.len() {
                found.insert(format!("{at}: {} there, {} here", real.len(), ours.len()));
            }
            real.iter().zip(ours).for_each(|(real, ours)| differences(&format!("{at}[]"), real, ours, found));
        }
        _ if ENUMS.iter().any(|word| at.rsplit('.').next() == Some(word)) && real != ours => {
            found.insert(format!("{at}: {real} there, {ours} here"));
        }
        _ if kind(real) != kind(ours) => drop(found.insert(format!("{at}: {} there, {} here", kind(real), kind(ours)))),
        _ => {}
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(text) if text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok() => "time with Z",
        Value::String(text) if text.parse::<jiff::civil::DateTime>().is_ok() => "time",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Parses a stream into the types of its frames, without pings; the pieces of one message count once.
fn kinds_of_frames(text: &str) -> Value {
    let frames = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut kinds: Vec<String> = frames
        .map(|frame| serde_json::from_str::<Value>(frame).unwrap_or_else(|_| json!({"message_type": frame})))
        .filter_map(|frame| frame["message_type"].as_str().map(str::to_owned))
        .filter(|kind| kind != "ping")
        .collect();
    kinds.dedup();
    json!(kinds.into_iter().map(|kind| json!({"message_type": kind})).collect::<Vec<_>>())
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/samples")
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(folder().join(file)).expect(file);
    if file.ends_with(".json") { serde_json::from_str(&text).expect(file) } else { kinds_of_frames(&text) }
}

/// Repeats a recorded request and returns the differences of the response.
async fn replay(name: &str, recorded: &Value, behaviour: Behaviour, sink: &str) -> BTreeSet<String> {
    let mut body = recorded["body"].clone();
    let before = stage::before(name, sink);
    let foreign = matches!(before, Before::Nothing);
    let stage = Stage::set(behaviour, before, sink).await;
    stage::as_script(&mut body);
    let translate = |text: &str| if foreign { text.to_owned() } else { stage.translate(text) };
    let path = translate(recorded["path"].as_str().expect("a path"));
    let body = match body {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => translate(&other.to_string()),
    };
    let content_type = if name == "error-wrong-content-type" { "text/plain" } else { "application/json" };
    let request = Request::builder().method(recorded["method"].as_str().expect("a method")).uri(path);
    let request = request.header(header::CONTENT_TYPE, content_type).body(Body::from(body)).expect("a request");
    let answer = stage.server.router.clone().oneshot(request).await.expect("infallible");
    compare(name, recorded, answer).await
}

async fn compare(name: &str, recorded: &Value, answer: axum::response::Response) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let real = recorded["status"].as_u64().expect("a status");
    let ours = u64::from(answer.status().as_u16());
    if real != ours {
        found.insert(format!("HTTP {real} there, {ours} here"));
        return found;
    }
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let file = recorded["file"].as_str().expect("a file");
    let ours = if file.ends_with(".json") { serde_json::from_str(&text).expect(name) } else { kinds_of_frames(&text) };
    differences("", &without_ids(read(file)), &without_ids(ours), &mut found);
    found
}

/// Replaces run ids in keys, as in the response to a cancel.
fn without_ids(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (stage::replace_ids(&key, "run-", "run"), value)).collect()
        }
        other => other,
    }
}

/// Returns every difference, with the names of the recordings.
async fn all_differences(behaviour: Behaviour) -> BTreeMap<String, BTreeSet<String>> {
    let index = read("index.json");
    let sink = stage::sink().await;
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, recorded) in index.as_object().expect("an object") {
        if LEFT_OUT.iter().any(|(left_out, _)| left_out == name) {
            continue;
        }
        for difference in replay(name, recorded, behaviour, &sink).await {
            all.entry(difference).or_default().insert(name.clone());
        }
    }
    all
}

/// Compares with the lists of differences, each with its number of recordings.
async fn assert_differences(behaviour: Behaviour, lists: &[&[(&str, usize)]]) {
    let found = all_differences(behaviour).await;
    let counted: BTreeMap<&str, usize> = found.iter().map(|(what, samples)| (what.as_str(), samples.len())).collect();
    let listed: BTreeMap<&str, usize> = lists.concat().into_iter().collect();
    assert_eq!(counted, listed, "{found:#?}");
}

/// Differences with and without quirks.
const ALWAYS: &[(&str, usize)] = &[
    // A traceback would reveal paths of this machine.
    ("[].error_data.traceback: text there, null here", 1),
    // The built-in models have no endpoint.
    ("[].model_endpoint: text there, null here", 3),
    // Recorded just before the figure was written.
    ("[].total_duration_ns: null there, number here", 1),
];

/// Differences without quirks: the documentation differs from the real server, or this server adds a field.
const DOCUMENTED: &[(&str, usize)] = &[
    ("completed_at: time there, time with Z here", 26),
    ("[].completed_at: time there, time with Z here", 2),
    ("callback_sent_at: time there, time with Z here", 6),
    ("ttft_ns: null there, number here", 12),
    ("[].ttft_ns: null there, number here", 2),
    ("total_duration_ns: null there, number here", 26),
    ("metadata.model: only here", 35),
    ("[].metadata.model: only here", 2),
    ("status: \"created\" there, \"running\" here", 2),
    ("stop_reason: \"end_turn\" there, \"max_steps\" here", 2),
    // A run has the stop reason of its last step.
    ("stop_reason: \"error\" there, \"llm_api_error\" here", 5),
    // Input messages are kept when the model fails.
    (": 0 there, 1 here", 1),
    // A failed callback is retried, with the reason recorded.
    ("callback_error: null there, text here", 2),
    // The real server accepts these and fails the run; this one rejects them.
    ("HTTP 200 there, 422 here", 4),
    ("HTTP 200 there, 404 here", 2),
    ("HTTP 307 there, 200 here", 1),
    ("HTTP 500 there, 200 here", 2),
    // A failed stream ends with its end marker.
    (": 2 there, 3 here", 1),
];

#[tokio::test]
async fn documented_responses_differ_from_the_recordings_as_listed() {
    assert_differences(Behaviour::Documented, &[ALWAYS, DOCUMENTED]).await;
}

#[tokio::test]
async fn quirky_responses_equal_the_recordings() {
    assert_differences(Behaviour::Quirky, &[ALWAYS]).await;
}
