//! Cancelling prints the run as it ended.

use serde_json::{Value, json};

use super::{Behaviour, Fixture, Started, for_each_fixture};

for_each_fixture!(
    a_cancelled_run_is_printed_as_what_it_became,
    a_run_between_steps_is_cancelled,
    an_ended_run_stays_what_it_was,
    runs_of_several_agents_are_cancelled_together,
);

/// Cancels one run, compares the output with the server's run afterwards, and returns it.
fn cancel(fixture: &Fixture, started: Started) -> Value {
    let output = fixture.agentctl(&["cancel", &started.id]).run();
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(started.id)), "{output}");
    assert_eq!(output.document().get("_agentctl"), None, "{output}");
    let after = fixture.look(&started.id);
    for key in ["status", "stop_reason", "completed_at"] {
        assert_eq!(output.document()[key], after[key], "{key}\n{output}");
    }
    let cancelled = after["status"] == "cancelled";
    assert_eq!(output.stderr.contains("was not stopped in time"), !cancelled, "it is said\n{output}");
    started.settle();
    after
}

fn a_cancelled_run_is_printed_as_what_it_became(fixture: &Fixture) {
    let run = cancel(fixture, fixture.start(Behaviour::Slow(1)));
    // A server that cancels between steps lets the model finish its answer, and with it the run.
    assert!(run["status"] == "cancelled" || run["status"] == "completed", "{run}");
}

fn a_run_between_steps_is_cancelled(fixture: &Fixture) {
    let run = cancel(fixture, fixture.start(Behaviour::Endless));
    assert_eq!((&run["status"], &run["stop_reason"]), (&json!("cancelled"), &json!("cancelled")), "{run}");
    let watched = fixture.agentctl(&["watch", "@last"]).run();
    assert_eq!(watched.code(), 3, "{watched}");
    assert_eq!(watched.document()["_agentctl"]["outcome"], "cancelled", "{watched}");
    let next = fixture.follow(Behaviour::Reply("hello"), &[]);
    assert_eq!(next.code(), 0, "the agent goes on\n{next}");
}

fn an_ended_run_stays_what_it_was(fixture: &Fixture) {
    let ended = fixture.follow(Behaviour::Reply("hello"), &[]).document();
    let output = fixture.agentctl(&["cancel", "@last"]).run();
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stderr.contains("had ended before"), "it is said\n{output}");
    for key in ["id", "status", "stop_reason", "completed_at"] {
        assert_eq!(output.document()[key], ended[key], "{key}\n{output}");
    }
}

fn runs_of_several_agents_are_cancelled_together(fixture: &Fixture) {
    let other = fixture.another_agent();
    let runs = [fixture.start(Behaviour::Endless), fixture.start_on(&other, Behaviour::Endless)];
    let ids = format!("{}\n{{\"id\": \"{}\"}}\n", runs[0].id, runs[1].id);
    let output = fixture.agentctl(&["cancel", "-"]).stdin(ids).run();
    assert_eq!(output.code(), 0, "{output}");
    let mut cancelled = output.documents();
    cancelled.sort_by_key(|run| run["id"] == runs[1].id.as_str());
    for (run, started) in cancelled.iter().zip(&runs) {
        assert_eq!((&run["id"], &run["status"]), (&json!(started.id), &json!("cancelled")), "{output}");
    }
    runs.into_iter().for_each(Started::settle);
}
