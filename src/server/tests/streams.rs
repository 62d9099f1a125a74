//! Tests of synchronous responses and of streams.

use futures_util::FutureExt as _;

use super::*;

/// Parses the frames of a stream; the end marker becomes `DONE`.
fn frames(text: &str) -> Vec<Value> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap_or_else(|_| json!(data.replace("[DONE]", "DONE")))).collect()
}

fn kinds(frames: &[Value]) -> Vec<&str> {
    frames.iter().map(|frame| frame["message_type"].as_str().unwrap_or("DONE")).collect()
}

fn numbers(frames: &[Value]) -> Vec<Option<i64>> {
    frames.iter().map(|frame| frame["seq_id"].as_i64()).collect()
}

const SCRIPT: &str = "@tool t {}\n@reply hi";
const WHOLE: [&str; 7] = [
    "ping",
    "tool_call_message",
    "tool_return_message",
    "assistant_message",
    "stop_reason",
    "usage_statistics",
    "DONE",
];

#[tokio::test]
async fn a_synchronous_response_has_the_output_without_the_input() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages");
    let answer = server.post(&path, json!({"input": SCRIPT})).await;
    let messages = answer["messages"].as_array().expect("a list");
    assert_eq!(types(messages), ["tool_call_message", "tool_return_message", "assistant_message"]);
    assert_eq!(answer["stop_reason"], json!({"message_type": "stop_reason", "stop_reason": "end_turn"}));
    assert_eq!(answer["usage"]["step_count"], 2);
    let run = server.get(&format!("/v1/runs/{}", messages[0]["run_id"].as_str().expect("an id"))).await;
    assert_eq!((&run["background"], &run["metadata"]["run_type"]), (&json!(false), &json!("send_message")));
    let only = json!({"input": SCRIPT, "include_return_message_types": ["assistant_message"]});
    assert_eq!(types(server.post(&path, only).await["messages"].as_array().expect("a list")), ["assistant_message"]);
}

#[tokio::test]
async fn a_synchronous_request_gets_the_error_of_its_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages");
    let post = async |body: Value| server.call("POST", &path, Body::from(body.to_string())).await;
    let (status, answer) = post(json!({"input": "@fail the disk is full"})).await;
    assert_eq!((status.as_u16(), answer), (500, json!({"detail": "the disk is full"})));
    let (status, answer) = post(json!({"input": "@fail CONFLICT: the disk"})).await;
    assert_eq!((status.as_u16(), answer), (500, json!({"detail": "CONFLICT: the disk"})), "the text has no meaning");
    let asked = server.post(&path, json!({"input": "@ask rm {}"})).await;
    assert_eq!(asked["stop_reason"]["stop_reason"], "requires_approval");
    let (status, answer) = post(json!({"input": "hi"})).await;
    assert_eq!((status.as_u16(), &answer["detail"]["code"]), (409, &json!("PENDING_APPROVAL")));
    assert_eq!(answer["detail"]["pending_request_id"], asked["messages"][0]["id"]);
    let decision = json!([{"type": "approval", "approve": true, "tool_call_id": "call_1"}]);
    let (status, answer) = post(json!({"messages": [{"type": "approval", "approvals": decision}]})).await;
    assert_eq!(status.as_u16(), 400, "{answer}");
    assert!(answer["detail"].as_str().is_some_and(|words| words.starts_with("Invalid tool call IDs. ")), "{answer}");
    let nobody = format!("/v1/agents/{}/messages", crate::model::AgentId::random());
    let (status, answer) = server.call("POST", &nobody, Body::from(r#"{"input": "x"}"#)).await;
    assert_eq!(status.as_u16(), 404, "{answer}");
}

#[tokio::test]
async fn the_failure_of_a_script_is_an_internal_error_whatever_its_text() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages");
    for text in [
        "CONFLICT: the disk",
        "RATE_LIMIT_EXCEEDED: x",
        "INVALID_ARGUMENT: Bad request to x",
        "Invalid tool call IDs. Expected none",
        "Cannot process approval response: x",
    ] {
        let body = json!({"input": format!("@fail {text}")});
        let (status, answer) = server.call("POST", &path, Body::from(body.to_string())).await;
        assert_eq!((status.as_u16(), answer), (500, json!({"detail": text})));
        let frames = frames(&server.stream(&format!("{path}/stream"), body).await);
        assert_eq!((&frames[2]["error_type"], &frames[2]["message"]), (&json!("internal_error"), &json!(text)));
    }
}

#[tokio::test]
async fn a_stream_has_the_messages_then_the_stop_reason_then_the_usage() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages/stream");
    let plain = frames(&server.stream(&path, json!({"input": SCRIPT})).await);
    assert_eq!(kinds(&plain), WHOLE);
    assert!(numbers(&plain).iter().all(Option::is_none), "it cannot be joined");
    let background = frames(&server.stream(&path, json!({"input": SCRIPT, "background": true})).await);
    assert_eq!(kinds(&background), WHOLE);
    assert_eq!(numbers(&background)[..4], [Some(1), Some(2), Some(3), Some(4)]);
    let same = server.stream(&path.replace("/stream", ""), json!({"input": SCRIPT, "streaming": true})).await;
    assert_eq!(kinds(&frames(&same)), WHOLE);
    let quiet = server.stream(&path, json!({"input": SCRIPT, "include_pings": false})).await;
    assert_eq!(kinds(&frames(&quiet)), WHOLE[1..]);
}

#[tokio::test]
async fn the_stream_of_a_background_run_can_be_joined_after_any_frame() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.run(&agent, SCRIPT).await;
    let path = format!("/v1/runs/{}/stream", run["id"].as_str().expect("an id"));
    let all = frames(&server.stream(&path, json!({})).await);
    assert_eq!((kinds(&all), numbers(&all)[3]), (WHOLE.to_vec(), Some(4)));
    let rest = frames(&server.stream(&path, json!({"starting_after": 3})).await);
    assert_eq!((kinds(&rest), &rest[0]), (WHOLE[3..].to_vec(), &all[3]), "frames keep their numbers");
}

#[tokio::test]
async fn a_stream_delivers_messages_while_the_run_is_in_progress() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.send(&agent, json!({"input": "@reply now\n@hang"})).await;
    let request = Request::builder().method("POST").uri(format!("/v1/runs/{run}/stream")).body(Body::empty());
    let answer = server.router.clone().oneshot(request.expect("a request")).await.expect("infallible");
    let mut body = answer.into_body().into_data_stream();
    let mut next = async || {
        let frame = futures_util::StreamExt::next(&mut body).await.expect("a frame").expect("bytes");
        frames(&String::from_utf8_lossy(&frame))[0].clone()
    };
    assert_eq!(next().await["message_type"], "ping");
    assert_eq!(next().await["content"], "now", "before the run has ended");
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    assert_eq!(next().await["stop_reason"], "cancelled");
}

#[tokio::test]
async fn a_run_continues_after_its_client_disconnects() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let body = Body::from(json!({"input": "@sleep 50ms\n@reply hi"}).to_string());
    let request = Request::builder().method("POST").uri(format!("/v1/agents/{agent}/messages/stream"));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(body).expect("a request");
    drop(server.router.clone().oneshot(request).await.expect("infallible"));
    let id = server.get("/v1/runs/").await[0]["id"].as_str().expect("an id").parse().expect("a run id");
    server.until(&id, "completed").await;
}

#[tokio::test]
async fn a_stream_ends_with_the_error_of_its_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages/stream");
    let text = server.stream(&path, json!({"input": "@fail the disk is full", "background": true})).await;
    assert!(text.contains("\n\nevent: error\ndata: {"), "{text}");
    let frames = frames(&text);
    assert_eq!(kinds(&frames), ["ping", "stop_reason", "error_message", "DONE"]);
    assert_eq!((&frames[2]["message"], &frames[2]["seq_id"]), (&json!("the disk is full"), &json!(3)));
    let run = server.get("/v1/runs/").await[0].clone();
    assert_eq!(run["metadata"]["error"]["detail"], "the disk is full", "streamed runs have an object");
}

#[tokio::test]
async fn a_run_that_cannot_be_joined_is_rejected() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let answer = server.post(&format!("/v1/agents/{agent}/messages"), json!({"input": "@reply hi"})).await;
    let alone = answer["messages"][0]["run_id"].as_str().expect("an id").to_owned();
    let old = server.run(&agent, "@reply hi").await["id"].as_str().expect("an id").to_owned();
    let then = crate::server::types::clock::now() - 4 * 3600 * 1_000_000;
    let id = old.clone();
    let aged = server
        .running
        .engine
        .db
        .write(move |tx| Ok(tx.execute("UPDATE runs SET created = ? WHERE id = ?", rusqlite::params![then, id])?));
    aged.await.expect("aged");
    for (id, body, status, words) in [
        (RunId::random().to_string(), "{}", 404, "Run not found"),
        ("nonsense".to_owned(), "{}", 400, "INVALID_ARGUMENT: Invalid run ID"),
        (alone, "{}", 400, "INVALID_ARGUMENT: Run was not created in background mode"),
        (old, "{}", 410, "EXPIRED: Run was created more than 3 hours ago"),
        (RunId::random().to_string(), r#"{"starting_after": "x"}"#, 422, "[{'type': 'int_parsing'"),
    ] {
        let (got, answer) = server.call("POST", &format!("/v1/runs/{id}/stream"), Body::from(body)).await;
        assert_eq!(got, status, "{answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.starts_with(words)), "{answer}");
    }
}

#[tokio::test]
async fn an_invalid_request_for_a_stream_starts_no_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    for (path, key) in
        [("messages/stream", "include_pings"), ("messages/stream", "background"), ("messages", "streaming")]
    {
        let body = json!({"input": "@reply hi", key: "perhaps"}).to_string();
        let (status, answer) = server.call("POST", &format!("/v1/agents/{agent}/{path}"), Body::from(body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{key}: {answer}");
    }
    assert_eq!(server.get("/v1/runs/").await, json!([]));
}

#[tokio::test]
async fn synchronous_requests_are_a_503_where_no_run_is_executed() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.agent("agentctl/echo").await;
    for path in ["messages", "messages/stream"] {
        let path = format!("/v1/agents/{agent}/{path}");
        let (status, answer) = server.call("POST", &path, Body::from(r#"{"input": "x"}"#)).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    }
    assert_eq!(server.get("/v1/runs/").await, json!([]), "no run was stored");
}

#[tokio::test]
async fn a_subscription_gets_only_news_of_its_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let waits = server.send(&agent, json!({"input": "@sleep 60"})).await;
    let mut subscription = server.running.engine.subscribe(waits.as_str());
    server.until(&waits, "running").await;
    let other = server.scripted().await;
    for _ in 0..3 {
        server.run(&other, SCRIPT).await;
    }
    assert!(subscription.changed().now_or_never().is_none(), "runs of other agents do not wake it");
    server.cancel(&agent, json!({})).await;
    subscription.changed().await;
}

#[tokio::test]
async fn a_large_message_is_identical_in_streams_lists_and_responses() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let text = "\u{e9}\"\n".repeat(400_000);
    let body = json!({"input": text, "background": true, "streaming": true});
    let frames = frames(&server.stream(&format!("/v1/agents/{agent}/messages"), body).await);
    assert_eq!(kinds(&frames), ["ping", "assistant_message", "stop_reason", "usage_statistics", "DONE"]);
    assert_eq!((&frames[1]["content"], &frames[1]["seq_id"]), (&json!(text), &json!(2)));
    let listed = server.get(&format!("/v1/agents/{agent}/messages?limit=1")).await;
    let mut frame = frames[1].clone();
    frame["seq_id"] = Value::Null;
    assert_eq!(listed, json!([frame]));
    let answer = server.post(&format!("/v1/agents/{agent}/messages"), json!({"input": text})).await;
    assert_eq!(answer["messages"].as_array().map(Vec::len), Some(1));
    assert_eq!((&answer["messages"][0]["content"], &answer["usage"]["step_count"]), (&json!(text), &json!(1)));
}
