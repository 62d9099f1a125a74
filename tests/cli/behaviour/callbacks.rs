//! Callbacks sent by the server; the run records the result.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Behaviour, Fixture, for_each_fixture};
use crate::support::{Answer, Mock, mock};

for_each_fixture!(
    the_callback_is_called_and_recorded,
    what_the_callback_answered_is_recorded,
    a_callback_that_nobody_hears_is_recorded,
);

/// The run once the server has called back. It does so after the run has ended. Each look is a process: that is pause
/// enough.
fn called(fixture: &Fixture, id: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let run = fixture.look(id);
        if !run["callback_sent_at"].is_null() {
            return run;
        }
        assert!(Instant::now() < deadline, "no callback was recorded: {run}");
    }
}

/// Sends with this callback and returns the run when it was called.
fn send(fixture: &Fixture, behaviour: Behaviour, url: &str) -> Value {
    let output = fixture.follow(behaviour, &["--callback-url", url]);
    assert_eq!(output.document()["callback_url"], url, "byte for byte\n{output}");
    called(fixture, output.document()["id"].as_str().expect("an id"))
}

fn the_callback_is_called_and_recorded(fixture: &Fixture) {
    let sink = Mock::start();
    sink.on("POST", "/hook", [Answer::json(200, &json!({}))]);
    let run = send(fixture, Behaviour::Reply("hello"), &format!("{}/hook?token=a%20b&c=", sink.url()));
    assert_eq!((&run["callback_status_code"], &run["callback_error"]), (&json!(200), &Value::Null), "{run}");
    let [call] = &sink.seen("POST")[..] else { panic!("once: {:?}", sink.requests()) };
    assert_eq!((call.query.as_str(), call.header("content-type")), ("token=a%20b&c=", Some("application/json")));
    let body = call.json();
    let mut keys: Vec<&String> = body.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["completed_at", "metadata", "run_id", "status"]);
    assert_eq!((&body["run_id"], &body["status"]), (&run["id"], &run["status"]));
    let result = &body["metadata"]["result"];
    let said = result["messages"].as_array().and_then(|messages| messages.last()).expect("a message");
    assert_eq!(said["content"], fixture.said(Behaviour::Reply("hello")), "{body}");
    assert_eq!(result["stop_reason"]["stop_reason"], "end_turn", "{body}");
}

fn what_the_callback_answered_is_recorded(fixture: &Fixture) {
    let sink = Mock::start();
    sink.on("POST", "/hook", [Answer::status(503)]);
    let run = send(fixture, Behaviour::Fail, &format!("{}/hook", sink.url()));
    assert_eq!((&run["status"], &run["callback_status_code"]), (&json!("failed"), &json!(503)), "{run}");
    assert_eq!(sink.seen("POST").len(), 1, "it is not tried again");
    assert_eq!(sink.seen("POST")[0].json()["status"], "failed");
}

fn a_callback_that_nobody_hears_is_recorded(fixture: &Fixture) {
    let run = send(fixture, Behaviour::Reply("hello"), &format!("{}/hook", mock::refusing()));
    assert_eq!((&run["status"], &run["callback_status_code"]), (&json!("completed"), &Value::Null), "{run}");
    assert!(run["callback_error"].as_str().is_some_and(|error| !error.is_empty()), "{run}");
}
