//! The flags of following: stalls, callbacks, Ctrl-C, the bell.

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, RUN_PATH, WATCH, run_answer};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, TestEnv, agentctl};

fn running() -> Answer {
    run_answer("running", None)
}

/// An ended run whose callback has this status, or is still pending.
fn called(code: Option<u16>, error: Option<&str>) -> Answer {
    let mut run = letta::run("completed", Some("end_turn"));
    run["callback_url"] = "http://127.0.0.1:1/hook".into();
    run["callback_sent_at"] = (code.is_some() || error.is_some()).then_some("2026-11-23T14:56:10").into();
    (run["callback_status_code"], run["callback_error"]) = (json!(code), json!(error));
    Answer::json(200, &run)
}

/// The events of a type.
fn of_type<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|event| event["type"] == kind).collect()
}

#[test]
fn a_stall_is_reported_and_following_continues() {
    let looks = std::iter::repeat_n(running(), 12).chain([run_answer("completed", Some("end_turn"))]);
    let mock = letta::letta(looks);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!([]))]);
    let output = agentctl(&mock, &format!("{WATCH} --interval 100ms --stall-after 300ms"));
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
    assert_eq!(output.stderr.matches("nothing new for").count(), 1, "{output}");
    assert!(output.stderr.contains(&format!("agentctl cancel {RUN}")), "{output}");
}

#[test]
fn messages_are_news() {
    let looks = std::iter::repeat_n(running(), 8).chain([run_answer("completed", Some("end_turn"))]);
    let mock = letta::letta(looks);
    let messages = (1..=8).map(|number| {
        let mut message = letta::message("reasoning_message", "hm");
        (message["id"], message["otid"]) = (format!("message-{number}").into(), format!("{number}").into());
        Answer::json(200, &json!([message]))
    });
    mock.on("GET", &format!("{RUN_PATH}/messages"), messages.collect::<Vec<_>>());
    let output = agentctl(&mock, &format!("{WATCH} --interval 100ms --stall-after 350ms"));
    assert_eq!(output.code(), 0, "{output}");
    assert!(!output.stderr.contains("nothing new"), "{output}");
}

#[test]
fn a_stall_can_end_the_watching() {
    let mock = letta::letta([running()]);
    let output = agentctl(&mock, &format!("{WATCH} --interval 50ms --stall-after 200ms --on-stall exit"));
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (124, &json!("open")), "{output}");
    assert_eq!((&output.error()["code"], &output.error()["run_id"]), (&json!("stalled"), &json!(RUN)), "{output}");
    let output = agentctl(&mock, &format!("{WATCH} --interval 50ms --stall-after 200ms --on-stall exit --events"));
    let events = output.documents();
    assert!(of_type(&events, "stalled")[0]["silent_for_ns"].as_u64() >= Some(200_000_000), "{events:?}");
    // The hint is in the event, and on standard error as without --events.
    let error = &of_type(&events, "error")[0]["error"];
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(&format!("agentctl watch {RUN}"))), "{events:?}");
    assert_eq!(error, &output.error(), "{output}");
}

#[test]
fn the_callback_is_waited_for_and_its_answer_shown() {
    for (last, said) in [
        (called(Some(204), None), "its callback was answered with 204"),
        (called(None, Some("ReadTimeout('')")), "its callback failed: ReadTimeout('')"),
    ] {
        let mock = letta::letta([called(None, None), called(None, None), last]);
        let output = agentctl(&mock, &format!("{WATCH} --wait-callback"));
        assert_eq!(
            (output.code(), &output.document()["callback_sent_at"]),
            (0, &json!("2026-11-23T14:56:10")),
            "{output}"
        );
        assert!(output.stderr.contains("waiting for its callback") && output.stderr.contains(said), "{output}");
    }
    let mock = letta::letta([called(None, None), called(Some(500), None)]);
    let events = agentctl(&mock, &format!("{WATCH} --wait-callback --events")).documents();
    let callback = of_type(&events, "callback")[0];
    assert_eq!((&callback["status_code"], &callback["error"]), (&json!(500), &Value::Null), "{events:?}");
    assert_eq!(events.last().map(|event| &event["type"]), Some(&json!("ended")));
}

#[test]
fn a_callback_that_never_comes_is_not_waited_for_longer_than_asked() {
    let mock = letta::letta([called(None, None)]);
    let output = agentctl(&mock, &format!("{WATCH} --wait-callback --timeout 500ms"));
    assert_eq!((output.code(), &output.document()["status"]), (124, &json!("completed")), "{output}");
}

#[test]
fn an_interrupt_can_cancel_the_followed_runs_and_shows_their_end() {
    let mock = letta::letta([running(), running(), run_answer("cancelled", Some("cancelled"))]);
    let path = format!("/v1/agents/{AGENT}/messages/cancel");
    mock.on("POST", &path, [Answer::json(200, &json!({RUN: "cancelled"}))]);
    let line = format!("{WATCH} --cancel-on-interrupt");
    let watching = TestEnv::new().agentctl(line.split(' ')).server(&mock.url()).spawn();
    mock.wait_for("GET", 1);
    watching.wait_for_stderr("running");
    watching.signal(Signal::INT);
    let output = watching.wait();
    assert_eq!((output.code(), output.signal()), (130, Some(2)), "{output}");
    assert_eq!(output.document()["_agentctl"]["outcome"], "cancelled", "{output}");
    assert!(output.stderr.contains("cancelling 1 run") && !output.stderr.contains("detached"), "{output}");
    assert_eq!(mock.seen("POST")[0].json(), json!({"run_ids": [RUN]}));
}

#[test]
fn a_second_interrupt_leaves_the_run_to_itself() {
    let mock = letta::letta([running()]);
    let path = format!("/v1/agents/{AGENT}/messages/cancel");
    mock.on("POST", &path, [Answer::json(200, &json!({}))]);
    let line = format!("{WATCH} --cancel-on-interrupt");
    let watching = TestEnv::new().agentctl(line.split(' ')).server(&mock.url()).spawn();
    watching.wait_for_stderr("running");
    watching.signal(Signal::INT);
    mock.wait_for("POST", 1);
    watching.signal(Signal::INT);
    let output = watching.wait();
    assert_eq!(output.code(), 130, "{output}");
    assert!(output.stderr.contains("detached") && output.stderr.contains(&format!("agentctl watch {RUN}")), "{output}");
}

#[test]
fn the_bell_rings_on_a_terminal_and_nowhere_else() {
    let mock = letta::done();
    let env = TestEnv::new();
    let screen = Pty::agentctl(&env, ["watch", RUN, "--bell"]).server(&mock.url()).spawn().wait();
    assert!(screen.raw().contains('\u{7}'));
    let screen = Pty::agentctl(&env, ["watch", RUN]).server(&mock.url()).spawn().wait();
    assert!(!screen.raw().contains('\u{7}'));
    let output = agentctl(&mock, &format!("{WATCH} --bell"));
    assert!(!output.stderr.contains('\u{7}'), "{output}");
}

#[test]
fn flags_about_following_need_a_run_that_is_followed() {
    let mock = Mock::start();
    for flag in ["--stall-after 5s", "--wait-callback", "--cancel-on-interrupt", "--bell"] {
        let output = agentctl(&mock, &format!("{} {flag}", letta::SEND));
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{flag}\n{output}");
    }
    assert_eq!(agentctl(&mock, &format!("{WATCH} --on-stall exit")).code(), 2);
    assert_eq!(mock.connections(), 0);
}
