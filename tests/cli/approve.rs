//! `approve` and `deny`: answering the tool call for which a run stopped.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, approval_request as request};
use crate::support::{Answer, Gate, Mock, TestEnv, agentctl};

/// The run that continues after the answer.
const NEXT: &str = "run-33333333-2222-4222-8222-222222222222";

fn decision(call: &str) -> Value {
    let approvals = json!([{"type": "approval", "tool_call_id": call, "approve": true}]);
    json!({"id": "message-8", "message_type": "approval_response_message", "run_id": NEXT, "approvals": approvals})
}

fn path_of_agent() -> String {
    format!("/v1/agents/{AGENT}/messages")
}

/// A server with a run that stopped for approval, its messages, and the later messages of its agent.
fn server(of_run: &[Value], of_agent: &[Value]) -> Mock {
    let mock = letta::letta([letta::run_answer("completed", Some("requires_approval"))]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!(of_run))]);
    mock.on("GET", &path_of_agent(), [Answer::json(200, &json!(of_agent))]);
    let mut next = letta::run("created", None);
    next["id"] = NEXT.into();
    mock.on("POST", POST_PATH, [Answer::json(200, &next)]);
    next["status"] = "completed".into();
    mock.on("GET", &format!("/v1/runs/{NEXT}"), [Answer::json(200, &next)]);
    mock
}

/// The approvals of the one message that was posted.
fn posted(mock: &Mock) -> Value {
    let [post] = &mock.seen("POST")[..] else { panic!("one POST expected: {:?}", mock.requests()) };
    let body = post.json();
    let messages = body["messages"].as_array().expect("messages");
    assert_eq!((messages.len(), &messages[0]["type"]), (1, &json!("approval")), "{body}");
    assert!(messages[0]["otid"].is_string() && post.header("idempotency-key").is_some(), "{body}");
    messages[0]["approvals"].clone()
}

#[test]
fn the_call_that_waits_is_approved_and_the_new_run_printed() {
    let mock = server(&[request(&["call_1"])], &[]);
    let output = agentctl(&mock, &format!("approve {RUN}"));
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(NEXT)), "{output}");
    assert_eq!(posted(&mock), json!([{"type": "approval", "tool_call_id": "call_1", "approve": true}]));
}

#[test]
fn a_denial_carries_its_reason_and_can_be_followed() {
    let mock = server(&[request(&["call_1"])], &[]);
    let env = TestEnv::new();
    let output = env.agentctl(["deny", RUN, "--reason", "- not $(today)", "--wait"]).server(&mock.url()).run();
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
    let expected =
        json!([{"type": "approval", "tool_call_id": "call_1", "approve": false, "reason": "- not $(today)"}]);
    assert_eq!(posted(&mock), expected);
    let last = env.agentctl(["status", "@last"]).server(&mock.url()).run();
    assert_eq!(last.document()["id"], NEXT, "the new run is the last one sent\n{last}");
}

#[test]
fn all_calls_are_answered_or_only_the_named_ones() {
    for (flags, expected) in [("", vec!["call_1", "call_2"]), (" --tool-call call_2", vec!["call_2"])] {
        let mock = server(&[request(&["call_1", "call_2"])], &[]);
        let output = agentctl(&mock, &format!("approve {RUN}{flags}"));
        assert_eq!(output.code(), 0, "{output}");
        let approvals = posted(&mock);
        let ids: Vec<&str> =
            approvals.as_array().expect("a list").iter().filter_map(|one| one["tool_call_id"].as_str()).collect();
        assert_eq!(ids, expected);
    }
}

#[test]
fn nothing_is_sent_if_no_call_waits() {
    let answered = server(&[request(&["call_1"])], &[decision("call_1")]);
    let not_asked = server(&[letta::message("user_message", "hi")], &[]);
    let other_call = server(&[request(&["call_1"])], &[]);
    for (mock, flags, said) in [
        (&answered, "", "answered already"),
        (&not_asked, "", "does not wait for approval"),
        (&other_call, " --tool-call call_9", "no tool call `call_9`"),
    ] {
        let output = agentctl(mock, &format!("approve {RUN}{flags}"));
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
        let error = output.error();
        assert!(error["message"].as_str().is_some_and(|message| message.contains(said)), "{output}");
        assert_eq!((&error["code"], &error["run_id"]), (&json!("nothing_waits"), &json!(RUN)), "{output}");
        assert!(error["hint"].is_string(), "what next\n{output}");
        assert_eq!(mock.seen("POST").len(), 0);
    }
}

#[test]
fn a_request_that_the_run_does_not_keep_is_found_among_the_agents_messages() {
    let mut others = request(&["call_9"]);
    others["run_id"] = NEXT.into();
    let mock = server(&[], &[others, request(&["call_1"])]);
    assert_eq!(agentctl(&mock, &format!("approve {RUN}")).code(), 0);
    assert_eq!(posted(&mock)[0]["tool_call_id"], "call_1");
}

#[test]
fn without_messages_the_call_must_be_named() {
    let mock = server(&[], &[]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::status(404)]);
    mock.on("GET", &path_of_agent(), [Answer::status(404)]);
    let output = agentctl(&mock, &format!("approve {RUN}"));
    assert_eq!((output.code(), mock.seen("POST").len()), (2, 0), "{output}");
    assert!(output.stderr.contains("--tool-call"), "{output}");
    assert_eq!(agentctl(&mock, &format!("approve {RUN} --tool-call call_1")).code(), 0);
    assert_eq!(posted(&mock)[0]["tool_call_id"], "call_1");
}

#[test]
fn an_answer_that_is_lost_is_treated_as_a_message_that_is_lost() {
    let (mock, gate) = (server(&[request(&["call_1"])], &[]), Gate::default());
    mock.on("POST", POST_PATH, [Answer::status(200).held(&gate)]);
    let approving = TestEnv::new().agentctl(["approve", RUN]).server(&mock.url()).spawn();
    mock.wait_for("POST", 1);
    approving.signal(Signal::INT);
    let output = approving.wait();
    assert_eq!((output.code(), output.stdout.as_str()), (10, ""), "{output}");
    assert_eq!(mock.seen("POST").len(), 1, "it is not sent again");
}

#[test]
fn one_run_is_answered_at_a_time_and_an_unknown_one_not_found() {
    let mock = server(&[request(&["call_1"])], &[]);
    let env = TestEnv::new();
    let two = env.agentctl(["approve", "-"]).stdin(format!("{RUN}\n{NEXT}\n")).server(&mock.url()).run();
    assert_eq!((two.code(), mock.seen("POST").len()), (2, 0), "{two}");
    let unknown = agentctl(&mock, "deny run-99999999");
    assert_eq!((unknown.code(), mock.seen("POST").len()), (5, 0), "{unknown}");
    for line in ["approve", "deny", "approve nonsense", "approve run-12345678 --timeout 5s"] {
        assert_eq!(agentctl(&mock, line).code(), 2, "{line}");
    }
}

#[test]
fn status_shows_the_call_and_the_commands_that_answer_it() {
    let mock = server(&[request(&["call_1"])], &[]);
    let human = agentctl(&mock, &format!("status {RUN} -o human"));
    for part in
        ["rm", "{\"path\": \"x\"}", "call_1", &format!("agentctl approve {RUN}"), &format!("agentctl deny {RUN}")]
    {
        assert!(human.stdout.contains(part), "{part}\n{human}");
    }
    let json = agentctl(&mock, &format!("status {RUN}"));
    assert_eq!(json.document(), letta::run("completed", Some("requires_approval")), "nothing is added\n{json}");
    let watched = agentctl(&mock, &format!("watch {RUN} -o human"));
    assert_eq!(watched.code(), 6, "{watched}");
    assert!(watched.stdout.contains(&format!("agentctl approve {RUN}")), "{watched}");
    let answered = agentctl(&server(&[request(&["call_1"])], &[decision("call_1")]), &format!("status {RUN} -o human"));
    assert!(answered.stdout.contains("answered before") && !answered.stdout.contains("agentctl approve"), "{answered}");
}

#[test]
fn status_with_detail_adds_the_parts_that_the_server_has() {
    let mock = letta::done();
    mock.on("GET", &format!("{RUN_PATH}/steps"), [Answer::json(200, &json!([{"id": "step-1", "status": "success"}]))]);
    let output = agentctl(&mock, &format!("status {RUN} --detail"));
    let mut document = output.document();
    let detail = document.as_object_mut().and_then(|run| run.shift_remove("_agentctl")).expect("one more key");
    assert_eq!((output.code(), document), (0, letta::run("completed", Some("end_turn"))));
    assert_eq!(detail["steps"], json!([{"id": "step-1", "status": "success"}]));
    assert_eq!((&detail["usage"]["total_tokens"], &detail["messages"]), (&json!(378), &letta::messages("hi", "hello")));
    let human = agentctl(&mock, &format!("status {RUN} --detail -o human"));
    assert!(["step-1", "378", "hello"].iter().all(|part| human.stdout.contains(part)), "{human}");

    let small = Mock::start();
    small.on("GET", RUN_PATH, [letta::run_answer("completed", Some("end_turn"))]);
    let output = agentctl(&small, &format!("status {RUN} --detail"));
    let expected = json!({"steps": null, "usage": null, "messages": null});
    assert_eq!((output.code(), &output.document()["_agentctl"]), (0, &expected), "{output}");
    assert_eq!(agentctl(&small, &format!("status {RUN} --detail -o human")).code(), 0);
}
