//! Callbacks: what is posted, and what is recorded.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::*;

/// Answers one request with a status line; gives its head and body.
async fn receiver(answer: &'static str) -> (String, JoinHandle<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/callback?k=1", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut bytes = Vec::new();
        let whole = loop {
            assert!(stream.read_buf(&mut bytes).await.expect("readable") > 0, "cut short");
            if let Some(whole) = request(&bytes) {
                break whole;
            }
        };
        let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("writable");
        whole
    });
    (url, task)
}

/// A request, once all of it is there.
fn request(bytes: &[u8]) -> Option<(String, Value)> {
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
async fn any_answer_is_recorded_and_no_redirect_is_followed() {
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
async fn what_cannot_be_reached_is_recorded_as_an_error() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    for url in [format!("http://{free}/"), "not a url".to_owned(), "ftp://127.0.0.1/".to_owned()] {
        let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
        let error = run["callback_error"].as_str().expect("an error");
        let id = run["id"].as_str().expect("an id");
        assert!(error.starts_with(&format!("Failed to dispatch callback for run {id} to {url}: ")), "{error}");
        assert_eq!(run["callback_status_code"], Value::Null);
        assert!(run["callback_sent_at"].is_string());
    }
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
async fn a_callback_that_its_process_did_not_live_to_send_is_sent_by_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let reader = Server::start(Store::File(path.clone()), false).await;
    let agent = reader.scripted().await;
    let (url, received) = receiver("200 OK").await;
    let run = reader.send(&agent, json!({"input": "hi", "callback_url": url})).await;
    // A process that does not execute ends the run, and leaves the callback behind.
    reader.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    let server = Server::at(&path).await;
    server.running.settle(&run).await.expect("settled");
    assert_eq!(received.await.expect("received").1["status"], "cancelled");
    assert_eq!(server.get(&format!("/v1/runs/{run}")).await["callback_status_code"], 200);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_does_not_answer_is_given_up() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let run = server.run_with(&agent, json!({"input": "hi", "callback_url": url})).await;
    assert!(run["callback_error"].as_str().is_some_and(|text| text.ends_with("no answer within 5 s")), "{run}");
}
