//! `status`, `messages` and `agents` print the current state.

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, RUN_PATH, message, run_answer};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, Output, TestEnv, agentctl};

const SECOND: &str = "run-66666666-6666-4666-8666-666666666666";

/// Two runs, the second of which failed.
fn two_runs() -> Mock {
    let mock = letta::done();
    let mut failed = letta::failed("it broke");
    failed["id"] = SECOND.into();
    mock.on("GET", &format!("/v1/runs/{SECOND}"), [Answer::json(200, &failed)]);
    mock
}

#[test]
fn status_is_exit_0_whatever_the_runs_are() {
    for (status, stop_reason) in [("created", None), ("failed", Some("error")), ("cancelled", Some("cancelled"))] {
        let output = agentctl(&letta::letta([run_answer(status, stop_reason)]), &format!("status {RUN}"));
        assert_eq!((output.code(), &output.document()["status"]), (0, &json!(status)), "{output}");
        assert_eq!(output.document().get("_agentctl"), None, "{output}");
    }
}

#[test]
fn status_answers_as_watch_does_where_asked_to() {
    for (status, stop_reason, code) in [
        ("completed", Some("end_turn"), 0),
        ("completed", Some("max_steps"), 0),
        ("completed", Some("requires_approval"), 6),
        ("failed", Some("error"), 1),
        ("cancelled", Some("cancelled"), 3),
        ("running", None, 8),
    ] {
        let output = agentctl(&letta::letta([run_answer(status, stop_reason)]), &format!("status {RUN} --exit-status"));
        assert_eq!(output.code(), code, "{output}");
    }
}

#[test]
fn status_prints_runs_in_the_order_in_which_they_were_named() {
    let output = agentctl(&two_runs(), &format!("status {SECOND} {RUN} -o id"));
    assert_eq!((output.code(), output.stdout), (0, format!("{SECOND}\n{RUN}\n")));
}

#[test]
fn one_missing_run_does_not_hide_the_others() {
    let output = agentctl(&two_runs(), &format!("status {RUN} run-99999999 {SECOND}"));
    assert_eq!((output.code(), output.documents().len()), (5, 2), "{output}");
    assert_eq!(output.error()["run_id"], "run-99999999", "{output}");
}

#[test]
fn one_run_is_a_card_and_several_are_a_table() {
    let card = agentctl(&two_runs(), &format!("status {SECOND} -o human"));
    for word in [SECOND, "failed", "it broke", AGENT] {
        assert!(card.stdout.contains(word), "{word}\n{card}");
    }
    let table = agentctl(&two_runs(), &format!("status {RUN} {SECOND} -o human"));
    assert!(table.stdout.contains(RUN) && table.stdout.contains(SECOND), "ids are never cut\n{table}");
    assert!(table.stdout.lines().all(|line| line.chars().count() <= 100), "COLUMNS is kept\n{table}");
}

#[test]
fn the_card_of_an_open_run_ends_with_what_to_do_next() {
    let output = agentctl(&letta::letta([run_answer("running", None)]), &format!("status {RUN} -o human"));
    assert!(output.stdout.contains(&format!("agentctl watch {RUN}")), "{output}");
}

#[test]
fn a_null_ttft_reads_not_available() {
    let output = agentctl(&letta::done(), &format!("status {RUN} -o human"));
    let line = output.stdout.lines().find(|line| line.contains("ttft")).unwrap_or_else(|| panic!("{output}"));
    assert!(line.contains("n/a"), "{output}");
}

/// The messages of a run with one of each that people meet.
fn talk() -> Mock {
    let mock = letta::done();
    let call = json!({"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}", "tool_call_id": "call_1"});
    let mut tool = message("tool_call_message", "");
    tool["tool_call"] = call.clone();
    tool["tool_calls"] = json!([call]);
    let said = json!([
        message("user_message", "rain?"),
        tool,
        message("assistant_message", "No rain."),
        message("of_tomorrow", "?")
    ]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &said)]);
    mock
}

#[test]
fn messages_are_documents_in_a_pipe() {
    let output = agentctl(&talk(), &format!("messages {RUN}"));
    let documents = output.documents();
    let kinds: Vec<&str> = documents.iter().filter_map(|one| one["message_type"].as_str()).collect();
    assert_eq!(kinds, ["user_message", "tool_call_message", "assistant_message", "of_tomorrow"], "{output}");
    let output = agentctl(&talk(), &format!("messages {RUN} --type tool_call_message --type user_message"));
    assert_eq!(output.documents().len(), 2, "{output}");
}

#[test]
fn messages_are_a_transcript_for_people() {
    let output = agentctl(&talk(), &format!("messages {RUN} -o human"));
    let places: Vec<usize> =
        ["rain?", "get_weather", "Oslo", "No rain."].iter().filter_map(|word| output.stdout.find(word)).collect();
    assert!(places.len() == 4 && places.is_sorted(), "{output}");
}

fn agent(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini", "created_at": "2026-11-23T14:56:08Z", "n": 1.5})
}

fn agents(line: &str) -> (Output, Mock) {
    let mock = Mock::start();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([agent(AGENT, "helper")]))]);
    mock.on("POST", "/v1/agents/", [Answer::json(200, &agent(AGENT, "helper"))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &agent(AGENT, "helper"))]);
    mock.on("DELETE", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &json!({"message": "deleted"}))]);
    (agentctl(&mock, &format!("agents {line}")), mock)
}

#[test]
fn agents_are_listed_and_shown() {
    for line in ["list", &format!("show {AGENT}"), "show helper"] {
        let (output, _) = agents(line);
        assert_eq!((output.code(), output.document()), (0, agent(AGENT, "helper")), "{line}\n{output}");
        let (human, _) = agents(&format!("{line} -o human"));
        assert!(human.stdout.contains(AGENT) && human.stdout.contains("helper"), "{line}\n{human}");
    }
}

#[test]
fn an_agent_is_created_with_the_given_fields_only() {
    let (output, mock) =
        agents("create --name helper --model openai/gpt-4o-mini --system Brief. --agent-type letta_v1_agent -o id");
    assert_eq!((output.code(), output.stdout), (0, format!("{AGENT}\n")));
    let expected =
        json!({"name": "helper", "model": "openai/gpt-4o-mini", "system": "Brief.", "agent_type": "letta_v1_agent"});
    assert_eq!(mock.seen("POST")[0].json(), expected);
    assert_eq!(agents("create --name helper").1.seen("POST")[0].json(), json!({"name": "helper"}));
    assert_eq!(agents("create").0.code(), 2);
}

#[test]
fn an_agent_is_deleted_by_id_or_by_name() {
    for who in [AGENT, "helper"] {
        let (output, mock) = agents(&format!("delete {who}"));
        assert_eq!((output.code(), mock.seen("DELETE").len()), (0, 1), "{output}");
        assert_eq!(mock.seen("DELETE")[0].path, format!("/v1/agents/{AGENT}"));
    }
    let (output, mock) = agents("delete nobody");
    assert_eq!((output.code(), mock.seen("DELETE").len()), (5, 0), "{output}");
}

#[test]
fn an_agent_that_is_missing_is_exit_5() {
    let output = agentctl(&Mock::start(), &format!("agents show {AGENT}"));
    assert_eq!((output.code(), output.stdout.as_str()), (5, ""), "{output}");
}

#[test]
fn a_creation_that_may_have_happened_is_exit_10() {
    let mock = Mock::start();
    mock.on("POST", "/v1/agents/", [Answer::close()]);
    let output = agentctl(&mock, "agents create --name helper");
    assert_eq!((output.code(), mock.seen("POST").len()), (10, 1), "{output}");
}

#[test]
fn the_version_names_the_commit_and_the_welcome_how_to_begin() {
    let env = TestEnv::new();
    let version = env.agentctl(["--version"]).run();
    assert!(version.code() == 0 && version.stdout.starts_with("agentctl 0."), "{version}");
    let welcome = Pty::agentctl(&env, [""; 0]).spawn().wait();
    assert!(welcome.code == 0, "{}", welcome.raw());
    assert!(welcome.raw().contains("agentctl send --local"), "{}", welcome.raw());
    assert_eq!(env.agentctl([""; 0]).run().code(), 2, "a script that forgot the command made a mistake");
}
