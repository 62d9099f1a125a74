//! Lists of runs, the parts of a run, and cancelling listed runs.

use serde_json::{Value, json};

use super::{Behaviour, Fixture, Started, for_each_fixture};

for_each_fixture!(
    runs_are_listed_newest_first_and_each_once,
    runs_are_listed_by_status_and_counted_by_stop_reason,
    what_an_agent_is_working_on_is_listed_and_cancelled,
    a_run_is_shown_with_all_that_it_is_made_of,
);

fn ids(documents: &[Value]) -> Vec<String> {
    documents.iter().filter_map(|run| run["id"].as_str().map(str::to_owned)).collect()
}

/// Sends so many messages, one after another, and returns their runs, the newest first.
fn sent(fixture: &Fixture, count: usize) -> Vec<String> {
    let send = |_| fixture.follow(Behaviour::Reply("hello"), &[]).document();
    let mut runs: Vec<Value> = (0..count).map(send).collect();
    runs.reverse();
    ids(&runs)
}

fn runs_are_listed_newest_first_and_each_once(fixture: &Fixture) {
    let sent = sent(fixture, 5);
    let list = |flags: &[&str]| fixture.agentctl(&[&["list", "--agent", fixture.agent()], flags].concat()).run();
    let all = list(&["--all"]);
    assert_eq!((all.code(), ids(&all.documents())), (0, sent.clone()), "{all}");
    assert_eq!(all.documents()[0].get("_agentctl"), None, "nothing is added\n{all}");
    let two = list(&["--limit", "2", "-o", "id"]);
    assert_eq!(two.stdout.lines().collect::<Vec<_>>(), sent[..2], "{two}");
    assert_eq!(ids(&list(&["--since", "1h"]).documents()), sent);
    let since = all.documents()[1]["created_at"].as_str().expect("a time").to_owned();
    assert_eq!(ids(&list(&["--since", &since]).documents()), sent[..2], "the time itself counts");
    assert_eq!(list(&["--since", "2030-01-01"]).stdout, "");
}

fn runs_are_listed_by_status_and_counted_by_stop_reason(fixture: &Fixture) {
    sent(fixture, 2);
    let failed = fixture.follow(Behaviour::Fail, &[]).document();
    let list = |flags: &[&str]| fixture.agentctl(&[&["list", "--agent", fixture.agent()], flags].concat()).run();
    assert_eq!(ids(&list(&["--status", "failed"]).documents()), ids(std::slice::from_ref(&failed)));
    assert_eq!(list(&["--status", "completed,failed"]).documents().len(), 3);
    assert_eq!(list(&["--stop-reason", "end_turn"]).documents().len(), 2);
    assert_eq!(list(&["--active"]).stdout, "");
    let stats = list(&["--stats"]).documents();
    let ended = stats.iter().find(|group| group["stop_reason"] == "end_turn").expect("two of them");
    assert_eq!((&ended["runs"], &ended["duration_ns"]["count"]), (&json!(2), &json!(2)), "{stats:?}");
    assert!(ended["duration_ns"]["p95"].as_u64() >= ended["duration_ns"]["p50"].as_u64(), "{stats:?}");
    assert!(stats.iter().any(|group| group["stop_reason"] == failed["stop_reason"]), "{stats:?}");
    let unknown = list(&["--status", "nonsense"]);
    assert_eq!((unknown.code(), unknown.stdout.as_str()), (12, ""), "the server refuses it\n{unknown}");
}

fn what_an_agent_is_working_on_is_listed_and_cancelled(fixture: &Fixture) {
    let started = fixture.start(Behaviour::Endless);
    let active = fixture.agentctl(&["list", "--agent", fixture.agent(), "--active", "-o", "id"]).run();
    assert_eq!(active.stdout.trim(), started.id, "{active}");
    let unasked = fixture.agentctl(&["cancel", "--agent", fixture.agent(), "--active"]).run();
    assert_eq!(unasked.code(), 2, "{unasked}");
    let cancelled = fixture.agentctl(&["cancel", "--agent", fixture.agent(), "--active", "--yes"]).run();
    assert_eq!((cancelled.code(), &cancelled.document()["status"]), (0, &json!("cancelled")), "{cancelled}");
    assert_eq!(fixture.look(&started.id)["status"], "cancelled");
    let again = fixture.agentctl(&["cancel", "--agent", fixture.agent(), "--active", "--yes"]).run();
    assert_eq!((again.code(), again.stdout.as_str()), (0, ""), "{again}");
    Started::settle(started);
}

fn a_run_is_shown_with_all_that_it_is_made_of(fixture: &Fixture) {
    let run = fixture.follow(Behaviour::Tools(2), &[]).document();
    let output = fixture.agentctl(&["status", "@last", "--detail"]).run();
    let mut document = output.document();
    let detail = document.as_object_mut().and_then(|run| run.shift_remove("_agentctl")).expect("one more key");
    assert_eq!((output.code(), &document["id"]), (0, &run["id"]), "{output}");
    let steps = detail["steps"].as_array().expect("steps");
    assert_eq!((steps.len(), &steps[2]["stop_reason"]), (3, &json!("end_turn")), "oldest first\n{output}");
    assert!(detail["usage"]["total_tokens"].is_u64(), "{output}");
    let messages = fixture.agentctl(&["messages", "@last"]).run().documents();
    assert_eq!(detail["messages"], Value::from(messages), "{output}");
    for columns in ["40", "80"] {
        let human = fixture.agentctl(&["status", "@last", "--detail", "-o", "human"]).env("COLUMNS", columns).run();
        assert!(["usage", "steps", "messages"].iter().all(|part| human.stdout.contains(part)), "{human}");
    }
}
