//! The ends of runs, and their reports.

use serde_json::{Value, json};

use super::{Behaviour, Fixture, for_each_fixture};
use crate::support::Output;

for_each_fixture!(
    a_run_succeeds_and_its_facts_are_told,
    a_run_with_tools_counts_its_steps,
    the_reply_is_the_assistants_text_and_nothing_else,
    a_failed_run_has_a_reason,
    a_model_that_is_unknown_fails_the_run,
    steps_that_are_used_up_truncate_the_run,
    an_ended_run_is_told_again,
);

/// The facts of the one run that was followed.
fn facts(output: &Output) -> Value {
    output.document()["_agentctl"].clone()
}

/// Checks that the figures are present and plausible. A server that does not measure the first token sends null.
fn assert_figures(output: &Output) {
    let facts = facts(output);
    for figure in ["steps", "total_tokens", "duration_ns"] {
        assert!(facts[figure].is_u64(), "{figure} is a number\n{output}");
    }
    assert!(facts["ttft_ns"].is_u64() || facts["ttft_ns"].is_null(), "{output}");
    assert_eq!(facts["ttft_ns"].is_null(), facts["ttft_from"].is_null(), "{output}");
    let last = output.stderr.lines().last().expect("a line");
    assert!(last.contains("ttft") && last.contains("duration"), "{output}");
    assert_eq!(last.contains("ttft n/a"), facts["ttft_ns"].is_null(), "{output}");
}

fn a_run_succeeds_and_its_facts_are_told(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Reply("hello"), &[]);
    assert_eq!(output.code(), 0, "{output}");
    let (run, facts) = (output.document(), facts(&output));
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("end_turn")), "{output}");
    assert_eq!((&run["agent_id"], &run["background"]), (&json!(fixture.agent()), &json!(true)), "{output}");
    assert_eq!((&facts["outcome"], &facts["reason"]), (&json!("succeeded"), &Value::Null), "{output}");
    assert_figures(&output);
    assert_eq!(facts["steps"], 1, "{output}");
    assert!(facts["total_tokens"].as_u64() > Some(0) && facts["duration_ns"].as_u64() > Some(0), "{output}");
}

fn a_run_with_tools_counts_its_steps(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Tools(2), &[]);
    assert_eq!((output.code(), &facts(&output)["steps"]), (0, &json!(3)), "two calls and the answer\n{output}");
    assert_figures(&output);
}

fn the_reply_is_the_assistants_text_and_nothing_else(fixture: &Fixture) {
    let reply = Behaviour::Reply("hello there");
    let output = fixture.send(reply, &["--reply"]).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{}\n", fixture.said(reply))));
    let output = fixture.agentctl(&["messages", "@last", "--reply"]).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{}\n", fixture.said(reply))));
    let output = fixture.agentctl(&["watch", "@last", "--reply"]).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{}\n", fixture.said(reply))));
}

fn a_failed_run_has_a_reason(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Fail, &[]);
    assert_eq!((output.code(), &output.document()["status"]), (1, &json!("failed")), "{output}");
    assert_eq!(facts(&output)["outcome"], "failed", "{output}");
    assert!(facts(&output)["reason"].as_str().is_some_and(|reason| reason.contains("asked to fail")), "{output}");
    assert!(output.stderr.contains("asked to fail"), "people are told, too\n{output}");
    assert_figures(&output);
    let reply = fixture.send(Behaviour::Fail, &["--reply"]).run();
    assert_eq!((reply.code(), reply.stdout.as_str()), (1, ""), "{reply}");
}

fn a_model_that_is_unknown_fails_the_run(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Reply("hello"), &["--override-model", "no/such"]);
    assert_eq!((output.code(), &output.document()["status"]), (1, &json!("failed")), "{output}");
    assert!(facts(&output)["reason"].as_str().is_some_and(|reason| reason.contains("no/such")), "{output}");
}

fn steps_that_are_used_up_truncate_the_run(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Endless, &["--max-steps", "3"]);
    assert_eq!((output.code(), &facts(&output)["outcome"]), (0, &json!("truncated")), "{output}");
    let run = output.document();
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("completed"), &json!("max_steps")), "{output}");
    assert_eq!(facts(&output)["steps"], 3, "{output}");
    assert!(output.stderr.contains("truncated"), "it is said aloud\n{output}");
    let strict = fixture.agentctl(&["watch", "@last", "--strict"]).run();
    assert_eq!((strict.code(), &facts(&strict)["outcome"]), (1, &json!("truncated")), "{strict}");
}

fn an_ended_run_is_told_again(fixture: &Fixture) {
    for (behaviour, code) in [(Behaviour::Reply("hello"), 0), (Behaviour::Fail, 1)] {
        let first = fixture.follow(behaviour, &[]);
        let (again, exit_status) = (
            fixture.agentctl(&["watch", "@last"]).run(),
            fixture.agentctl(&["status", "@last", "--exit-status"]).run(),
        );
        assert_eq!((first.code(), again.code(), exit_status.code()), (code, code, code), "{again}");
        for key in ["outcome", "reason"] {
            assert_eq!(facts(&again)[key], facts(&first)[key], "{again}");
        }
        assert_eq!(exit_status.document()["id"], first.document()["id"], "{exit_status}");
        assert_eq!(exit_status.document().get("_agentctl"), None, "status adds nothing\n{exit_status}");
    }
}
