//! `--jq` and `--pretty` apply to every JSON document that a command prints.

use serde_json::{Value, json};

use crate::support::letta::{self, RUN, SEND, WATCH, run_answer};
use crate::support::{Answer, Mock, Output, TestEnv, agentctl};

/// Runs the program once, with a filter.
fn filtered(server: &Mock, line: &str, filter: &str) -> Output {
    TestEnv::new().agentctl(line.split(' ').chain(["--jq", filter])).server(&server.url()).run()
}

/// A server that answers every command.
fn everything() -> Mock {
    let mock = letta::done();
    let agent = json!({"id": letta::AGENT, "name": "tester"});
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([letta::run("completed", Some("end_turn"))]))]);
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([agent]))]);
    mock.on("POST", "/v1/agents/", [Answer::json(200, &agent)]);
    mock.on("GET", &format!("/v1/agents/{}", letta::AGENT), [Answer::json(200, &agent)]);
    mock
}

/// Commands that print JSON, each with a word of what they print.
fn commands() -> Vec<(String, &'static str)> {
    let agent = letta::AGENT;
    vec![
        (SEND.to_owned(), RUN),
        (format!("{SEND} --watch"), RUN),
        (format!("{SEND} --events"), "submitted"),
        (format!("{SEND} --dry-run"), "POST"),
        (format!("{SEND} --follow"), "assistant_message"),
        (WATCH.to_owned(), RUN),
        (format!("{WATCH} --events"), "ended"),
        (format!("status {RUN}"), RUN),
        (format!("cancel {RUN}"), RUN),
        (format!("messages {RUN}"), "assistant_message"),
        ("agents list".to_owned(), agent),
        (format!("agents show {agent}"), agent),
        ("agents create --name tester".to_owned(), agent),
        ("list".to_owned(), RUN),
        (format!("api GET agents/{agent}"), agent),
    ]
}

#[test]
fn every_command_that_prints_json_filters_it() {
    for (line, word) in commands() {
        let output = filtered(&everything(), &line, r#""<" + tojson + ">""#);
        assert_eq!(output.code(), 0, "{line}\n{output}");
        assert!(output.stdout.contains(word), "{line}\n{output}");
        assert!(output.stdout.lines().all(|line| line.starts_with('<') && line.ends_with('>')), "{line}\n{output}");
    }
}

#[test]
fn output_for_people_is_json_if_it_is_filtered() {
    for (line, filter) in [("doctor", ".check"), ("config list", ".key"), ("schema run", ".title")] {
        let output = filtered(&everything(), line, filter);
        assert_eq!(output.code(), 0, "{output}");
        assert!(output.stdout.lines().all(|line| line.chars().all(|c| c.is_alphanumeric() || c == '_')), "{output}");
    }
}

#[test]
fn every_command_that_prints_json_indents_it() {
    for (line, word) in commands() {
        let plain = agentctl(&everything(), &line);
        let output = agentctl(&everything(), &format!("{line} --pretty"));
        let documents = serde_json::Deserializer::from_str(&output.stdout).into_iter::<Value>();
        assert_eq!(documents.count(), plain.documents().len(), "{line}\n{output}");
        assert!(output.stdout.starts_with("{\n  \"") && output.stdout.contains(word), "{line}\n{output}");
    }
}

#[test]
fn a_bad_filter_is_found_before_anything_is_sent() {
    for (filter, place) in [(".a |", "character 5"), ("nope", "character 1"), ("$ENV", "character 1")] {
        let mock = letta::done();
        let output = filtered(&mock, SEND, filter);
        assert_eq!((output.code(), mock.connections()), (2, 0), "{output}");
        let message = output.error()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("--jq") && message.contains(place), "{message}");
    }
}

#[test]
fn a_filter_is_for_json_only() {
    for flags in ["-o human", "-o id", "-o none", "--reply", "--curl"] {
        let mock = letta::done();
        let output = filtered(&mock, &format!("{SEND} {flags}"), ".id");
        assert_eq!((output.code(), mock.connections()), (2, 0), "{flags}\n{output}");
    }
    let output = filtered(&letta::done(), &format!("messages {RUN} --reply"), ".id");
    assert_eq!(output.code(), 2, "{output}");
    let output = filtered(&letta::done(), &format!("{SEND} -o json"), ".id");
    assert_eq!((output.code(), output.stdout), (0, format!("{RUN}\n")));
}

#[test]
fn a_filter_that_fails_on_one_document_is_reported_and_the_others_are_printed() {
    let mock = letta::done();
    let other = "run-33333333-3333-4333-8333-333333333333";
    let mut run = letta::run("completed", Some("end_turn"));
    (run["id"], run["metadata"]) = (other.into(), json!([]));
    mock.on("GET", &format!("/v1/runs/{other}"), [Answer::json(200, &run)]);
    let output = filtered(&mock, &format!("status {other} {RUN}"), ".id, .metadata.run_type");
    assert_eq!(output.code(), 13, "{output}");
    assert_eq!(output.stdout, format!("{other}\n{RUN}\nsend_message_async\n"), "{output}");
    let error = output.error();
    assert_eq!((&error["code"], &error["run_id"]), (&json!("jq"), &json!(other)), "{output}");
}

#[test]
fn a_filter_that_fails_on_every_document_is_reported_once_with_a_count() {
    let ids = ["run-33333333", "run-44444444", "run-55555555"];
    let mock = letta::done();
    let runs = ids.map(|id| {
        let mut run = letta::run("completed", Some("end_turn"));
        run["id"] = id.into();
        run
    });
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!(runs))]);
    let output = filtered(&mock, "list", ".id.x");
    assert_eq!((output.code(), output.stdout.as_str()), (13, ""), "{output}");
    let [error, rest] = output.stderr.lines().collect::<Vec<_>>()[..] else { panic!("{output}") };
    let error: Value = serde_json::from_str(error).expect("an error");
    assert_eq!((&error["error"]["code"], &error["error"]["run_id"]), (&json!("jq"), &json!(ids[0])), "{output}");
    assert_eq!(rest, "the --jq filter failed likewise on 2 more documents", "{output}");
    // Each different failure is reported.
    let output = filtered(&mock, "list", r#"if .id == "run-44444444" then 1 + .id else .id.x end"#);
    assert_eq!((output.code(), output.stderr.matches("\"jq\"").count()), (13, 2), "{output}");
}

#[test]
fn large_numbers_and_the_order_of_keys_pass_through() {
    let mock = letta::done();
    let run = format!(r#"{{"id":"{RUN}","status":"completed","zz":9007199254740993,"a":{{"y":1.50,"b":[]}}}}"#);
    mock.on("GET", letta::RUN_PATH, [Answer::body(200, "application/json", run.clone())]);
    let output = filtered(&mock, &format!("status {RUN}"), ".");
    assert_eq!(output.stdout, format!("{run}\n"));
    let output = filtered(&mock, &format!("status {RUN} --pretty"), "{zz, a}");
    let expected = "{\n  \"zz\": 9007199254740993,\n  \"a\": {\n    \"y\": 1.50,\n    \"b\": []\n  }\n}\n";
    assert_eq!(output.stdout, expected, "{output}");
}

#[test]
fn a_filter_may_print_nothing_and_the_exit_code_still_follows_the_run() {
    let output = filtered(&letta::letta([run_answer("cancelled", Some("cancelled"))]), WATCH, "empty");
    assert_eq!((output.code(), output.stdout.as_str()), (3, ""), "{output}");
}
