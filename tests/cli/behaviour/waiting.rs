//! Following runs while they are at work.

use std::time::{Duration, Instant};

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::{Behaviour, Fixture, Started, for_each_fixture};

for_each_fixture!(
    events_tell_a_run_from_its_start_to_its_end,
    a_message_can_wait_until_the_agent_is_idle,
    a_timeout_stops_the_watching_only,
    a_pipe_carries_the_run_to_watch,
    two_runs_at_once_are_watched_together,
    the_active_runs_of_an_agent_are_watched,
);

/// The words under `key`, of the events that have it.
fn words(events: &[Value], key: &str) -> Vec<String> {
    events.iter().filter_map(|event| event[key].as_str().map(str::to_owned)).collect()
}

fn events_tell_a_run_from_its_start_to_its_end(fixture: &Fixture) {
    let slow = Behaviour::Slow(2);
    let output = fixture.send(slow, &["--events"]).run();
    assert_eq!(output.code(), 0, "{output}");
    let events = output.documents();
    let types = words(&events, "type");
    assert!(events.iter().all(|event| event["v"] == 1 && event["run_id"] == events[0]["run_id"]), "{output}");
    assert!(words(&events, "time").is_sorted(), "{output}");
    assert_eq!(types.first().map(String::as_str), Some("submitted"), "{output}");
    assert_eq!(types.iter().position(|kind| kind == "ended"), Some(types.len() - 1), "it is the last\n{output}");
    assert_eq!(events[0]["run"]["status"], "created", "{output}");
    let status: Vec<Value> = events.iter().filter(|event| event["type"] == "status").cloned().collect();
    let mut status = words(&status, "status");
    // Not every server ever says that a run is running, and some are at work before the first look.
    status.retain(|status| status != "running");
    let changes: &[&str] = if status.len() > 1 { &["created", "completed"] } else { &["completed"] };
    assert_eq!(status, changes, "each change once\n{output}");
    let said: Vec<&Value> = events.iter().filter(|event| event["type"] == "message").collect();
    let kinds = said.iter().map(|event| &event["message"]["message_type"]).collect::<Vec<_>>();
    assert_eq!(kinds, ["user_message", "assistant_message"], "{output}");
    assert_eq!(said[1]["message"]["content"], fixture.said(slow), "{output}");
    let facts = &events.last().expect("an event")["run"]["_agentctl"];
    assert_eq!(facts["outcome"], "succeeded", "{output}");
    assert!(facts["duration_ns"].as_u64() >= Some(2_000_000_000), "{output}");
}

/// A time without an offset is one of UTC.
fn time(time: &Value) -> DateTime {
    time.as_str().expect("a time").trim_end_matches('Z').parse().expect("a time of UTC")
}

fn a_message_can_wait_until_the_agent_is_idle(fixture: &Fixture) {
    let first = fixture.start(Behaviour::Slow(2));
    let second = fixture.follow(Behaviour::Reply("hello"), &["--when-idle"]);
    assert_eq!(second.code(), 0, "{second}");
    let ended = fixture.look(&first.id);
    assert_eq!(ended["status"], "completed", "{ended}");
    assert!(time(&ended["completed_at"]) <= time(&second.document()["created_at"]), "{ended}\n{second}");
    first.settle();
}

fn a_timeout_stops_the_watching_only(fixture: &Fixture) {
    let started = fixture.start(Behaviour::Slow(4));
    let began = Instant::now();
    let output = fixture.agentctl(&["watch", &started.id, "--timeout", "500ms"]).run();
    assert_eq!(output.code(), 124, "{output}");
    assert!(began.elapsed() < Duration::from_secs(3), "it does not wait for the run\n{output}");
    assert_eq!((&output.document()["id"], &output.document()["completed_at"]), (&json!(started.id), &Value::Null));
    assert_eq!(output.document()["_agentctl"]["outcome"], "open", "{output}");
    assert_eq!(output.error()["code"], "timeout", "{output}");
    let resumed = fixture.agentctl(&["watch", &started.id]).run();
    assert_eq!((resumed.code(), &resumed.document()["status"]), (0, &json!("completed")), "{resumed}");
    started.settle();
}

fn a_pipe_carries_the_run_to_watch(fixture: &Fixture) {
    let reply = Behaviour::Reply("hello");
    let pipe = r#"agentctl send $WHERE --agent "$AGENT" -m "$TEXT" | agentctl watch $WHERE -"#;
    let output = fixture.bash(pipe, reply).run();
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
    let variable = r#"r=$(agentctl send $WHERE --agent "$AGENT" -m "$TEXT"); agentctl watch $WHERE "$r" --reply"#;
    let output = fixture.bash(variable, reply).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{}\n", fixture.said(reply))));
    let failed = fixture.bash(pipe, Behaviour::Fail).run();
    assert_eq!((failed.code(), &failed.document()["_agentctl"]["outcome"]), (1, &json!("failed")), "{failed}");
}

fn two_runs_at_once_are_watched_together(fixture: &Fixture) {
    let other = fixture.another_agent();
    let runs = [fixture.start(Behaviour::Slow(2)), fixture.start_on(&other, Behaviour::Fail)];
    let output = fixture.agentctl(&["watch", &runs[0].id, &runs[1].id]).run();
    assert_eq!(output.code(), 1, "{output}");
    let ended = output.documents();
    assert_eq!(words(&ended, "status"), ["failed", "completed"], "as they end\n{output}");
    assert_eq!(words(&ended, "id"), [runs[1].id.as_str(), &runs[0].id], "{output}");
    let last = output.stderr.lines().last().expect("a line");
    assert!(["2 runs", "1 succeeded", "1 failed"].iter().all(|part| last.contains(part)), "{output}");
    runs.into_iter().for_each(Started::settle);
}

fn the_active_runs_of_an_agent_are_watched(fixture: &Fixture) {
    let started = fixture.start(Behaviour::Slow(1));
    let output = fixture.agentctl(&["watch", "--agent", fixture.agent()]).run();
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(started.id)), "{output}");
    started.settle();
}
