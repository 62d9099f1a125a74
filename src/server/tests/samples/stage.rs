//! Sets up a server for a recorded request.

use tokio::net::TcpListener;

use crate::server::Providers;
use crate::server::tests::*;

/// The state of the server when a request was recorded.
pub enum Before {
    /// An agent exists.
    Agent,
    /// The ids of the request are unknown.
    Nothing,
    /// A run with this body has ended.
    Ended(Value),
    /// A run with this body is in progress.
    InProgress(Value),
    /// A run with this body was cancelled while in progress.
    Cancelled(Value),
    /// A streamed run with this body has ended.
    Streamed(Value),
    /// Two runs have ended.
    Twice,
    /// A call is pending, and another message has failed.
    PendingCall,
    /// The agent and its run were deleted.
    Deleted,
}

use Before::{Agent, Cancelled, Deleted, Ended, InProgress, Nothing, PendingCall, Streamed, Twice};

pub fn before(name: &str, sink: &str) -> Before {
    let hello = json!({"input": "@reply hi"});
    let called = |text: &str, path: &str| json!({"input": text, "callback_url": format!("{sink}{path}")});
    match name {
        "run-created" | "run-while-working" | "cancel" | "cancel-all" => InProgress(json!({"input": "@hang"})),
        "run-completed" | "run-messages" | "run-usage" | "run-steps" | "run-metrics" | "run-trace" => Ended(hello),
        "run-messages-tools" | "run-steps-tools" => Ended(json!({"input": "@tool t {}\n@repeat 2\n@reply hi"})),
        "runs-list" | "runs-list-limit-1" => Twice,
        "run-completed-filtered" | "run-messages-filtered" => {
            Ended(json!({"input": "@reply hi", "include_return_message_types": ["assistant_message"]}))
        }
        "run-failed-bad-model" => Ended(json!({"input": "hello", "override_model": "nobody/nothing"})),
        "run-failed-approval-pending" => PendingCall,
        "run-failed-stream" => Streamed(json!({"input": "hello", "override_model": "openai/500", "background": true})),
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
        "run-stream" | "run-stream-after" => Streamed(json!({"input": "@tool t {}\n@reply hi", "background": true})),
        "run-of-deleted-agent" | "run-of-deleted-agent-later" | "post-async-deleted-agent" => Deleted,
        "post-async-unknown-field" => Agent,
        name if name.contains("unknown") || name.contains("malformed-run") => Nothing,
        name if name.starts_with("run-") || name == "cancel-completed" => Ended(hello),
        _ => Agent,
    }
}

/// Replaces the text of a recorded message by a script with the same effect, or the model by one that fails.
pub fn as_script(body: &mut Value) {
    let Some(text) = body.pointer("/messages/0/content").and_then(Value::as_str).map(str::to_owned) else { return };
    if text.contains("fail") {
        body["override_model"] = json!("openai/500");
        return;
    }
    body["messages"][0]["content"] = match text.as_str() {
        "" => json!(""),
        text if text.contains("tool") => json!("@tool t {}\n@reply hi"),
        text => json!(format!("@reply {text}")),
    };
}

/// A server that is set up for a recorded request.
pub struct Stage {
    pub server: Server,
    agent: String,
    run: Option<String>,
}

impl Stage {
    pub async fn set(behaviour: Behaviour, before: Before, sink: &str) -> Self {
        let get = |name: &str| (name == "OPENAI_BASE_URL").then(|| sink.to_owned());
        let providers = Providers::read(get).expect("read");
        let server =
            Server::with(ServerOptions { behaviour, providers, ..ServerOptions::new(Store::Memory, true) }).await;
        let agent = server.scripted().await;
        let mut stage = Self { server, agent, run: None };
        stage.run = stage.play(before).await;
        stage
    }

    async fn play(&self, before: Before) -> Option<String> {
        let server = &self.server;
        let agent = self.agent.as_str();
        let id = |run: Value| run["id"].as_str().map(str::to_owned);
        match before {
            Agent | Nothing => None,
            Ended(body) => self.ended(body).await,
            InProgress(body) => self.in_progress(body).await,
            Cancelled(body) => {
                let run = self.in_progress(body).await?;
                server.cancel(agent, json!({"run_ids": [run]})).await;
                self.settled(&run).await;
                Some(run)
            }
            Streamed(body) => {
                server.stream(&format!("/v1/agents/{agent}/messages/stream"), body).await;
                id(server.get("/v1/runs/").await[0].clone())
            }
            Twice => {
                self.ended(json!({"input": "@reply hi"})).await;
                self.ended(json!({"input": "@reply ho"})).await
            }
            PendingCall => {
                self.ended(json!({"input": "@ask t {}"})).await;
                self.ended(json!({"input": "hello"})).await
            }
            Deleted => {
                let run = self.in_progress(json!({"input": "@hang"})).await;
                server.call("DELETE", &format!("/v1/agents/{agent}"), Body::empty()).await;
                run
            }
        }
    }

    /// Sends a body and waits for the end of its run; returns `None` if the server rejects the body.
    async fn ended(&self, body: Value) -> Option<String> {
        let path = format!("/v1/agents/{}/messages/async", self.agent);
        let (status, run) = self.server.call("POST", &path, Body::from(body.to_string())).await;
        let run = run["id"].as_str().filter(|_| status == StatusCode::OK)?.to_owned();
        self.settled(&run).await;
        Some(run)
    }

    /// Polls until the run has ended and its callback was attempted.
    async fn settled(&self, run: &str) {
        let run = format!("/v1/runs/{run}");
        wait_for(async || {
            let run = self.server.get(&run).await;
            !run["completed_at"].is_null() && (run["callback_url"].is_null() || !run["callback_sent_at"].is_null())
        })
        .await;
    }

    async fn in_progress(&self, body: Value) -> Option<String> {
        let run = self.server.send(&self.agent, body).await;
        wait_for(async || self.server.is_running(&run).await).await;
        Some(run.as_str().to_owned())
    }

    /// Replaces the recorded ids by those of this server.
    pub fn translate(&self, text: &str) -> String {
        let text = replace_ids(text, "agent-", &self.agent);
        match &self.run {
            Some(run) => replace_ids(&text, "run-", run),
            None => text,
        }
    }
}

/// Replaces every id with a prefix.
pub fn replace_ids(text: &str, prefix: &str, by: &str) -> String {
    let mut parts = text.split(prefix);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |done, part| match part.get(36..).filter(|_| part.as_bytes().get(8) == Some(&b'-')) {
        Some(rest) => format!("{done}{by}{rest}"),
        None => format!("{done}{prefix}{part}"),
    })
}

/// Starts a fake receiver and model endpoint. It responds with the status in the path of a callback or in the name of the
/// model; returns its base URL.
pub async fn sink() -> String {
    let answer = |axum::extract::Path(status): axum::extract::Path<u16>| async move {
        StatusCode::from_u16(status).expect("a status")
    };
    let fail = |axum::Json(body): axum::Json<Value>| async move {
        let status = body["model"].as_str().and_then(|name| name.parse().ok()).expect("a status");
        // A pause this long prevents retries.
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
