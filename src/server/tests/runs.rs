//! Tests of runs, from acceptance to end.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn the_echo_model_replies_with_the_last_user_message() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let messages = json!([
        {"role": "user", "content": "first"},
        {"role": "user", "content": [{"type": "text", "text": "sec"}, {"type": "text", "text": "ond"}], "otid": "o-1", "name": "ann"},
        {"role": "system", "content": "quiet"},
    ]);
    let run = server.run_with(&agent, json!({"messages": messages})).await;
    assert_eq!(end(&run), ("completed", "end_turn"));
    let messages = server.messages(&run).await;
    assert_eq!(types(&messages), ["user_message", "user_message", "system_message", "assistant_message"]);
    assert_eq!(messages[3]["content"], "second");
    assert_eq!((&messages[1]["otid"], &messages[1]["name"]), (&json!("o-1"), &json!("ann")));
    assert!(messages.iter().all(|message| message["step_id"] == messages[0]["step_id"]));
}

#[tokio::test]
async fn input_messages_are_listed_before_the_run_starts() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.scripted().await;
    let run = server.send(&agent, json!({"input": "hello"})).await;
    let run = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(run["status"], "created");
    assert_eq!(server.messages(&run).await[0]["content"], "hello");
}

#[tokio::test(start_paused = true)]
async fn times_are_measured_from_acceptance() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.run(&agent, "@sleep 1s\n@ttft 2s\n@sleep 4s\n@reply hi").await;
    assert_eq!(run["ttft_ns"], 3_000_000_000_u64);
    assert_eq!(run["total_duration_ns"], 7_000_000_000_u64);
    let id = run["id"].as_str().expect("an id");
    assert_eq!(server.get(&format!("/v1/runs/{id}/metrics")).await["run_ns"], 7_000_000_000_u64);
}

#[tokio::test]
async fn a_tool_call_is_a_step_with_a_call_and_a_return() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.run(&agent, "@tool ls {\"path\": \"/\"}\n@repeat 2\n@reply done").await;
    let messages = server.messages(&run).await;
    let tool = ["tool_call_message", "tool_return_message"];
    assert_eq!(types(&messages), ["user_message", tool[0], tool[1], tool[0], tool[1], "assistant_message"]);
    assert_eq!(messages[1]["tool_call"]["arguments"], "{\"path\": \"/\"}");
    assert_eq!(messages[2]["tool_call_id"], messages[1]["tool_call"]["tool_call_id"]);
    assert_ne!(messages[1]["step_id"], messages[3]["step_id"]);
    let id = run["id"].as_str().expect("an id");
    let steps = server.get(&format!("/v1/runs/{id}/steps?order=asc")).await;
    let reasons: Vec<&Value> = steps.as_array().expect("a list").iter().map(|step| &step["stop_reason"]).collect();
    assert_eq!(reasons, [&Value::Null, &Value::Null, &json!("end_turn")]);
    let total: i64 = steps.as_array().expect("a list").iter().filter_map(|step| step["total_tokens"].as_i64()).sum();
    assert_eq!(server.get(&format!("/v1/runs/{id}/usage")).await["total_tokens"], total);
}

#[tokio::test]
async fn the_status_of_a_run_follows_from_its_stop_reason() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    for (text, expected) in [
        ("@reply a\n@stop max_tokens_exceeded", ("failed", "max_tokens_exceeded")),
        ("@stop tool_rule", ("completed", "tool_rule")),
        ("@stop tomorrow", ("completed", "tomorrow")),
        ("@stop cancelled", ("cancelled", "cancelled")),
        ("@fail it broke", ("failed", "error")),
        ("@replay a", ("failed", "error")),
        ("no directive", ("completed", "end_turn")),
    ] {
        assert_eq!(end(&server.run(&agent, text).await), expected, "{text}");
    }
}

#[tokio::test]
async fn a_failed_run_has_its_error_and_keeps_its_messages() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.run(&agent, "@reply a\n@fail it broke").await;
    assert_eq!(run["metadata"]["error"], "it broke");
    assert_eq!(types(&server.messages(&run).await), ["user_message", "assistant_message"]);
    let steps = server.get(&format!("/v1/runs/{}/steps", run["id"].as_str().expect("an id"))).await;
    assert_eq!((&steps[0]["status"], &steps[1]["status"]), (&json!("failed"), &json!("success")));
    assert_eq!(steps[0]["error_data"]["message"], "it broke");
    let run = server.run(&agent, "@reply a\n@slep 1").await;
    assert_eq!(run["metadata"]["error"], "line 2: `@slep 1` is not a directive of a script");
}

#[tokio::test(start_paused = true)]
async fn runs_of_one_agent_are_sequential_and_agents_run_in_parallel() {
    let server = Server::in_memory().await;
    let one = server.scripted().await;
    let two = server.scripted().await;
    let first = server.send(&one, json!({"input": "@sleep 10s\n@reply a"})).await;
    let second = server.send(&one, json!({"input": "@reply b"})).await;
    let other = server.send(&two, json!({"input": "@hang"})).await;
    server.until(&first, "running").await;
    server.until(&other, "running").await;
    assert_eq!(server.get(&format!("/v1/runs/{second}")).await["status"], "created");
    server.running.settle(&second).await.expect("settled");
    let texts: Vec<Value> = server
        .get(&format!("/v1/agents/{one}/messages?order=asc"))
        .await
        .as_array()
        .expect("a list")
        .iter()
        .map(|message| message["content"].clone())
        .collect();
    assert_eq!(texts, ["@sleep 10s\n@reply a", "a", "@reply b", "b"], "in order of the runs");
    assert_eq!(server.get(&format!("/v1/runs/{other}")).await["status"], "running");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_stops_at_once_and_stays_cancelled() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.send(&agent, json!({"input": "@reply a\n@hang"})).await;
    let path = format!("/v1/runs/{run}/messages");
    wait_for(async || server.get(&path).await.as_array().map_or(0, Vec::len) == 2).await;
    let began = tokio::time::Instant::now();
    assert_eq!(server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await, json!({run.as_str(): "cancelled"}));
    server.running.settle(&run).await.expect("settled");
    // The next run starts without a wait for the lease of the first.
    assert_eq!(end(&server.run(&agent, "@reply b").await).0, "completed");
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    let run = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(end(&run), ("cancelled", "cancelled"));
    assert_eq!(types(&server.messages(&run).await), ["user_message", "assistant_message"]);
}

#[tokio::test]
async fn cancel_responds_with_a_map_or_409_if_no_run_is_open() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let done = server.run(&agent, "hi").await;
    let done = done["id"].as_str().expect("an id");
    let unknown = RunId::random();
    let answer = server.cancel(&agent, json!({"run_ids": [done, unknown.as_str(), "nonsense"]})).await;
    assert_eq!(answer, json!({done: "cancelled", unknown.as_str(): "failed", "nonsense": "failed"}));
    assert_eq!(server.get(&format!("/v1/runs/{done}")).await["status"], "completed");
    let path = format!("/v1/agents/{agent}/messages/cancel");
    let (status, body) = server.call("POST", &path, Body::empty()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(body["detail"], format!("CONFLICT: No active runs to cancel for agent {agent}"));
    let one = server.send(&agent, json!({"input": "@hang"})).await;
    let two = server.send(&agent, json!({"input": "x"})).await;
    let all = server.cancel(&agent, json!({})).await;
    assert_eq!(all, json!({one.as_str(): "cancelled", two.as_str(): "cancelled"}));
}

#[tokio::test]
async fn deleting_an_agent_deletes_its_runs() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.send(&agent, json!({"input": "@hang"})).await;
    server.until(&run, "running").await;
    let (status, body) = server.call("DELETE", &format!("/v1/agents/{agent}"), Body::empty()).await;
    assert_eq!((status, &body["message"]), (StatusCode::OK, &json!(format!("Agent id={agent} successfully deleted"))));
    server.running.settle(&run).await.expect("settled");
    for path in [format!("/v1/runs/{run}"), format!("/v1/agents/{agent}"), format!("/v1/agents/{agent}/messages")] {
        assert_eq!(server.call("GET", &path, Body::empty()).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn messages_of_a_deleted_run_stay_with_the_agent() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run(&agent, "hi").await;
    let path = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
    let (status, body) = server.call("DELETE", &path, Body::empty()).await;
    assert_eq!((status, body), (StatusCode::OK, run));
    assert_eq!(server.call("GET", &path, Body::empty()).await.0, StatusCode::NOT_FOUND);
    let left = server.get(&format!("/v1/agents/{agent}/messages")).await;
    assert_eq!(left.as_array().map(Vec::len), Some(2));
    assert_eq!(left[0]["run_id"], Value::Null);
}

#[tokio::test]
async fn a_full_disk_is_a_507_without_a_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let limit = |pages: &'static str| server.running.engine.db.write(move |tx| Ok(tx.execute_batch(pages)?));
    limit("PRAGMA max_page_count = 1").await.expect("set to what there is");
    let path = format!("/v1/agents/{agent}/messages/async");
    let body = || Body::from(json!({"input": "x".repeat(100_000)}).to_string());
    let (status, answer) = server.call("POST", &path, body()).await;
    assert_eq!(status, StatusCode::INSUFFICIENT_STORAGE, "{answer}");
    assert!(answer["detail"].as_str().is_some_and(|words| words.contains("Nothing was stored")), "{answer}");
    assert_eq!(server.get("/v1/runs/").await, json!([]));
    limit("PRAGMA max_page_count = 100000").await.expect("set");
    assert_eq!(server.call("POST", &path, body()).await.0, StatusCode::OK, "the disk has space again");
}

#[tokio::test]
async fn a_full_queue_is_a_503_until_a_run_ends() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.scripted().await;
    let run = server.send(&agent, json!({"input": "hi"})).await;
    let fill = "UPDATE gauge SET open = 100000";
    server.running.engine.db.write(|tx| Ok(tx.execute(fill, [])?)).await.expect("filled");
    let request = Request::post(format!("/v1/agents/{agent}/messages/async"));
    let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(r#"{"input":"hi"}"#));
    let answer = server.router.clone().oneshot(request.expect("a request")).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()[header::RETRY_AFTER], "1");
    assert_eq!(server.get("/v1/runs/").await.as_array().expect("a list").len(), 1);
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    server.send(&agent, json!({"input": "hi"})).await;
}

#[tokio::test]
async fn the_count_of_open_runs_follows_every_change() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.scripted().await;
    let other = server.scripted().await;
    let open = || {
        let sql = "SELECT open FROM gauge";
        server.running.engine.db.peek(|tx| Ok(tx.query_row(sql, [], |row| row.get::<_, i64>(0))?)).expect("counted")
    };
    let mut runs = Vec::new();
    for agent in [&agent, &agent, &agent, &other] {
        runs.push(server.send(agent, json!({"input": "hi"})).await);
    }
    assert_eq!(open(), 4);
    server.cancel(&agent, json!({"run_ids": [runs[0].as_str()]})).await;
    server.cancel(&agent, json!({"run_ids": [runs[0].as_str()]})).await;
    assert_eq!(open(), 3);
    for run in &runs[..2] {
        server.call("DELETE", &format!("/v1/runs/{run}"), Body::empty()).await;
    }
    assert_eq!(open(), 2, "the cancelled run was not counted");
    server.call("DELETE", &format!("/v1/agents/{agent}"), Body::empty()).await;
    assert_eq!(open(), 1, "deleting an agent deletes its runs");
}

/// Counts the transactions in the write-ahead log of a database: the last frame of each holds the database size.
fn commits(database: &Path) -> usize {
    let log = std::fs::read(format!("{}-wal", database.display())).expect("a log");
    let number = |at: &[u8]| u32::from_be_bytes(at.try_into().expect("four bytes")) as usize;
    let page = number(&log[8..12]);
    log[32..].chunks_exact(24 + page).filter(|frame| number(&frame[4..8]) > 0).count()
}

#[tokio::test]
async fn all_runs_of_an_agent_are_cancelled_in_one_transaction() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let server = Server::start(Store::File(path.clone()), false).await;
    let agent = server.scripted().await;
    for _ in 0..20 {
        server.send(&agent, json!({"input": "@hang"})).await;
    }
    let before = commits(&path);
    let cancelled = server.cancel(&agent, json!({})).await;
    assert_eq!((cancelled.as_object().expect("an object").len(), commits(&path) - before), (20, 1));
}
