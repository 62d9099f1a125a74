//! Tests of callbacks: their payload, their attempts and the record of each.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;
use crate::server::Adopt;
use crate::server::engine::state::MOST_CALLBACKS;
use crate::server::store::outbox;

/// Starts a receiver that responds to one request with a status line; the task returns the head and the body.
async fn receiver(answer: &'static str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/callback?k=1", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let whole = loop {
            assert!(stream.read_buf(&mut bytes).await.expect("readable") > 0, "cut short");
            if let Some(whole) = complete_request(&bytes) {
                break whole;
            }
        };
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("writable");
        whole
    });
    (url, task)
}

/// Starts a receiver that responds with these status lines in turn, repeating the last; the channel gets the heads.
async fn receivers(answers: &'static [&'static str]) -> (String, UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let (sender, heads) = unbounded_channel();
    tokio::spawn(async move {
        for answer in answers.iter().chain(std::iter::repeat(answers.last().expect("an answer"))) {
            // The test may be over.
            let _ = sender.send(answer_next(&listener, answer).await);
        }
    });
    (url, heads)
}

/// Responds to the next request with a status line; returns its head.
async fn answer_next(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.expect("a connection");
    let mut bytes = Vec::new();
    let head = loop {
        stream.read_buf(&mut bytes).await.expect("readable");
        if let Some((head, _)) = complete_request(&bytes) {
            break head;
        }
    };
    let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.expect("writable");
    head
}

/// Returns the value of a header.
fn header(head: &str, name: &str) -> String {
    let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default();
    line.to_owned()
}

/// Starts a server that takes over all open work.
async fn long_running(store: Store) -> Server {
    Server::with(ServerOptions { adopt: Adopt::Everything, ..ServerOptions::new(store, true) }).await
}

/// Makes the next attempt due now, and wakes the worker.
async fn make_due(server: &Server, agent: &str) {
    let sql = "UPDATE outbox SET due = 0";
    server.running.engine.db.write(|tx| Ok(tx.execute(sql, [])?)).await.expect("updated");
    server.running.adopt(&agent.parse().expect("an id"));
}

/// Splits a request into head and body, once it is complete.
fn complete_request(bytes: &[u8]) -> Option<(String, Value)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.to_ascii_lowercase(), serde_json::from_str(body).ok()?))
}

#[tokio::test]
async fn the_payload_has_the_run_its_messages_and_its_usage() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (url, received) = receiver("204 No Content").await;
    let run = server.run_with(&agent, json!({"input": "@reply hi\n@fail oh", "callback_url": url})).await;
    let (head, body) = received.await.expect("received");
    assert!(head.starts_with("post /callback?k=1 ") && head.contains("user-agent: agentctl/"), "{head}");
    assert_eq!((&body["run_id"], &body["status"]), (&run["id"], &json!("failed")));
    assert!(body["completed_at"].as_str().is_some_and(|time| time.ends_with('Z')));
    assert_eq!(body["metadata"]["error"], "oh");
    let result = &body["metadata"]["result"];
    assert_eq!(result["messages"].as_array().expect("a list"), &server.messages(&run).await);
    assert_eq!(result["stop_reason"]["stop_reason"], "error");
    assert_eq!(result["usage"]["step_count"], 2);
    assert_eq!((&run["callback_status_code"], &run["callback_error"]), (&json!(204), &Value::Null));
    assert!(run["callback_sent_at"].as_str().is_some_and(|time| time.ends_with('Z')));
}

#[tokio::test]
async fn every_response_is_recorded_and_no_redirect_is_followed() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    for (answer, code) in [("500 Oh", 500), ("302 Found\r\nlocation: http://127.0.0.1:1/", 302)] {
        let (url, _received) = receiver(answer).await;
        let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
        assert_eq!(run["callback_status_code"], code);
        assert_eq!(run["status"], "completed");
    }
}

#[tokio::test]
async fn an_unreachable_receiver_is_recorded_as_an_error() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let url = format!("http://{free}/");
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    let error = run["callback_error"].as_str().expect("an error");
    let id = run["id"].as_str().expect("an id");
    assert!(error.starts_with(&format!("Failed to dispatch callback for run {id} to {url}: ")), "{error}");
    assert_eq!(run["callback_status_code"], Value::Null);
    assert!(run["callback_sent_at"].is_string());
}

#[tokio::test]
async fn a_callback_url_that_is_not_allowed_is_rejected_with_the_request() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/agents/{agent}/messages/async");
    for (url, words) in [
        ("not a url", "must be an http or https URL"),
        ("ftp://127.0.0.1/", "must be an http or https URL"),
        ("http://169.254.169.254/", "callback host not allowed"),
    ] {
        let body = json!({"input": "hi", "callback_url": url}).to_string();
        let (status, answer) = server.call("POST", &path, body.into()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{url} {answer}");
        let detail = answer["detail"].as_str().expect("words");
        assert!(detail.contains(words) && detail.contains("'callback_url'"), "{detail}");
    }
    assert_eq!(server.get("/v1/runs/").await, json!([]), "nothing was stored");
}

#[tokio::test]
async fn a_cancelled_run_calls_back_once() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (url, received) = receiver("200 OK").await;
    let run = server.send(&agent, json!({"input": "@hang", "callback_url": url})).await;
    server.until(&run, "running").await;
    server.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    server.running.settle(&run).await.expect("settled");
    assert_eq!(received.await.expect("received").1["status"], "cancelled");
    assert_eq!(server.get(&format!("/v1/runs/{run}")).await["callback_status_code"], 200);
}

#[tokio::test]
async fn a_callback_that_one_process_left_is_sent_by_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let reader = Server::start(Store::File(path.clone()), false).await;
    let agent = reader.scripted().await;
    let (url, received) = receiver("200 OK").await;
    let run = reader.send(&agent, json!({"input": "hi", "callback_url": url})).await;
    // This process does not execute: it ends the run and leaves the callback.
    reader.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    let server = Server::at(&path).await;
    server.running.settle(&run).await.expect("settled");
    assert_eq!(received.await.expect("received").1["status"], "cancelled");
    assert_eq!(server.get(&format!("/v1/runs/{run}")).await["callback_status_code"], 200);
}

#[tokio::test(start_paused = true)]
async fn a_callback_attempt_times_out_when_the_receiver_does_not_respond() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    assert!(
        run["callback_error"].as_str().is_some_and(|text| text.contains(": no answer within 5 s; attempt 1 of 8")),
        "{run}"
    );
}

#[tokio::test]
async fn a_callback_is_retried_under_one_id_until_it_succeeds() {
    let server = long_running(Store::Memory).await;
    let agent = server.scripted().await;
    let (url, mut heads) = receivers(&["500 Oh", "503 Oh", "200 OK"]).await;
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    let id = run["id"].as_str().expect("an id").to_owned();
    assert_eq!(run["callback_status_code"], 500, "the run is settled after the first attempt");
    let error = run["callback_error"].as_str().expect("an error");
    assert!(error.starts_with("the receiver answered 500; attempt 1 of 8, the next is at 20"), "{error}");
    let mut ids = vec![header(&heads.recv().await.expect("the first"), "webhook-id")];
    for status in [503, 200] {
        make_due(&server, &agent).await;
        let head = heads.recv().await.expect("another");
        assert!(header(&head, "webhook-timestamp").parse::<i64>().is_ok_and(|time| time > 1_700_000_000), "{head}");
        ids.push(header(&head, "webhook-id"));
        wait_for(async || server.get(&format!("/v1/runs/{id}")).await["callback_status_code"] == status).await;
    }
    assert_eq!(ids, vec![id.replace("run-", "callback-"); 3]);
    assert_eq!(server.get(&format!("/v1/runs/{id}")).await["callback_error"], Value::Null);
    make_due(&server, &agent).await;
    assert_eq!(count(&server, "outbox").await, 0, "the outbox is empty");
}

async fn count(server: &Server, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    server.running.engine.db.peek(|tx| Ok(tx.query_row(&sql, [], |row| row.get(0))?)).expect("counted")
}

#[tokio::test]
async fn a_callback_is_abandoned_after_eight_attempts() {
    let server = long_running(Store::Memory).await;
    let agent = server.scripted().await;
    let (url, mut heads) = receivers(&["404 Not here"]).await;
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    heads.recv().await.expect("the first");
    for attempt in 2..=8 {
        let recorded = format!("attempt {} of 8", attempt - 1);
        let path = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
        wait_for(async || server.get(&path).await["callback_error"].to_string().contains(&recorded)).await;
        make_due(&server, &agent).await;
        heads.recv().await.expect("another");
    }
    let path = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
    wait_for(async || server.get(&path).await["callback_error"].to_string().contains("given up")).await;
    let run = server.get(&path).await;
    assert_eq!(run["callback_error"], "the receiver answered 404; given up after 8 attempts");
    assert_eq!((&run["callback_status_code"], &run["status"]), (&json!(404), &json!("completed")));
    assert_eq!(count(&server, "outbox").await, 0);
}

#[tokio::test]
async fn a_410_ends_the_attempts() {
    let server = long_running(Store::Memory).await;
    let agent = server.scripted().await;
    let (url, _heads) = receivers(&["410 Gone"]).await;
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    assert_eq!(run["callback_error"], "the receiver wants no more of it (410)");
    assert_eq!(count(&server, "outbox").await, 0);
}

#[tokio::test]
async fn with_quirks_a_callback_is_attempted_once() {
    let server = Server::quirky().await;
    let agent = server.scripted().await;
    let (url, _heads) = receivers(&["500 Oh"]).await;
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    assert_eq!((&run["callback_status_code"], &run["callback_error"]), (&json!(500), &Value::Null));
    assert_eq!(count(&server, "outbox").await, 0);
}

#[tokio::test]
async fn another_process_makes_the_next_attempt() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let (url, mut heads) = receivers(&["500 Oh", "200 OK"]).await;
    let first = Server::at(&path).await;
    let agent = first.scripted().await;
    let run = first.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    let before = header(&heads.recv().await.expect("the first"), "webhook-id");
    let sql = "UPDATE outbox SET due = 0";
    first.running.engine.db.write(|tx| Ok(tx.execute(sql, [])?)).await.expect("updated");
    drop(first);
    let second = long_running(Store::File(path)).await;
    assert_eq!(header(&heads.recv().await.expect("the second"), "webhook-id"), before);
    let path = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
    wait_for(async || second.get(&path).await["callback_status_code"] == 200).await;
}

#[tokio::test]
async fn a_slow_receiver_delays_no_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let called = server.send(&agent, json!({"input": "hi", "callback_url": url})).await;
    let _open = silent.accept().await.expect("called");
    let next = server.send(&agent, json!({"input": "hi"})).await;
    server.until(&next, "completed").await;
    assert_eq!(
        server.get(&format!("/v1/runs/{called}")).await["callback_sent_at"],
        Value::Null,
        "the attempt is in progress"
    );
}

/// Starts a receiver that holds its responses until the flag is set; the channel has the number of held requests.
async fn holding_receiver(answer: watch::Receiver<bool>) -> (String, watch::Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let waiting = watch::Sender::new(0);
    let seen = waiting.subscribe();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let waiting = waiting.clone();
            let mut answer = answer.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while complete_request(&bytes).is_none() {
                    stream.read_buf(&mut bytes).await.expect("readable");
                }
                waiting.send_modify(|count| *count += 1);
                answer.wait_for(|now| *now).await.expect("told");
                waiting.send_modify(|count| *count -= 1);
                let answer = "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).await.expect("writable");
            });
        }
    });
    (url, seen)
}

#[tokio::test]
async fn concurrent_callbacks_are_bounded_over_all_agents_and_all_are_sent() {
    let server = Server::in_memory().await;
    let answer = watch::Sender::new(false);
    let (url, mut waiting) = holding_receiver(answer.subscribe()).await;
    let mut runs = Vec::new();
    for _ in 0..5 {
        let agent = server.agent("agentctl/echo").await;
        for _ in 0..15 {
            runs.push(server.send(&agent, json!({"input": "hi", "callback_url": url})).await);
        }
    }
    for run in &runs {
        server.until(run, "completed").await;
    }
    waiting.wait_for(|count| *count >= MOST_CALLBACKS).await.expect("counted");
    assert_eq!((server.running.engine.callback_permits.available_permits(), *waiting.borrow()), (0, MOST_CALLBACKS));
    answer.send_replace(true);
    for run in &runs {
        server.running.settle(run).await.expect("settled");
        assert_eq!(server.get(&format!("/v1/runs/{run}")).await["callback_status_code"], 204);
    }
}

#[tokio::test]
async fn callbacks_are_sent_while_their_agent_executes_a_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let count = outbox::MOST_AT_ONCE * 2 + 3;
    for _ in 0..count {
        server.send(&agent, json!({"input": "hi", "callback_url": url})).await;
    }
    let last = server.send(&agent, json!({"input": "@hang"})).await;
    server.until(&last, "running").await;
    let all = async {
        for _ in 0..count {
            answer_next(&listener, "204 No Content").await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("sent while the run is in progress");
}
