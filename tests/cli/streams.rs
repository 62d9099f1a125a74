//! Standard output and standard error: what each carries, and secrets that neither does.

use std::fs::OpenOptions;

use serde_json::{Value, json};

use crate::support::letta::{self, POST_PATH, RUN, RUN_PATH, SEND, WATCH, run_answer};
use crate::support::process::Process;
use crate::support::{Answer, TestEnv, agentctl};

/// A key that must not be seen anywhere but in the header that it is for.
const CANARY: &str = "sk-canary-0123456789";

#[test]
fn an_error_is_json_in_a_pipe_and_text_for_people() {
    let mock = letta::letta([Answer::json(404, &json!({"detail": "Run not found"}))]);
    let output = agentctl(&mock, &format!("status {RUN}"));
    let error = output.error();
    assert_eq!((&error["code"], &error["exit"], &error["http_status"]), (&json!("not_found"), &json!(5), &json!(404)));
    assert_eq!((&error["run_id"], &error["retryable"]), (&json!(RUN), &json!(false)), "{output}");
    let human = agentctl(&mock, &format!("status {RUN} -o human"));
    let lines: Vec<&str> = human.stderr.lines().collect();
    assert!(lines[0].starts_with("error: ") && lines[1].starts_with("  caused by: "), "{human}");
    assert!(lines[1].contains("Run not found") && lines[0].contains(&mock.url()), "{human}");
    assert!(lines.iter().any(|line| line.starts_with("  hint: ")), "{human}");
    assert!(human.stderr.contains(RUN) && human.stdout.is_empty(), "{human}");
}

#[test]
fn an_environment_variable_does_not_change_what_a_pipe_carries() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let output = env.agentctl(SEND.split(' ')).server(&mock.url()).env("AGENTCTL_OUTPUT", "human").run();
    assert_eq!(output.document()["id"], RUN, "{output}");
}

#[test]
fn a_reader_that_went_away_ends_the_program_quietly() {
    let mock = letta::done();
    for line in [SEND, WATCH, "completions bash", "man", "--help", "agents list"] {
        mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([{"id": letta::AGENT}]))]);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let env = TestEnv::new();
        let output = env.agentctl(line.split(' ')).server(&mock.url()).stdout_to(writer).run();
        assert_eq!(output.code(), 0, "{line}\n{output}");
        assert!(!output.stderr.contains("error") && !output.stderr.contains("panicked"), "{line}\n{output}");
    }
}

#[test]
fn a_full_disk_does_not_swallow_the_id() {
    for line in [SEND.to_owned(), WATCH.to_owned(), format!("{SEND} --watch")] {
        let (env, mock) = (TestEnv::new(), letta::done());
        let full = OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
        let output = env.agentctl(line.split(' ')).server(&mock.url()).stdout_to(full).run();
        assert_eq!(output.code(), 13, "{line}\n{output}");
        assert!(output.stderr.contains(RUN), "{line}\n{output}");
    }
}

#[test]
fn quiet_leaves_only_errors() {
    let looks = [run_answer("running", None), Answer::status(503), run_answer("completed", Some("end_turn"))];
    let output = agentctl(&letta::letta(looks), &format!("{WATCH} --interval 50ms -q"));
    assert_eq!((output.code(), output.stderr.as_str(), output.documents().len()), (0, "", 1), "{output}");
    let output = agentctl(&letta::letta([Answer::status(404)]), &format!("{WATCH} -q"));
    assert_eq!((output.code(), output.stderr.lines().count()), (5, 1), "{output}");
}

#[test]
fn colour_is_for_terminals_or_on_request() {
    let colour = |flags: &str, name: &str, value: &str| {
        let (env, mock) = (TestEnv::new(), letta::letta([Answer::json(200, &letta::failed("it broke"))]));
        let line = format!("{WATCH} -o human {flags}");
        env.agentctl(line.trim_end().split(' ')).server(&mock.url()).env(name, value).run().stdout.contains('\u{1b}')
    };
    assert!(!colour("", "TERM", "xterm-256color"), "not in a pipe");
    assert!(colour("--color always", "TERM", "xterm-256color"));
    assert!(colour("--color always", "NO_COLOR", "1"), "a flag is stronger than the environment");
    assert!(colour("", "CLICOLOR_FORCE", "1"));
    assert!(!colour("", "CLICOLOR_FORCE", "0"));
    assert!(!colour("--color never", "CLICOLOR_FORCE", "1"));
}

/// Characters that move a cursor, hide, reorder or disguise text.
const HOSTILE: &str = "a\u{1b}[31mb\u{9b}2Jc\u{7}d\u{202e}e\u{200b}f\u{2066}g\u{8}h\rI\u{feff}j\u{1b}]0;title\u{7}k";

#[test]
fn text_from_the_network_never_reaches_people_raw() {
    let mut failed = letta::failed(HOSTILE);
    failed["status"] = "failed".into();
    failed["stop_reason"] = HOSTILE.into();
    let mock = letta::letta([Answer::json(200, &failed)]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &letta::messages("hi", HOSTILE))]);
    mock.on(
        "GET",
        "/v1/agents/",
        [Answer::json(200, &json!([{"id": letta::AGENT, "name": HOSTILE, "model": HOSTILE}]))],
    );
    mock.on("POST", POST_PATH, [Answer::json(422, &json!({"detail": HOSTILE}))]);
    let looks = [format!("status {RUN}"), WATCH.to_owned(), format!("{WATCH} --follow"), format!("messages {RUN}")];
    for line in looks.into_iter().chain(["agents list".to_owned(), SEND.to_owned()]) {
        let human = agentctl(&mock, &format!("{line} -o human"));
        let shown = format!("{}{}", human.stdout, human.stderr);
        let raw = shown.chars().find(|c| {
            (c.is_control() && *c != '\n') || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        });
        assert_eq!(raw, None, "{line}\n{shown:?}");
        assert!(shown.contains(r"\u{1b}"), "it is shown, escaped: {line}\n{shown}");
        let piped = agentctl(&mock, &format!("{line} -o json"));
        for text in piped.stdout.lines().chain(piped.stderr.lines().filter(|line| line.starts_with('{'))) {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
            assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{7}', '\u{8}']), "{line}\n{text:?}");
        }
    }
    let verbose = agentctl(&mock, &format!("status {RUN} -vv"));
    assert!(!verbose.stderr.contains('\u{1b}') && !verbose.stderr.contains('\u{202e}'), "{:?}", verbose.stderr);
}

#[test]
fn json_keeps_the_text_that_is_hidden_from_people() {
    let mock = letta::done();
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &letta::messages("hi", HOSTILE))]);
    let output = agentctl(&mock, &format!("messages {RUN}"));
    assert_eq!(output.documents()[1]["content"], HOSTILE, "{output}");
}

/// Sends with the canary as the key, and with the settings of the test.
fn with_canary(line: &str, url: &str, prepare: impl FnOnce(Process) -> Process) -> crate::support::Output {
    let env = TestEnv::new();
    let process = env.agentctl(line.split(' ')).env("LETTA_BASE_URL", url).env("LETTA_API_KEY", CANARY);
    prepare(process).run()
}

#[test]
fn the_key_is_in_its_header_and_nowhere_else() {
    let mock = letta::letta([run_answer("running", None), Answer::status(401)]);
    mock.on("GET", "/v1/agents/", [Answer::json(401, &json!({"detail": format!("bad key Bearer {CANARY}")}))]);
    for flags in ["", "-vv", "--curl", "--dry-run", "--dry-run -vv", "--watch -vv --interval 50ms", "-o human -vv"] {
        let output = with_canary(format!("{SEND} {flags}").trim_end(), &mock.url(), |process| process);
        assert!(!output.to_string().contains(CANARY), "{flags}\n{output}");
    }
    assert!(mock.seen("POST").iter().all(|post| post.header("authorization") == Some(&format!("Bearer {CANARY}"))));
    assert!(mock.requests().iter().all(|request| !request.body.contains(CANARY) && !request.query.contains(CANARY)));
    let output = with_canary(&format!("{SEND} --api-key-file key"), "http://127.0.0.1:9", |process| process);
    assert!(!output.to_string().contains(CANARY), "{output}");
}

#[test]
fn a_key_file_is_read_and_kept_secret() {
    let (env, mock) = (TestEnv::new(), letta::done());
    env.write("key", format!("{CANARY}\nsecond line\n"));
    let output = env.agentctl(["status", RUN, "--api-key-file", "key", "-vv"]).server(&mock.url()).run();
    assert_eq!((output.code(), output.to_string().contains(CANARY)), (0, false), "{output}");
    assert_eq!(mock.requests()[0].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
    let piped = format!("agentctl status {RUN} --api-key-file <(printf '{CANARY}')");
    assert_eq!(env.bash(&piped).server(&mock.url()).run().code(), 0);
    assert_eq!(mock.requests()[1].header("authorization"), Some(format!("Bearer {CANARY}").as_str()));
}

#[test]
fn verbose_tells_settings_and_exchanges() {
    let output = agentctl(&letta::done(), &format!("status {RUN} -v"));
    for part in ["LETTA_BASE_URL", "LETTA_API_KEY", &format!("GET {RUN_PATH}"), "200"] {
        assert!(output.stderr.contains(part), "{part}\n{output}");
    }
    assert_eq!(output.document()["id"], RUN, "stdout stays clean");
}

#[test]
fn every_document_is_one_line_however_long() {
    let mut run = letta::run("completed", Some("end_turn"));
    run["metadata"]["long"] = "x".repeat(300_000).into();
    run["metadata"]["lines"] = "a\nb\u{2028}c\u{85}d".into();
    let output = agentctl(&letta::letta([Answer::json(200, &run)]), &format!("status {RUN}"));
    assert_eq!(output.stdout.matches('\n').count(), 1);
    assert_eq!(output.document()["metadata"], run["metadata"]);
}

#[test]
fn off_a_terminal_there_is_no_escape_code_and_no_redraw() {
    let looks = [run_answer("created", None), run_answer("running", None), run_answer("completed", Some("end_turn"))];
    let output = agentctl(&letta::letta(looks), &format!("{WATCH} --interval 50ms"));
    assert!(!output.stderr.contains(['\u{1b}', '\r']), "{:?}", output.stderr);
    for word in ["created", "running", "succeeded"] {
        assert!(output.stderr.contains(word), "{word}\n{output}");
    }
}

#[test]
fn a_locale_without_unicode_gets_ascii() {
    let (env, mock) = (TestEnv::new(), letta::done());
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &letta::messages("hi", "grün → 😀"))]);
    let process = env.agentctl(["watch", RUN, "-o", "human"]).server(&mock.url());
    let output = process.env("LC_ALL", "C").run();
    assert!(output.code() == 0 && output.stdout.is_ascii() && output.stderr.is_ascii(), "{output}");
}
