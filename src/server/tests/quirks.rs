//! Tests of `--quirks`: the faults of the real server.

use super::*;

#[tokio::test]
async fn a_run_is_shown_as_by_the_real_server() {
    let server = Server::quirky().await;
    let agent = server.scripted().await;
    let slow = server.send(&agent, json!({"input": "@hang"})).await;
    wait_for(async || !server.get(&format!("/v1/runs/active?agent_id={agent}")).await[0].is_null()).await;
    assert_eq!(server.get(&format!("/v1/runs/{slow}")).await["status"], "created", "never `running`");
    server.cancel(&agent, json!({"run_ids": [slow.as_str()]})).await;
    let agent = server.scripted().await;
    let run = server.run(&agent, "@reply hi").await;
    assert_eq!(run["metadata"], json!({"run_type": "send_message_async", "lettuce": null}));
    assert_eq!((&run["ttft_ns"], &run["total_duration_ns"]), (&Value::Null, &Value::Null));
    assert!(run["created_at"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert!(run["completed_at"].as_str().is_some_and(|time| !time.ends_with('Z')));
    let listed = server.get(&format!("/v1/runs/?agent_id={agent}")).await;
    assert!(listed[0]["total_duration_ns"].is_i64(), "lists show it: {listed}");
}

#[tokio::test]
async fn cursors_of_runs_are_swapped() {
    let server =
        Server::with(ServerOptions { behaviour: Behaviour::Quirky, ..ServerOptions::new(Store::Memory, false) }).await;
    let agent = server.agent("agentctl/echo").await;
    let mut sent = Vec::new();
    for n in 0..3 {
        sent.push(server.send(&agent, json!({"input": format!("{n}")})).await.to_string());
    }
    for (query, expected) in [
        (format!("after={}", sent[1]), &sent[2]),
        (format!("before={}", sent[1]), &sent[0]),
        (format!("order=asc&after={}", sent[1]), &sent[0]),
    ] {
        assert_eq!(server.get(&format!("/v1/runs/?{query}")).await[0]["id"], expected.as_str(), "{query}");
    }
}

#[tokio::test]
async fn input_messages_are_listed_after_the_first_step_and_lost_if_it_fails() {
    let server = Server::quirky().await;
    let agent = server.scripted().await;
    let failed = server.run(&agent, "@fail x").await;
    assert_eq!(server.messages(&failed).await, [] as [Value; 0]);
    let done = server.run(&agent, "@reply a").await;
    assert_eq!(types(&server.messages(&done).await), ["user_message", "assistant_message"]);
    let none = server.run_with(&agent, json!({"input": "@reply a", "max_steps": 0})).await;
    assert_eq!((end(&none), server.messages(&none).await.len()), (("completed", "end_turn"), 0));
    let listed = server.get(&format!("/v1/agents/{agent}/messages")).await;
    assert_eq!(types(listed.as_array().expect("a list")), ["user_message", "assistant_message"], "oldest first");
}

#[tokio::test]
async fn empty_messages_are_accepted_and_fail_their_run() {
    let server = Server::quirky().await;
    let agent = server.agent("agentctl/echo").await;
    for (body, error) in [
        (json!({"messages": []}), "list index out of range"),
        (json!({"input": ""}), "Message content is empty or invalid"),
        (json!({"messages": [{"role": "user", "content": []}]}), "Message content is empty or invalid"),
    ] {
        let run = server.run_with(&agent, body).await;
        assert_eq!((end(&run), &run["metadata"]["error"]), (("failed", "error"), &json!(error)));
    }
}

#[tokio::test]
async fn a_run_cancelled_between_steps_stays_cancelled() {
    let server = Server::quirky().await;
    let agent = server.scripted().await;
    let text = "@sleep 20ms\n@tool t {}\n@repeat 100\n@sleep 1h\n@reply never";
    let run = server.send(&agent, json!({"input": text})).await;
    wait_for(async || server.is_running(&run).await).await;
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    server.run(&agent, "@reply next").await;
    let run = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(end(&run), ("cancelled", "cancelled"));
}

#[tokio::test]
async fn bad_requests_get_the_errors_of_the_real_server() {
    let server = Server::quirky().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run(&agent, "hi").await;
    let run = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
    let nothing = RunId::random();
    for (method, path, body, status, words) in [
        ("DELETE", run.clone(), "", 500, "An unknown error occurred"),
        ("POST", format!("{run}/stream"), "", 500, "An unknown error occurred"),
        ("GET", format!("{run}/messages?limit=-1"), "", 500, "A database error occurred."),
        ("GET", format!("/v1/runs/{nothing}"), "", 404, "Run not found with id='['run-"),
        ("POST", "/v1/agents/".to_owned(), r#"{"name": "x"}"#, 400, "INVALID_ARGUMENT: Must specify either model"),
        (
            "POST",
            "/v1/agents/".to_owned(),
            r#"{"name": "a/b", "model": "a/b"}"#,
            500,
            "Export failed: Agent name 'a/b'",
        ),
    ] {
        let (got, answer) = server.call(method, &path, Body::from(body)).await;
        assert_eq!(got, status, "{method} {path}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.starts_with(words)), "{answer}");
    }
    for (path, location) in [
        ("/v1/runs?limit=1", "http://letta.example/v1/runs/?limit=1"),
        ("/latest/health", "http://letta.example/latest/health/"),
        ("/v1/runs/active/", "http://letta.example/v1/runs/active"),
    ] {
        let request = Request::builder().uri(path).header(header::HOST, "letta.example");
        let answer = server.router.clone().oneshot(request.body(Body::empty()).expect("a request")).await;
        let answer = answer.expect("infallible");
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()[header::LOCATION]),
            (307, &header::HeaderValue::from_static(location))
        );
    }
}

#[tokio::test]
async fn fields_and_stop_reasons_have_the_effects_of_the_real_server() {
    let server = Server::quirky().await;
    let agent = server.scripted().await;
    let text = "@tool send_message {\"message\": \"hi\"}";
    let run = server.run_with(&agent, json!({"input": text, "use_assistant_message": false})).await;
    assert_eq!(types(&server.messages(&run).await), ["user_message", "assistant_message"]);
    assert_eq!(run["request_config"]["use_assistant_message"], false, "shown though it has no effect");
    let run = server.run(&agent, "@reply hi\n@stop invalid_tool_call").await;
    assert_eq!(end(&run), ("completed", "invalid_tool_call"));
    assert_eq!(end(&server.run(&agent, "@stop error").await), ("failed", "error"));
}

#[tokio::test(start_paused = true)]
async fn the_stream_of_an_async_run_has_only_pings() {
    let server = Server::quirky().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run(&agent, "hi").await;
    let path = format!("/v1/runs/{}/stream", run["id"].as_str().expect("an id"));
    let text = server.stream(&path, json!({})).await;
    assert_eq!(text.matches("\"message_type\":\"ping\"").count(), 90, "half an hour of pings");
    assert_eq!(text.matches("data: ").count(), 90);
}

#[tokio::test]
async fn idempotency_keys_are_ignored() {
    let server = Server::quirky().await;
    let agent = server.agent("agentctl/echo").await;
    for _ in 0..2 {
        let request = Request::builder().method("POST").uri(format!("/v1/agents/{agent}/messages/async"));
        let request = request.header(header::CONTENT_TYPE, "application/json").header("idempotency-key", "k");
        let request = request.body(Body::from(r#"{"input": "x"}"#)).expect("a request");
        let answer = server.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!((answer.status(), answer.headers().get("idempotency-supported")), (StatusCode::OK, None));
    }
    assert_eq!(server.get("/v1/runs/").await.as_array().map(Vec::len), Some(2));
}
