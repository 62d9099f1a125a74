//! Tests of models served by other programs, with a fake endpoint.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::*;
use crate::server::Providers;

/// A fake endpoint: the responses to give, and the requests received.
#[derive(Clone, Default)]
struct Endpoint {
    answers: Arc<Mutex<VecDeque<Response>>>,
    seen: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
}

impl Endpoint {
    /// Starts the endpoint; returns its base URL.
    async fn serve(&self) -> String {
        let this = self.clone();
        let complete = move |headers: HeaderMap, axum::Json(body): axum::Json<Value>| async move {
            this.seen.lock().expect("whole").push((headers, body));
            this.answers.lock().expect("whole").pop_front().unwrap_or_else(|| reply("ok"))
        };
        let models =
            || async { axum::Json(json!({"data": [{"id": "org/small", "max_model_len": 4096}, {"id": "big"}]})) };
        let routes = Router::new().route("/v1/chat/completions", post(complete)).route("/v1/models", get(models));
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(socket, routes).await });
        format!("http://{address}")
    }

    fn respond(&self, answers: impl IntoIterator<Item = Response>) {
        self.answers.lock().expect("whole").extend(answers);
    }

    fn seen(&self) -> Vec<(HeaderMap, Value)> {
        self.seen.lock().expect("whole").clone()
    }

    /// Starts a server that uses this endpoint, and creates an agent with its model.
    async fn server(&self) -> (Server, String) {
        self.server_with(Behaviour::Documented).await
    }

    async fn server_with(&self, behaviour: Behaviour) -> (Server, String) {
        let url = self.serve().await;
        let get = |name: &str| match name {
            "OPENAI_BASE_URL" => Some(format!("{url}/v1")),
            "OPENAI_API_KEY" => Some("sk-secret".to_owned()),
            "VLLM_BASE_URL" => Some("http://127.0.0.1:9".to_owned()),
            _ => None,
        };
        let providers = Providers::read(get).expect("read");
        let server =
            Server::with(ServerOptions { providers, behaviour, ..ServerOptions::new(Store::Memory, true) }).await;
        let agent = server.agent("openai/org/small").await;
        (server, agent)
    }
}

fn stream(pieces: &[Value]) -> Response {
    let text: String = pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect();
    ([(header::CONTENT_TYPE, "text/event-stream")], format!("{text}data: [DONE]\n\n")).into_response()
}

fn delta(delta: Value, finish: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

fn reply(text: &str) -> Response {
    let usage = json!({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}});
    stream(&[delta(json!({"reasoning": "hm"}), Value::Null), delta(json!({"content": text}), json!("stop")), usage])
}

fn error_response(status: u16, retry_after: &'static str) -> Response {
    let body = axum::Json(json!({"error": {"message": "no"}}));
    (StatusCode::from_u16(status).expect("a status"), [(header::RETRY_AFTER, retry_after)], body).into_response()
}

fn sent(body: &Value) -> Vec<(&str, &Value)> {
    let messages = body["messages"].as_array().expect("a list");
    messages.iter().map(|message| (message["role"].as_str().expect("a role"), &message["content"])).collect()
}

#[tokio::test]
async fn a_model_gets_the_conversation_and_its_answer_is_stored_with_its_usage() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    endpoint.respond([reply("hello"), reply("again")]);
    let first = server.run(&agent, "one").await;
    let body = json!({"input": "two", "override_system": "be brief", "enable_thinking": "true"});
    let second = server.run_with(&agent, body).await;
    assert_eq!((end(&first), end(&second)), (("completed", "end_turn"), ("completed", "end_turn")));
    assert!(first["ttft_ns"].as_i64() > Some(0) && first["ttft_ns"].as_i64() <= first["total_duration_ns"].as_i64());
    assert_eq!(types(&server.messages(&first).await), ["user_message", "assistant_message"]);
    let said = server.messages(&second).await;
    assert_eq!(types(&said), ["user_message", "reasoning_message", "assistant_message"]);
    assert_eq!((&said[1]["reasoning"], &said[2]["content"]), (&json!("hm"), &json!("again")));
    let usage = server.get(&format!("/v1/runs/{}/usage", first["id"].as_str().expect("an id"))).await;
    assert_eq!((&usage["prompt_tokens"], &usage["completion_tokens"]), (&json!(11), &json!(3)));
    let seen = endpoint.seen();
    let (headers, body) = &seen[1];
    assert_eq!(
        (&headers[header::AUTHORIZATION], &body["model"]),
        (&"Bearer sk-secret".parse().expect("a value"), &json!("org/small"))
    );
    assert_eq!(
        sent(body),
        [
            ("system", &json!("be brief")),
            ("user", &json!("one")),
            ("assistant", &json!("hello")),
            ("user", &json!("two")),
        ]
    );
}

#[tokio::test]
async fn memory_blocks_are_part_of_the_system_prompt() {
    let endpoint = Endpoint::default();
    let (server, _) = endpoint.server().await;
    let blocks = json!([{"label": "human", "value": "Ada"}]);
    let body = json!({"model": "openai/big", "system": "be kind", "memory_blocks": blocks});
    let agent = server.post("/v1/agents/", body).await["id"].as_str().expect("an id").to_owned();
    server.run(&agent, "hi").await;
    let expected = "be kind\n\n<memory_blocks>\n<human>\nAda\n</human>\n</memory_blocks>";
    assert_eq!(sent(&endpoint.seen()[0].1)[0], ("system", &json!(expected)));
}

#[tokio::test]
async fn history_is_truncated_but_the_messages_of_a_run_are_not() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    server.run(&agent, &"x".repeat(70_000)).await;
    server.run(&agent, &"y".repeat(70_000)).await;
    let seen = endpoint.seen();
    let roles: Vec<&str> = sent(&seen[1].1).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["system", "user"]);
}

#[tokio::test]
async fn a_call_of_an_unknown_tool_returns_an_error_and_the_turn_continues() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    let call = json!({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "rm", "arguments": "{}"}}]});
    endpoint.respond([stream(&[delta(call, json!("tool_calls"))]), reply("then not")]);
    let run = server.run(&agent, "hi").await;
    let messages = server.messages(&run).await;
    assert_eq!(types(&messages)[1..], ["tool_call_message", "tool_return_message", "assistant_message"]);
    assert_eq!(
        (&messages[2]["status"], &messages[2]["tool_return"]),
        (&json!("error"), &json!("Error: there is no tool named rm"))
    );
    let seen = endpoint.seen();
    let roles: Vec<&str> = sent(&seen[1].1).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool"]);
}

#[tokio::test]
async fn temporary_errors_are_retried_and_permanent_ones_fail_the_run() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    endpoint.respond([error_response(429, "0"), error_response(503, "0"), reply("at last")]);
    assert_eq!(end(&server.run(&agent, "hi").await), ("completed", "end_turn"));
    assert_eq!(endpoint.seen().len(), 3);
    endpoint.respond([error_response(401, "0")]);
    let run = server.run(&agent, "hi").await;
    assert_eq!(end(&run), ("failed", "llm_api_error"));
    let error = "UNAUTHENTICATED: Authentication failed with OpenAI: Error code: 401 - {'error': {'message': 'no'}}";
    assert_eq!(run["metadata"]["error"], error);
    let steps = server.get(&format!("/v1/runs/{}/steps", run["id"].as_str().expect("an id"))).await;
    assert_eq!(
        (&steps[0]["error_type"], &steps[0]["stop_reason"], &steps[0]["status"]),
        (&json!("LLMAuthenticationError"), &json!("llm_api_error"), &json!("failed"))
    );
    assert_eq!(endpoint.seen().len(), 4, "a 401 is not retried");
    endpoint.respond([error_response(429, "3600")]);
    let (status, body) =
        server.call("POST", &format!("/v1/agents/{agent}/messages"), Body::from(r#"{"input": "hi"}"#)).await;
    assert_eq!((status.as_u16(), &body["error"]["type"]), (429, &json!("llm_rate_limit")));
    assert_eq!(endpoint.seen().len(), 5, "a pause of an hour is too long");
}

#[tokio::test]
async fn a_truncated_empty_or_invalid_answer_fails_its_run_with_a_reason() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    for (answer, status, reason, error) in [
        (
            stream(&[delta(json!({"content": "and so"}), json!("length"))]),
            "failed",
            "max_tokens_exceeded",
            "the run was stopped",
        ),
        (
            stream(&[delta(json!({}), json!("stop"))]),
            "failed",
            "invalid_llm_response",
            "INTERNAL_SERVER_ERROR: OpenAI returned",
        ),
        (
            "<html>".into_response(),
            "failed",
            "llm_api_error",
            "INTERNAL_SERVER_ERROR: OpenAI API error: the answer is not JSON",
        ),
        (
            error_response(302, "0"),
            "failed",
            "llm_api_error",
            "INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 302",
        ),
    ] {
        endpoint.respond([answer]);
        let run = server.run(&agent, "hi").await;
        assert_eq!(end(&run), (status, reason), "{run}");
        assert!(run["metadata"]["error"].as_str().is_some_and(|words| words.starts_with(error)), "{run}");
    }
}

#[tokio::test]
async fn a_cancel_aborts_the_call_of_the_model() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server().await;
    let (hold, held) = tokio::sync::oneshot::channel::<()>();
    let body = Body::from_stream(futures_util::stream::once(async move {
        let _hold = hold;
        std::future::pending::<Result<String, std::convert::Infallible>>().await
    }));
    endpoint.respond([([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()]);
    let run = server.send(&agent, json!({"input": "hi"})).await;
    wait_for(async || endpoint.seen().len() == 1).await;
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    assert!(held.await.is_err(), "the connection is closed");
    assert_eq!(end(&server.get(&format!("/v1/runs/{run}")).await), ("cancelled", "cancelled"));
}

#[tokio::test]
async fn with_quirks_a_cancelled_call_continues_and_may_complete_its_run() {
    let endpoint = Endpoint::default();
    let (server, agent) = endpoint.server_with(Behaviour::Quirky).await;
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let body = Body::from_stream(futures_util::stream::once(async move {
        released.await.expect("released");
        let piece = delta(json!({"content": "after all"}), json!("stop"));
        Ok::<_, std::convert::Infallible>(format!("data: {piece}\n\n"))
    }));
    endpoint.respond([([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()]);
    let run = server.send(&agent, json!({"input": "hi"})).await;
    wait_for(async || endpoint.seen().len() == 1).await;
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    let cancelled = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(end(&cancelled), ("cancelled", "cancelled"));
    release.send(()).expect("received");
    server.until(&run, "completed").await;
    let completed = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!((end(&completed).1, &completed["completed_at"]), ("end_turn", &cancelled["completed_at"]));
    assert_eq!(server.messages(&completed).await.len(), 2, "its reply is stored");
}

#[tokio::test]
async fn models_of_reachable_endpoints_are_listed_and_unknown_endpoints_are_rejected() {
    let endpoint = Endpoint::default();
    let (server, _) = endpoint.server().await;
    let listed = server.get("/v1/models/").await;
    let models = listed.as_array().expect("a list");
    let handles: Vec<&Value> = models.iter().map(|model| &model["handle"]).collect();
    assert_eq!(handles, ["agentctl/echo", "agentctl/script", "openai/org/small", "openai/big"]);
    assert_eq!((&models[2]["context_window"], &models[2]["name"]), (&json!(4096), &json!("org/small")));
    for key in ["name", "provider_type", "model", "model_endpoint_type", "context_window", "max_context_window"] {
        assert!(models.iter().all(|model| !model[key].is_null()), "{key}");
    }
    for (model, words) in [
        ("ollama/x", "OLLAMA_BASE_URL is not set"),
        ("nobody/x", "must be one of [agentctl/echo, agentctl/script, openai/…, vllm/…]"),
    ] {
        let (status, body) = server.call("POST", "/v1/agents/", Body::from(json!({"model": model}).to_string())).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(body["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{body}");
    }
}

#[tokio::test]
async fn an_unreachable_endpoint_fails_the_run() {
    let endpoint = Endpoint::default();
    let (server, _) = endpoint.server().await;
    let agent = server.agent("vllm/x").await;
    let run = server.run(&agent, "hi").await;
    assert_eq!(end(&run), ("failed", "llm_api_error"));
    let words = "INTERNAL_SERVER_ERROR: Failed to connect to vLLM at http://127.0.0.1:9/v1: ";
    assert!(run["metadata"]["error"].as_str().is_some_and(|error| error.starts_with(words)), "{run}");
}
