//! Tests of `Idempotency-Key`.

use axum::http::HeaderMap;

use super::*;

const KEY: &str = "0f8d1c9e-key";

/// Posts a body with a key.
async fn post(server: &Server, path: &str, key: &str, body: &str) -> (StatusCode, HeaderMap, Value) {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json").header("Idempotency-Key", key);
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    let answer = server.router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.expect("a body");
    (parts.status, parts.headers, serde_json::from_slice(&bytes).expect("JSON"))
}

fn path(agent: &str) -> String {
    format!("/v1/agents/{agent}/messages/async")
}

fn replayed(headers: &HeaderMap) -> bool {
    headers.get("idempotency-replayed").is_some_and(|value| value == "true")
}

async fn runs(server: &Server) -> usize {
    server.get("/v1/runs/").await.as_array().expect("a list").len()
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_response_and_starts_no_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (status, headers, first) = post(&server, &path(&agent), KEY, r#"{"input":"@fail oh"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::OK, false));
    let run: RunId = first["id"].as_str().expect("an id").parse().expect("a run id");
    server.running.settle(&run).await.expect("settled");
    let (status, headers, again) = post(&server, &path(&agent), KEY, r#"{"input":"@fail oh"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::OK, true));
    assert_eq!(again, first, "the first response, although the run has ended");
    assert_eq!(runs(&server).await, 1);
}

#[tokio::test]
async fn a_key_is_bound_to_its_body_and_scoped_to_its_agent_and_route() {
    let server = Server::in_memory().await;
    let one = server.scripted().await;
    let two = server.scripted().await;
    post(&server, &path(&one), KEY, r#"{"input":"a"}"#).await;
    let (status, headers, refused) = post(&server, &path(&one), KEY, r#"{"input":"b"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::UNPROCESSABLE_ENTITY, false), "{refused}");
    assert_eq!(runs(&server).await, 1);
    let (status, headers, _) = post(&server, &path(&two), KEY, r#"{"input":"a"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::OK, false));
    let waiting = path(&one).replace("/async", "");
    let (status, headers, answer) = post(&server, &waiting, KEY, r#"{"input":"a"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::OK, false));
    let (status, headers, again) = post(&server, &waiting, KEY, r#"{"input":"a"}"#).await;
    assert_eq!((status, replayed(&headers)), (StatusCode::OK, true), "{again}");
    assert_eq!(again["messages"], answer["messages"]);
    assert_eq!(runs(&server).await, 3);
    for bad in ["a b", &"x".repeat(256)] {
        assert_eq!(post(&server, &path(&one), bad, r#"{"input":"a"}"#).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(runs(&server).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_concurrent_requests_with_one_key_are_one_run_across_restarts() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("it.db");
    let agent = Server::at(&file).await.scripted().await;
    let mut ids = std::collections::BTreeSet::new();
    for round in 0..5 {
        let server = Server::at(&file).await;
        let path = path(&agent);
        let posts = (0..100).map(|_| post(&server, &path, KEY, r#"{"input":"a"}"#));
        let answers = futures_util::future::join_all(posts).await;
        assert!(answers.iter().all(|(status, ..)| *status == StatusCode::OK));
        let first = answers.iter().filter(|(_, headers, _)| !replayed(headers)).count();
        assert_eq!(first, usize::from(round == 0));
        ids.extend(answers.iter().map(|(.., run)| run["id"].as_str().expect("an id").to_owned()));
    }
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn a_key_expires_after_a_day() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    for n in 0..20 {
        post(&server, &path(&agent), &format!("key-{n}"), r#"{"input":"a"}"#).await;
    }
    let age = |hours: i64| {
        let sql = format!("UPDATE idempotency SET created = created - {hours} * 3600000000");
        server.running.engine.db.write(move |tx| Ok(tx.execute(&sql, [])?))
    };
    age(23).await.expect("aged");
    assert!(replayed(&post(&server, &path(&agent), "key-0", r#"{"input":"a"}"#).await.1), "not expired after 23 hours");
    age(2).await.expect("aged");
    for n in 0..3 {
        let (status, headers, _) = post(&server, &path(&agent), &format!("key-{n}"), r#"{"input":"b"}"#).await;
        assert_eq!((status, replayed(&headers)), (StatusCode::OK, false));
    }
    let sql = "SELECT count(*) FROM idempotency";
    let count: i64 = server.running.engine.db.peek(|tx| Ok(tx.query_row(sql, [], |row| row.get(0))?)).expect("counted");
    assert_eq!(count, 3, "expired keys are deleted");
}

#[tokio::test]
async fn every_response_declares_support_for_keys() {
    let server = Server::in_memory().await;
    for (method, path) in [
        ("GET", "/v1/health/"),
        ("GET", "/v1/runs/"),
        ("GET", "/nowhere"),
        ("PUT", "/v1/runs/"),
        ("POST", "/v1/agents/"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::from("[")).expect("a request");
        let answer = server.router.clone().oneshot(request).await.expect("infallible");
        assert_eq!(answer.headers().get("idempotency-supported").map(|value| value.as_bytes()), Some(&b"true"[..]));
    }
}
