//! Refused requests, and the errors they produce.

use serde_json::json;

use super::{Behaviour, Fixture, for_each_fixture};

const NO_RUN: &str = "run-00000000-0000-4000-8000-00000000dead";
const NO_AGENT: &str = "agent-00000000-0000-4000-8000-00000000dead";

for_each_fixture!(a_run_that_does_not_exist_is_5, an_agent_that_does_not_exist_is_5, a_refused_request_is_readable);

fn a_run_that_does_not_exist_is_5(fixture: &Fixture) {
    for command in ["status", "messages", "cancel", "watch"] {
        let output = fixture.agentctl(&[command, NO_RUN]).run();
        assert_eq!((output.code(), output.stdout.as_str()), (5, ""), "{command}\n{output}");
        let error = output.error();
        assert_eq!((&error["code"], &error["run_id"]), (&json!("not_found"), &json!(NO_RUN)), "{command}\n{output}");
    }
}

fn an_agent_that_does_not_exist_is_5(fixture: &Fixture) {
    for output in [
        fixture.send_to(NO_AGENT, Behaviour::Reply("hello"), &[]).run(),
        fixture.agentctl(&["agents", "show", NO_AGENT]).run(),
        fixture.agentctl(&["agents", "delete", NO_AGENT]).run(),
    ] {
        assert_eq!((output.code(), output.stdout.as_str()), (5, ""), "{output}");
        assert_eq!((&output.error()["code"], &output.error()["http_status"]), (&json!("not_found"), &json!(404)));
    }
}

fn a_refused_request_is_readable(fixture: &Fixture) {
    for (key, value) in [
        ("max_steps", r#""many""#),
        ("include_return_message_types", r#"["nonsense"]"#),
        ("use_assistant_message", "[]"),
    ] {
        let output = fixture.send(Behaviour::Reply("hello"), &["--set-json", &format!("{key}={value}")]).run();
        assert_eq!((output.code(), output.stdout.as_str()), (12, ""), "{key}\n{output}");
        let error = output.error();
        assert_eq!((&error["http_status"], &error["retryable"]), (&json!(422), &json!(false)), "{output}");
        let message = error["message"].as_str().expect("a message");
        assert!(message.contains(key), "it names the field\n{output}");
        for part in ["[{", "{'", "('", "\\'"] {
            assert!(!message.contains(part), "no list of Python's in it: {part}\n{output}");
        }
    }
}
