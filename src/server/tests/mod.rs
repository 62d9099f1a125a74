//! Tests of the whole server, called through its router within this process.

mod agents;
mod approvals;
mod callbacks;
mod fields;
mod idempotency;
mod killed;
mod lists;
mod models;
mod quirks;
mod runs;
mod samples;
mod shapes;
mod sharing;
mod streams;

use std::path::Path;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Behaviour, Running, ServerOptions, Store, start};
use crate::model::RunId;

/// A server under test, with its router.
struct Server {
    running: Running,
    router: Router,
}

impl Server {
    async fn start(store: Store, execute: bool) -> Self {
        Self::with(ServerOptions::new(store, execute)).await
    }

    /// A server with the quirks of the real one.
    async fn quirky() -> Self {
        Self::with(ServerOptions { behaviour: Behaviour::Quirky, ..ServerOptions::new(Store::Memory, true) }).await
    }

    async fn with(options: ServerOptions) -> Self {
        let running = start(options).await.expect("started");
        let router = running.router();
        Self { running, router }
    }

    async fn in_memory() -> Self {
        Self::start(Store::Memory, true).await
    }

    async fn at(path: &Path) -> Self {
        Self::start(Store::File(path.to_owned()), true).await
    }

    async fn call(&self, method: &str, path: &str, body: Body) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
        let answer = self.router.clone().oneshot(request.body(body).expect("a request")).await.expect("infallible");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    async fn get(&self, path: &str) -> Value {
        let (status, value) = self.call("GET", path, Body::empty()).await;
        assert_eq!(status, StatusCode::OK, "GET {path}: {value}");
        value
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, value) = self.call("POST", path, Body::from(body.to_string())).await;
        assert_eq!(status, StatusCode::OK, "POST {path}: {value}");
        value
    }

    async fn agent(&self, model: &str) -> String {
        let agent = self.post("/v1/agents/", json!({"name": "it's one-1", "model": model})).await;
        agent["id"].as_str().expect("an id").to_owned()
    }

    async fn scripted(&self) -> String {
        self.agent("agentctl/script").await
    }

    /// Sends a request without waiting; returns the id of its run.
    async fn send(&self, agent: &str, body: Value) -> RunId {
        let run = self.post(&format!("/v1/agents/{agent}/messages/async"), body).await;
        assert_eq!(run["status"], "created");
        run["id"].as_str().expect("an id").parse().expect("a run id")
    }

    /// Sends a text and waits for the end of its run; returns the run.
    async fn run(&self, agent: &str, text: &str) -> Value {
        self.run_with(agent, json!({"input": text})).await
    }

    async fn run_with(&self, agent: &str, body: Value) -> Value {
        let id = self.send(agent, body).await;
        self.running.settle(&id).await.expect("settled");
        self.get(&format!("/v1/runs/{id}")).await
    }

    async fn messages(&self, run: &Value) -> Vec<Value> {
        let id = run["id"].as_str().expect("an id");
        self.get(&format!("/v1/runs/{id}/messages")).await.as_array().expect("a list").clone()
    }

    /// Polls until a run has a status.
    async fn until(&self, run: &RunId, status: &str) {
        wait_for(async || self.get(&format!("/v1/runs/{run}")).await["status"] == status).await;
    }

    /// Whether a run is stored as `running`; with quirks it is not shown as such.
    async fn is_running(&self, run: &RunId) -> bool {
        let run = run.as_str().to_owned();
        let status = self.running.engine.db.read(move |tx| {
            Ok(tx.query_row("SELECT status FROM runs WHERE id = ?", [run], |row| row.get::<_, String>(0))?)
        });
        status.await.expect("a run") == "running"
    }

    /// Returns the whole text of a stream.
    async fn stream(&self, path: &str, body: Value) -> String {
        let request = Request::builder().method("POST").uri(path).header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body.to_string())).expect("a request");
        let answer = self.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream; charset=utf-8");
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    async fn cancel(&self, agent: &str, body: Value) -> Value {
        self.post(&format!("/v1/agents/{agent}/messages/cancel"), body).await
    }
}

/// Polls a condition for at most 60 s of the system clock, since the clock of the runtime may be paused.
async fn wait_for(mut condition: impl AsyncFnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !condition().await {
        assert!(std::time::Instant::now() < deadline, "the condition was not met within 60 s");
        tokio::task::yield_now().await;
    }
}

/// Returns the types of messages, in order.
fn types(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["message_type"].as_str().expect("a type")).collect()
}

/// Returns the status and the stop reason of a run.
fn end(run: &Value) -> (&str, &str) {
    (run["status"].as_str().unwrap_or_default(), run["stop_reason"].as_str().unwrap_or_default())
}
