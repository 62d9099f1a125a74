//! The recorded answers of a real server 0.16.8, beside what this one answers to the same requests.
//!
//! Answers must have the same status, keys, types and words. Where they do not, the difference is listed here, with
//! its reason; a difference that is listed and does not occur fails, too.

mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use super::*;
use stage::{Before, Stage};

/// Keys whose values are words of the API: they are compared, all others by their type.
const WORDS: &[&str] = &["status", "stop_reason", "message_type", "run_type", "error_type", "callback_status_code"];

/// Recordings that have no counterpart here, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("error-wrong-token", "keys are a matter of the doors, which have tests of their own"),
    ("error-wrong-token-post", "the same"),
    ("error-no-token", "the same"),
    ("run-completed-memgpt", "there is one kind of agents here"),
    ("run-messages-memgpt", "the same"),
    ("run-max-steps-memgpt", "the same"),
    ("run-failed-memgpt", "the same"),
    ("run-orphaned", "a run that was at work when its server died is finished here"),
    ("cancel-orphaned", "the same"),
    ("run-orphaned-cancelled", "the same"),
    ("twice-run-0", "runs of one agent never overlap here"),
    ("twice-run-0-messages", "the same"),
    ("twice-run-1", "the same"),
    ("twice-run-1-messages", "the same"),
    ("twice-agent-messages", "the same"),
    ("twice-next-run", "the same"),
    ("run-callback-timeout", "it takes five seconds"),
    ("run-callback-no-such-host", "only this machine is called here"),
    ("run-stream-completed", "a run like any other, and the stream that it belongs to is compared"),
    ("run-cancelled-later", "whether it flips depends on the moment; see the tests of models"),
    ("run-cancelled-messages", "the same"),
    ("run-cancelled-steps", "the same"),
    ("run-stream-after", "pieces of messages are counted there, and messages here; see the tests of streams"),
    ("run-running", "the moment is not to be had by asking; see the tests of streams"),
];

/// What two answers have not in common.
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
        _ if WORDS.iter().any(|word| at.rsplit('.').next() == Some(word)) && real != ours => {
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

/// A stream as the list of the kinds of its frames; pieces of one message count once, pings do not.
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

/// Plays a recorded request, and says what is different about the answer.
async fn replay(name: &str, recorded: &Value, manners: Manners, sink: &str) -> BTreeSet<String> {
    let mut body = recorded["body"].clone();
    let before = stage::before(name, sink);
    let foreign = matches!(before, Before::Nothing);
    let stage = Stage::set(manners, before, sink).await;
    stage::in_directives(&mut body);
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
    let (real, ours) = (recorded["status"].as_u64().expect("a status"), u64::from(answer.status().as_u16()));
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

/// The map that a cancel answers has ids for keys.
fn without_ids(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (stage::replace_ids(&key, "run-", "run"), value)).collect()
        }
        other => other,
    }
}

/// Every difference, with the recordings that show it.
async fn all_differences(manners: Manners) -> BTreeMap<String, BTreeSet<String>> {
    let (index, sink) = (read("index.json"), stage::sink().await);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, recorded) in index.as_object().expect("an object") {
        if LEFT_OUT.iter().any(|(left_out, _)| left_out == name) {
            continue;
        }
        for difference in replay(name, recorded, manners, &sink).await {
            all.entry(difference).or_default().insert(name.clone());
        }
    }
    all
}

/// Compares with what is listed: a difference, and how many recordings show it.
async fn assert_differences(manners: Manners, lists: &[&[(&str, usize)]]) {
    let found = all_differences(manners).await;
    let counted: BTreeMap<&str, usize> = found.iter().map(|(what, samples)| (what.as_str(), samples.len())).collect();
    let listed: BTreeMap<&str, usize> = lists.concat().into_iter().collect();
    assert_eq!(counted, listed, "{found:#?}");
}

/// In either manner.
const ALWAYS: &[(&str, usize)] = &[
    // A traceback would tell where this program lies on a disk.
    ("[].error_data.traceback: text there, null here", 1),
    // The models that are built in have no address.
    ("[].model_endpoint: text there, null here", 3),
    // The recording caught the moment before the figure was written.
    ("[].total_duration_ns: null there, number here", 1),
];

/// What the documentation says and the real server does not do, or what this server adds.
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
    // A step's own reason is the run's, too.
    ("stop_reason: \"error\" there, \"llm_api_error\" here", 5),
    // What was sent is kept, also where the model failed.
    (": 0 there, 1 here", 1),
    // A callback that was not answered well is tried again, and the reason is told.
    ("callback_error: null there, text here", 2),
    // What the real server accepts to fail its run is refused here, and has no run.
    ("HTTP 200 there, 422 here", 4),
    ("HTTP 200 there, 404 here", 2),
    ("HTTP 307 there, 200 here", 1),
    ("HTTP 500 there, 200 here", 2),
    // A stream ends with its end marker, also where it fails.
    (": 2 there, 3 here", 1),
];

#[tokio::test]
async fn with_the_manners_of_the_documentation_answers_differ_as_listed() {
    assert_differences(Manners::Documented, &[ALWAYS, DOCUMENTED]).await;
}

#[tokio::test]
async fn with_the_manners_of_the_real_server_answers_are_the_same() {
    assert_differences(Manners::Quirky, &[ALWAYS]).await;
}
