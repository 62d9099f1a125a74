//! Tool calls that wait for a person: shown, approved, denied.

use serde_json::json;

use super::{Behaviour, Fixture, for_each_fixture};
use crate::support::Output;

for_each_fixture!(
    a_call_that_waits_is_shown_and_goes_on_once_approved,
    a_denied_call_is_not_made_and_the_agent_goes_on,
    what_was_answered_or_never_asked_is_not_answered_again,
);

/// Sends a message whose run stops for approval, and returns the run's id.
fn asking(fixture: &Fixture) -> String {
    fixture.let_it_ask();
    let output = fixture.follow(Behaviour::Ask, &[]);
    assert_eq!((output.code(), &output.document()["stop_reason"]), (6, &json!("requires_approval")), "{output}");
    output.document()["id"].as_str().expect("an id").to_owned()
}

/// The types of the messages of the last run.
fn kinds(fixture: &Fixture) -> Vec<String> {
    let messages = fixture.agentctl(&["messages", "@last"]).run().documents();
    messages.iter().filter_map(|message| message["message_type"].as_str().map(str::to_owned)).collect()
}

fn assert_refused(output: &Output) {
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    assert_eq!(output.error()["code"], "nothing_waits", "{output}");
}

fn a_call_that_waits_is_shown_and_goes_on_once_approved(fixture: &Fixture) {
    let run = asking(fixture);
    let shown = fixture.agentctl(&["status", &run, "-o", "human"]).run();
    for part in ["waits", "arguments", "tool call", &format!("agentctl approve {run}"), &format!("agentctl deny {run}")]
    {
        assert!(shown.stdout.contains(part), "{part}\n{shown}");
    }
    let next = fixture.agentctl(&["approve", &run, "--wait"]).run();
    assert_eq!((next.code(), &next.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{next}");
    assert_ne!(next.document()["id"], json!(run), "a new run goes on");
    let reply = fixture.agentctl(&["messages", "@last", "--reply"]).run();
    assert_eq!(reply.stdout.trim(), fixture.said(Behaviour::Ask), "{reply}");
    assert!(kinds(fixture).iter().any(|kind| kind == "tool_return_message"));
}

fn a_denied_call_is_not_made_and_the_agent_goes_on(fixture: &Fixture) {
    let run = asking(fixture);
    let next = fixture.agentctl(&["deny", &run, "--reason", "not today", "--wait"]).run();
    assert_eq!((next.code(), &next.document()["status"]), (0, &json!("completed")), "{next}");
    let messages = fixture.agentctl(&["messages", "@last"]).run();
    assert!(messages.stdout.contains("not today"), "the agent is told why\n{messages}");
    assert_eq!(fixture.follow(Behaviour::Reply("hello"), &[]).code(), 0, "nothing waits any more");
}

fn what_was_answered_or_never_asked_is_not_answered_again(fixture: &Fixture) {
    let run = asking(fixture);
    assert_refused(&fixture.agentctl(&["approve", &run, "--tool-call", "call_of_nobody"]).run());
    assert_eq!(fixture.agentctl(&["approve", &run, "--wait"]).run().code(), 0);
    assert_refused(&fixture.agentctl(&["approve", &run]).run());
    assert_refused(&fixture.agentctl(&["deny", "@last"]).run());
    let shown = fixture.agentctl(&["status", &run, "-o", "human"]).run();
    assert!(shown.stdout.contains("answered before"), "{shown}");
}
