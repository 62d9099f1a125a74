//! A message whose answer was lost is found and proven, resent if that is safe, or reported as unknown.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, POST_PATH, RUN, SEND, run_answer};
use crate::support::process::Process;
use crate::support::{Answer, Mock, TestEnv};

/// The path of the agent's messages.
const MESSAGES: &str = "/v1/agents/agent-11111111-1111-4111-8111-111111111111/messages";

/// A server that loses the first answer to a message, and shows these runs and messages of the agent.
fn losing(runs: Vec<Answer>, messages: Vec<Answer>) -> Mock {
    let mock = letta::done();
    mock.on("POST", POST_PATH, [Answer::close(), run_answer("created", None)]);
    mock.on("GET", "/v1/runs/", runs);
    mock.on("GET", MESSAGES, messages);
    mock
}

/// Sends a message whose otid the test knows.
fn send(env: &TestEnv, mock: &Mock, flags: &str) -> Process {
    let body = json!({"messages": [{"role": "user", "content": "hi", "otid": "mine"}]});
    let line = format!("send --agent {AGENT} {flags}");
    env.agentctl(line.split_whitespace()).server(&mock.url()).stdin(body.to_string())
}

/// The run as the list shows it, made just now.
fn listed() -> Answer {
    let mut run = letta::run("created", None);
    run["created_at"] = jiff::Timestamp::now().to_string().into();
    Answer::json(200, &json!([run]))
}

fn stored(otid: &str) -> Answer {
    let mut message = letta::message("user_message", "hi");
    (message["otid"], message["date"]) = (otid.into(), Value::Null);
    Answer::json(200, &json!([message]))
}

fn none() -> Answer {
    Answer::json(200, &json!([]))
}

#[test]
fn a_run_with_our_message_is_adopted_and_the_command_goes_on() {
    let env = TestEnv::new();
    for runs in [listed(), none()] {
        let mock = losing(vec![runs], vec![none(), stored("mine")]);
        let output = send(&env, &mock, "--wait").run();
        assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
        assert_eq!((&output.document()["id"], &output.document()["status"]), (&RUN.into(), &"completed".into()));
        let said = ["it is unknown whether", AGENT, "recovered", RUN];
        let places: Vec<Option<usize>> = said.iter().map(|word| output.stderr.find(word)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "said at once, then found\n{output}");
    }
}

#[test]
fn a_server_that_honours_keys_gets_the_message_again_under_the_same_key() {
    let env = TestEnv::new();
    let mock = losing(vec![none()], vec![none()]);
    mock.on("GET", "/v1/health/", [none().header("idempotency-supported", "true")]);
    let output = send(&env, &mock, "-o id").run();
    assert_eq!((output.code(), output.stdout.trim()), (0, RUN), "{output}");
    let posts = mock.seen("POST");
    let sent: Vec<_> = posts.iter().map(|post| (post.header("idempotency-key"), &post.body)).collect();
    assert!(sent.len() == 2 && sent[0] == sent[1] && sent[0].0.is_some(), "{sent:?}");
}

#[test]
fn an_idempotency_key_that_the_server_does_not_confirm_is_not_relied_on() {
    let env = TestEnv::new();
    for word in ["false", "", "perhaps"] {
        let mock = losing(vec![Answer::status(404)], vec![Answer::status(404)]);
        mock.on("GET", "/v1/health/", [none().header("idempotency-supported", word)]);
        let output = send(&env, &mock, "").run();
        assert_eq!((output.code(), mock.seen("POST").len()), (10, 1), "{output}");
    }
}

/// A refusal of the second try says nothing about the first.
#[test]
fn an_unknown_message_is_never_called_refused() {
    let env = TestEnv::new();
    for answer in [Answer::status(401), Answer::status(422), Answer::status(404)] {
        let mock = losing(vec![Answer::status(404)], vec![Answer::status(404)]);
        mock.on("GET", "/v1/health/", [none().header("idempotency-supported", "true")]);
        mock.on("POST", POST_PATH, [Answer::reset(), answer]);
        let sending = send(&env, &mock, "").spawn();
        mock.wait_for("POST", 2);
        sending.signal(Signal::TERM);
        let output = sending.wait();
        assert_eq!((output.code(), output.error()["retryable"].as_bool()), (10, Some(false)), "{output}");
    }
}

#[test]
fn a_single_run_without_proof_is_named_and_not_adopted() {
    let env = TestEnv::new();
    let gone = || Answer::status(404);
    let mock = losing(vec![listed(), gone()], vec![none(), gone()]);
    let output = send(&env, &mock, "").run();
    assert_eq!((output.code(), output.stdout.as_str(), mock.seen("POST").len()), (10, "", 1), "{output}");
    assert!(output.error()["message"].as_str().is_some_and(|message| message.contains(RUN)), "{output}");
}

#[test]
fn a_signal_while_the_run_is_looked_for_is_exit_10() {
    let env = TestEnv::new();
    let mock = losing(vec![none()], vec![none()]);
    let sending = send(&env, &mock, "").spawn();
    sending.wait_for_stderr("looking for its run");
    sending.signal(Signal::INT);
    let output = sending.wait();
    assert_eq!((output.code(), mock.seen("POST").len()), (10, 1), "{output}");
    assert!(output.stderr.contains(AGENT), "{output}");
}

/// The configured time limit may have lost the answer; the search keeps its own limit.
#[test]
fn a_small_time_limit_does_not_hurry_the_search() {
    let env = TestEnv::new();
    let mock = losing(vec![none()], vec![stored("mine").after(Duration::from_millis(600))]);
    let output = send(&env, &mock, "--request-timeout 300ms -o id").run();
    assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
}

#[test]
fn the_engine_of_this_process_never_leaves_a_message_unknown() {
    let env = TestEnv::new();
    let output = env.agentctl((SEND.to_owned() + " --local").split(' ')).run();
    assert_eq!(output.code(), 5, "no such agent, said by the engine itself\n{output}");
    assert!(!output.stderr.contains("unknown whether"), "{output}");
}
