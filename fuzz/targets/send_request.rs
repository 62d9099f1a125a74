//! Requests to the local server are accepted or refused, and never cause an internal error. The agent does not exist, so
//! an accepted request ends with a 404 and stores nothing.
#![no_main]

use std::cell::OnceCell;

use agentctl::server::{self, Running, ServerOptions, Store};
use axum::body::Body;
use http::Request;
use libfuzzer_sys::fuzz_target;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const PATH: &str = "/v1/agents/agent-11111111-1111-4111-8111-111111111111/messages/async";

thread_local! {
    static SERVER: OnceCell<(Runtime, Running)> = const { OnceCell::new() };
}

fn start() -> (Runtime, Running) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let running = runtime.block_on(server::start(ServerOptions::new(Store::Memory, false))).expect("a server");
    (runtime, running)
}

fuzz_target!(|body: &[u8]| {
    SERVER.with(|server| {
        let (runtime, running) = server.get_or_init(start);
        let request = Request::post(PATH).header("content-type", "application/json");
        let request = request.body(Body::from(body.to_vec())).expect("a request");
        let answer = runtime.block_on(running.router().oneshot(request)).expect("an answer");
        assert!(matches!(answer.status().as_u16(), 400 | 404 | 413 | 415 | 422), "{}", answer.status());
        let body = runtime.block_on(axum::body::to_bytes(answer.into_body(), 64 << 20)).expect("a body");
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_ok());
    });
});
