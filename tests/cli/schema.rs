//! `schema`: the printed schemas describe the documents that are really printed, sent and read.

use std::fs;
use std::path::Path;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, SEND, WATCH, run_answer};
use crate::support::{Answer, Mock, Output, TestEnv, agentctl};

/// The validator of a schema as the program prints it.
fn schema(name: &str) -> Validator {
    let output = TestEnv::new().agentctl(["schema", name]).run();
    assert_eq!(output.code(), 0, "{output}");
    let schema: Value = serde_json::from_str(&output.stdout).expect("JSON");
    jsonschema::draft202012::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn check(schema: &Validator, document: &Value) {
    let errors: Vec<String> =
        schema.iter_errors(document).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{document:#}");
}

fn check_all(schema: &Validator, output: &Output) {
    let documents = output.documents();
    assert!(!documents.is_empty(), "{output}");
    documents.iter().for_each(|document| check(schema, document));
}

#[test]
fn an_unknown_schema_is_refused_with_the_known_names() {
    let output = TestEnv::new().agentctl(["schema", "nope"]).run();
    assert_eq!(output.code(), 2, "{output}");
    for name in ["request", "run", "batch-line", "batch-result", "event", "error"] {
        assert!(output.stderr.contains(name), "{name}\n{output}");
    }
}

#[test]
fn a_run_is_what_the_schema_says() {
    let env = TestEnv::new();
    let run = schema("run");
    let local = |args: &str| env.agentctl(args.split(' ').chain(["--local"])).run();
    for line in ["send -m hi", "send -m hi --wait", "status @last", "watch @last", "cancel @last"] {
        check_all(&run, &local(line));
    }
    for (status, reason) in [("failed", Some("error")), ("paused", Some("tomorrow")), ("completed", None)] {
        let looked = agentctl(&letta::letta([run_answer(status, reason)]), &format!("status {RUN}"));
        check_all(&run, &looked);
    }
}

#[test]
fn the_recorded_runs_of_a_real_server_are_what_the_schema_says() {
    let run = schema("run");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the samples") {
        let text = fs::read_to_string(entry.expect("an entry").path()).unwrap_or_default();
        let Ok(value) = serde_json::from_str::<Value>(&text) else { continue };
        let values = value.as_array().cloned().unwrap_or_else(|| vec![value]);
        for value in values.iter().filter(|value| value["request_config"].is_object()) {
            check(&run, value);
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} runs");
}

#[test]
fn an_answer_that_is_not_a_run_is_rejected() {
    let run = schema("run");
    for document in [json!({}), json!({"id": "run-1"}), json!({"id": RUN, "_agentctl": {"outcome": "superb"}})] {
        assert!(!run.is_valid(&document), "{document}");
    }
}

#[test]
fn events_are_what_the_schema_says() {
    let event = schema("event");
    let outage = [run_answer("running", None), Answer::status(503), run_answer("completed", Some("end_turn"))];
    for (mock, line) in [
        (letta::done(), format!("{SEND} --events")),
        (letta::letta(outage), format!("{WATCH} --events --interval 50ms")),
        (Mock::start(), format!("{WATCH} --events")),
    ] {
        let output = agentctl(&mock, &line);
        check_all(&event, &output);
    }
    assert!(!event.is_valid(&json!({"v": 1, "time": "2026-11-23T14:59:20Z", "type": "ended", "run_id": RUN})));
}

#[test]
fn errors_are_what_the_schema_says() {
    let error = schema("error");
    let cases = [
        (Mock::start(), format!("status {RUN}"), 5),
        (letta::done(), "send -m".to_owned(), 2),
        (letta::letta([Answer::status(401)]), format!("status {RUN}"), 4),
        (letta::letta([Answer::body(200, "text/html", "<title>hi</title>")]), format!("status {RUN}"), 11),
        (letta::done(), format!("{SEND} --jq nope"), 2),
        (letta::done(), format!("status {RUN} --jq .id.x"), 13),
        (Mock::start(), "api GET nowhere".to_owned(), 5),
        (Mock::start(), "api GET ../nowhere".to_owned(), 2),
        (Mock::start(), "schema nope".to_owned(), 2),
        (Mock::start(), "completions nope".to_owned(), 2),
        (Mock::start(), "man nope".to_owned(), 2),
        (Mock::start(), "help nope".to_owned(), 2),
        (Mock::start(), "man --out /dev/null/x".to_owned(), 13),
    ];
    for (mock, line, exit) in cases {
        let output = agentctl(&mock, &line);
        assert_eq!(output.code(), exit, "{output}");
        let document: Value = serde_json::from_str(output.stderr.lines().last().expect("a line")).expect("JSON");
        check(&error, &document);
        assert_eq!(document["error"]["exit"], exit);
    }
    assert!(!error.is_valid(&json!({"error": {"code": "x"}})));
}

/// The body that a command line would send.
fn body(line: &str) -> Value {
    let output = TestEnv::new().agentctl(line.split(' ').chain(["--dry-run", "--agent", AGENT])).run();
    assert_eq!(output.code(), 0, "{output}");
    output.document()["body"].take()
}

#[test]
fn requests_are_what_the_schema_says() {
    let request = schema("request");
    for line in [
        "send -m hi",
        "send -m hi -m there --role system",
        "send --set input=hi",
        "send -m look --image https://example.com/cat.png",
        "send -m hi --max-steps 3 --use-assistant-message=false --enable-thinking --return-types a,b",
        "send -m hi --callback-url http://localhost/x --override-model m --set-json new.field=[1]",
    ] {
        check(&request, &body(line));
    }
    for bad in [json!({}), json!({"messages": []}), json!({"input": ""}), json!({"input": "a", "messages": [{}]})] {
        assert!(!request.is_valid(&bad), "{bad}");
    }
    let mut wrong = body("send -m hi --enable-thinking");
    wrong["enable_thinking"] = json!(true);
    assert!(!request.is_valid(&wrong));
}

#[test]
fn lines_of_a_batch_are_what_the_schema_says() {
    let line = schema("batch-line");
    let result = schema("batch-result");
    for good in [
        json!({"agent_id": AGENT, "message": "hi"}),
        json!({"agent_id": AGENT, "key": "a", "messages": [{"role": "user", "content": "hi"}], "max_steps": 3}),
        json!({"agent_id": AGENT, "input": "hi", "tomorrow": true}),
    ] {
        check(&line, &good);
    }
    for bad in [
        json!({"message": "hi"}),
        json!({"agent_id": AGENT}),
        json!({"agent_id": AGENT, "message": "hi", "input": "hi"}),
        json!({"agent_id": AGENT, "message": "hi", "max_steps": "many"}),
    ] {
        assert!(!line.is_valid(&bad), "{bad}");
    }
    let mut done = json!({
        "key": "1", "line": 1, "agent_id": AGENT, "run_id": RUN, "outcome": "succeeded", "status": "completed",
        "stop_reason": "end_turn", "ttft_ns": null, "duration_ns": 9_007_199_254_740_993_u64, "reply": "hi",
        "error": null, "attempts": 1,
    });
    check(&result, &done);
    done["error"] = TestEnv::new().agentctl(["status", "x"]).run().error();
    check(&result, &done);
    done["outcome"] = json!("superb");
    assert!(!result.is_valid(&done));
}
