//! The messages of a run.

use serde_json::Value;

use super::{Behaviour, Fixture, for_each_fixture};
use crate::support::Output;

for_each_fixture!(
    the_messages_of_a_run_with_tools_are_in_order,
    messages_can_be_chosen_by_type,
    a_request_can_choose_what_is_kept,
);

fn kinds(output: &Output) -> Vec<String> {
    let kind = |message: &Value| message["message_type"].as_str().expect("a type").to_owned();
    output.documents().iter().map(kind).collect()
}

const WITH_TOOLS: [&str; 6] = [
    "user_message",
    "tool_call_message",
    "tool_return_message",
    "tool_call_message",
    "tool_return_message",
    "assistant_message",
];

fn the_messages_of_a_run_with_tools_are_in_order(fixture: &Fixture) {
    let sent = fixture.follow(Behaviour::Tools(2), &[]);
    assert_eq!(sent.code(), 0, "{sent}");
    let output = fixture.agentctl(&["messages", "@last"]).run();
    assert_eq!((output.code(), kinds(&output)), (0, WITH_TOOLS.map(str::to_owned).to_vec()), "{output}");
    let messages = output.documents();
    assert!(messages.iter().all(|message| message["run_id"] == sent.document()["id"]), "{output}");
    assert_eq!(messages[5]["content"], fixture.said(Behaviour::Tools(2)), "{output}");
    let transcript = fixture.agentctl(&["messages", "@last", "-o", "human"]).run();
    assert!(transcript.stdout.contains(&fixture.said(Behaviour::Tools(2))), "{transcript}");
}

fn messages_can_be_chosen_by_type(fixture: &Fixture) {
    assert_eq!(fixture.follow(Behaviour::Tools(2), &[]).code(), 0);
    for (types, expected) in [
        ("tool_call_message", &["tool_call_message"; 2][..]),
        ("user_message,assistant_message", &["user_message", "assistant_message"]),
        ("reasoning_message", &[]),
    ] {
        let output = fixture.agentctl(&["messages", "@last", "--type", types]).run();
        assert_eq!((output.code(), kinds(&output)), (0, expected.iter().map(|&kind| kind.to_owned()).collect()));
    }
}

fn a_request_can_choose_what_is_kept(fixture: &Fixture) {
    let output =
        fixture.follow(Behaviour::Tools(1), &["--include-return-message-types", "assistant_message,tool_call_message"]);
    let kept = &output.document()["request_config"]["include_return_message_types"];
    assert_eq!((output.code(), kept), (0, &serde_json::json!(["assistant_message", "tool_call_message"])), "{output}");
    let output = fixture.agentctl(&["messages", "@last"]).run();
    assert_eq!(kinds(&output), ["tool_call_message", "assistant_message"], "{output}");
    let reply = fixture.agentctl(&["messages", "@last", "--reply"]).run();
    assert_eq!(reply.stdout, format!("{}\n", fixture.said(Behaviour::Tools(1))));
}
