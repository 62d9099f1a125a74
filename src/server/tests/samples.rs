//! The recorded answers of a real server 0.16.8, beside what this one answers to the same requests.
//!
//! Answers must have the same status, keys, types and words. Where they do not, the difference is listed here, with
//! its reason; a difference that is listed and does not occur fails, too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use tokio::net::TcpListener;

use super::*;
use crate::server::Providers;

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

/// What has to have happened before a request, so that it means what it meant when it was recorded.
enum Before {
    /// There is an agent.
    Agent,
    /// Nothing that it names is there.
    Nothing,
    /// A run with this body has ended.
    Ended(Value),
    /// A run with this body is at work.
    AtWork(Value),
    /// The same, and it was cancelled.
    Cancelled(Value),
    /// A run that was listened to has ended.
    Listened(Value),
    /// Two runs have ended.
    Twice,
    /// A run waits for a person, and another message came.
    Refused,
    /// The agent is gone, and its run with it.
    Gone,
}

use Before::{Agent, AtWork, Cancelled, Ended, Gone, Listened, Nothing, Refused, Twice};

fn before(name: &str, sink: &str) -> Before {
    let hello = json!({"input": "@reply hi"});
    let called = |text: &str, path: &str| json!({"input": text, "callback_url": format!("{sink}{path}")});
    match name {
        "run-created" | "run-while-working" | "cancel" | "cancel-all" => AtWork(json!({"input": "@hang"})),
        "run-completed" | "run-messages" | "run-usage" | "run-steps" | "run-metrics" | "run-trace" => Ended(hello),
        "run-messages-tools" | "run-steps-tools" => Ended(json!({"input": "@tool t {}\n@repeat 2\n@reply hi"})),
        "runs-list" | "runs-list-limit-1" => Twice,
        "run-completed-filtered" | "run-messages-filtered" => {
            Ended(json!({"input": "@reply hi", "include_return_message_types": ["assistant_message"]}))
        }
        "run-failed-bad-model" => Ended(json!({"input": "hello", "override_model": "nobody/nothing"})),
        "run-failed-approval-pending" => Refused,
        "run-failed-stream" => Listened(json!({"input": "hello", "override_model": "openai/500", "background": true})),
        name if name.starts_with("run-failed") => {
            let status = name.strip_prefix("run-failed-llm-").unwrap_or("500");
            Ended(json!({"input": "hello", "override_model": format!("openai/{status}")}))
        }
        "run-max-steps-0" | "run-max-steps-minus-1" => Ended(json!({"input": "@reply hi", "max_steps": 0})),
        name if name.starts_with("run-max-steps") => Ended(json!({"input": "@tool t {}\n@repeat 9", "max_steps": 3})),
        "run-cancelled" | "cancel-again" => Cancelled(json!({"input": "@sleep 1s\n@reply hi"})),
        "run-cancelled-loop" => Cancelled(json!({"input": "@sleep 50ms\n@tool t {}\n@repeat 100"})),
        "run-cancelled-loop-messages" => Ended(json!({"input": "@tool t {}\n@repeat 9", "max_steps": 3})),
        "run-requires-approval" | "run-requires-approval-messages" => Ended(json!({"input": "@ask t {}"})),
        "run-empty-messages" => Ended(json!({"messages": []})),
        "run-empty-text" => Ended(json!({"input": ""})),
        "run-callback-ok" => Ended(called("@reply hi", "/200")),
        "run-callback-run-failed" => Ended(called("@fail x", "/200")),
        "run-callback-run-cancelled" => Cancelled(called("@sleep 50ms\n@tool t {}\n@repeat 100", "/200")),
        "run-callback-500" => Ended(called("@reply hi", "/500")),
        "run-callback-302" => Ended(called("@reply hi", "/302")),
        "run-callback-refused" => Ended(json!({"input": "@reply hi", "callback_url": "http://127.0.0.1:9/"})),
        "run-stream" | "run-stream-after" => Listened(json!({"input": "@tool t {}\n@reply hi", "background": true})),
        "run-of-deleted-agent" | "run-of-deleted-agent-later" | "post-async-deleted-agent" => Gone,
        "post-async-unknown-field" => Agent,
        name if name.contains("unknown") || name.contains("malformed-run") => Nothing,
        name if name.starts_with("run-") || name == "cancel-completed" => Ended(hello),
        _ => Agent,
    }
}

/// The text of a recorded message, as the model here is told the same.
fn in_directives(body: &mut Value) {
    if let Some(text) = body.pointer_mut("/messages/0/content").filter(|text| text.is_string()) {
        *text = match text.as_str().unwrap_or_default() {
            "" => json!(""),
            text if text.contains("fail") => json!("@fail INTERNAL_SERVER_ERROR: OpenAI API error: x"),
            text if text.contains("tool") => json!("@tool t {}\n@reply hi"),
            text => json!(format!("@reply {text}")),
        };
    }
}

/// A server, one agent of it, and what was made for a request.
struct Stage {
    server: Server,
    agent: String,
    run: Option<String>,
}

impl Stage {
    async fn set(manners: Manners, before: Before, sink: &str) -> Self {
        let get = |name: &str| (name == "OPENAI_BASE_URL").then(|| sink.to_owned());
        let providers = Providers::read(get).expect("read");
        let server = Server::with(Options { manners, providers, ..Options::new(Store::Memory, true) }).await;
        let agent = server.scripted().await;
        let mut stage = Self { server, agent, run: None };
        stage.run = stage.play(before).await;
        stage
    }

    async fn play(&self, before: Before) -> Option<String> {
        let (server, agent) = (&self.server, self.agent.as_str());
        let id = |run: Value| run["id"].as_str().map(str::to_owned);
        match before {
            Agent | Nothing => None,
            Ended(body) => self.ended(body).await,
            AtWork(body) => self.at_work(body).await,
            Cancelled(body) => {
                let run = self.at_work(body).await?;
                server.cancel(agent, json!({"run_ids": [run]})).await;
                self.settled(&run).await;
                Some(run)
            }
            Listened(body) => {
                server.stream(&format!("/v1/agents/{agent}/messages/stream"), body).await;
                id(server.get("/v1/runs/").await[0].clone())
            }
            Twice => {
                self.ended(json!({"input": "@reply hi"})).await;
                self.ended(json!({"input": "@reply ho"})).await
            }
            Refused => {
                self.ended(json!({"input": "@ask t {}"})).await;
                self.ended(json!({"input": "hello"})).await
            }
            Gone => {
                let run = self.at_work(json!({"input": "@hang"})).await;
                server.call("DELETE", &format!("/v1/agents/{agent}"), Body::empty()).await;
                run
            }
        }
    }

    /// A server that refuses the body at once has no run.
    async fn ended(&self, body: Value) -> Option<String> {
        let path = format!("/v1/agents/{}/messages/async", self.agent);
        let (status, run) = self.server.call("POST", &path, Body::from(body.to_string())).await;
        let run = run["id"].as_str().filter(|_| status == StatusCode::OK)?.to_owned();
        self.settled(&run).await;
        Some(run)
    }

    /// Waits until the run and its callback are through, or will be tried again.
    async fn settled(&self, run: &str) {
        let run = format!("/v1/runs/{run}");
        wait_for(async || {
            let run = self.server.get(&run).await;
            !run["completed_at"].is_null() && (run["callback_url"].is_null() || !run["callback_sent_at"].is_null())
        })
        .await;
    }

    async fn at_work(&self, body: Value) -> Option<String> {
        let run = self.server.send(&self.agent, body).await;
        wait_for(async || self.server.at_work(&run).await).await;
        Some(run.as_str().to_owned())
    }

    /// A recorded text with the ids of this stage.
    fn translate(&self, text: &str) -> String {
        let text = replace_ids(text, "agent-", &self.agent);
        match &self.run {
            Some(run) => replace_ids(&text, "run-", run),
            None => text,
        }
    }
}

/// Replaces whatever looks like an id of a kind.
fn replace_ids(text: &str, prefix: &str, by: &str) -> String {
    let mut parts = text.split(prefix);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| match part.get(36..).filter(|_| part.as_bytes().get(8) == Some(&b'-')) {
        Some(rest) => format!("{done}{by}{rest}"),
        None => format!("{done}{prefix}{part}"),
    })
}

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

/// A server that answers a callback with the status that its path names, and a model that is to fail likewise.
async fn sink() -> String {
    let answer = |axum::extract::Path(status): axum::extract::Path<u16>| async move {
        StatusCode::from_u16(status).expect("a status")
    };
    let fail = |axum::Json(body): axum::Json<Value>| async move {
        let status = body["model"].as_str().and_then(|name| name.parse().ok()).expect("a status");
        // Who is asked to wait this long does not try again.
        let patience = [(header::RETRY_AFTER, "3600")];
        (StatusCode::from_u16(status).expect("a status"), patience, axum::Json(json!({"error": {"message": "no"}})))
    };
    let routes = Router::new().route("/{status}", axum::routing::post(answer));
    let routes = routes.route("/chat/completions", axum::routing::post(fail));
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(socket, routes).await });
    format!("http://{address}")
}

/// Plays a recorded request, and says what is different about the answer.
async fn replay(name: &str, recorded: &Value, manners: Manners, sink: &str) -> BTreeSet<String> {
    let mut body = recorded["body"].clone();
    let before = before(name, sink);
    let foreign = matches!(before, Nothing);
    let stage = Stage::set(manners, before, sink).await;
    in_directives(&mut body);
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
        Value::Object(map) => map.into_iter().map(|(key, value)| (replace_ids(&key, "run-", "run"), value)).collect(),
        other => other,
    }
}

/// Every difference, with the recordings that show it.
async fn all_differences(manners: Manners) -> BTreeMap<String, BTreeSet<String>> {
    let (index, sink) = (read("index.json"), sink().await);
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, recorded) in index.as_object().expect("an object") {
        // What callbacks received has no status.
        if recorded["status"].is_null() || LEFT_OUT.iter().any(|(left_out, _)| left_out == name) {
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
