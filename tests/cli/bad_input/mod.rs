//! Invalid input is refused in one sentence, before anything is sent, and in the documented shape.

mod error_shape;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN};
use crate::support::process::Process;
use crate::support::pty::Pty;
use crate::support::{Mock, Output, TestEnv};

/// Refusals are quick. A limit, not an expectation.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Runs a command that must be refused, and checks the promises about every refusal.
fn refused(args: &[&OsStr], code: i32, gist: &str, prepare: impl FnOnce(Process) -> Process) -> Output {
    let (env, mock) = (TestEnv::new(), letta::done());
    let began = Instant::now();
    let output = prepare(env.agentctl(args).server(&mock.url())).run();
    assert!(began.elapsed() < AT_ONCE, "{args:?} took {:?}", began.elapsed());
    check(&output, code, gist, &mock);
    output
}

fn check(output: &Output, code: i32, gist: &str, mock: &Mock) {
    let error = output.error();
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains(gist), "`{gist}` expected\n{output}");
    assert_eq!((output.code(), &error["exit"], output.stdout.as_str()), (code, &json!(code), ""), "{output}");
    assert_eq!(mock.connections(), 0, "nothing is sent\n{output}");
    assert!(!output.stderr.contains("stack backtrace") && !output.stderr.contains("panicked"), "{output}");
}

fn words<'a>(line: &'a [&'a str]) -> Vec<&'a OsStr> {
    line.iter().map(OsStr::new).collect()
}

#[test]
fn invalid_ids_never_become_part_of_a_request() {
    let long = format!("run-12345678{}", "a".repeat(57));
    for (id, gist) in [
        ("../agents", "`../agents` is not a run id"),
        ("run-1?x=1", "`run-1?x=1` is not a run id"),
        ("run-1\r\nX: y", "is not a run id"),
        (".", "`.` is not a run id"),
        ("", "is empty"),
        ("run-1234567", "is not a run id"),
        ("run-1234567g", "is not a run id"),
        ("run-12345678/messages", "is not a run id"),
        ("run-12345678%2e", "is not a run id"),
        ("RUN-12345678", "is not a run id"),
        (AGENT, "is not a run id"),
        (&long, "is not a run id"),
        ("{}", "neither `run_id` nor `id`"),
        (r#"{"id": 7}"#, "neither `run_id` nor `id`"),
        (r#"{"id": "../x"}"#, "is not a run id"),
    ] {
        for command in ["status", "watch", "messages"] {
            refused(&words(&[command, id]), 2, gist, |process| process);
        }
    }
}

#[test]
fn an_agent_id_is_taken_by_the_documented_pattern_only() {
    for (agent, gist) in [
        ("agent-123", "`agent-123` is not an agent id"),
        ("AGENT-11111111-1111-4111-8111-111111111111", "ids are lower case"),
        ("agent-11111111-1111-4111-8111-11111111111A", "ids are lower case"),
        ("agent-11111111-1111-1111-8111-111111111111", "not a version-4 UUID"),
        ("agent-11111111-1111-4111-7111-111111111111", "not a version-4 UUID"),
        ("agent-11111111-1111-4111-8111-111111111111/../x", "is not an agent id"),
        ("", "is empty"),
    ] {
        refused(&words(&["send", "--agent", agent, "-m", "hi"]), 2, gist, |process| process);
        if !agent.is_empty() {
            refused(&words(&["send", "-m", "hi"]), 2, gist, |process| process.env("LETTA_AGENT_ID", agent));
            let body = json!({"agent_id": agent, "input": "hi"}).to_string();
            refused(&words(&["send"]), 2, gist, |process| process.stdin(body));
        }
    }
}

#[test]
fn an_invalid_message_is_refused() {
    let send = ["send", "--agent", AGENT];
    for (stdin, gist) in [
        (&b""[..], "standard input was empty"),
        (b" \n", "standard input was empty"),
        (b"\xff", "is not UTF-8 (byte 1 is 0xff)"),
        (b"\xff\xfeh\0i\0", "looks like UTF-16"),
        (b"\xfe\xff\0h\0i", "looks like UTF-16"),
        (b"hello", "is not JSON"),
        (b"{\"messages\":", "is not JSON"),
        (b"{} {}", "more than one JSON document"),
        (b"{}", "neither `messages` nor `input`"),
        (b"7", "a number"),
        (b"\"\"", "empty"),
        (b"[]", "`messages` is empty"),
        (br#"{"messages": []}"#, "`messages` is empty"),
        (br#"{"messages": "hi"}"#, "must be an array"),
        (br#"{"messages": ["hi"]}"#, "must be an object"),
        (br#"{"messages": [{"role": "user", "content": ""}]}"#, "is empty"),
        (br#"{"messages": [{"role": "user", "content": []}]}"#, "is empty"),
        (br#"{"input": ""}"#, "is empty"),
        (br#"{"input": "hi", "messages": [{"role": "user", "content": "hi"}]}"#, "both `messages` and `input`"),
        (br#"{"input": "hi", "agent_id": 7}"#, "agent_id must be a string"),
    ] {
        refused(&words(&send), 2, gist, |process| process.stdin(stdin));
    }
    refused(&words(&send), 2, "standard input was empty", |process| process);
    refused(&words(&[&send[..], &["-m", ""]].concat()), 2, "empty", |process| process);
    refused(&words(&[&send[..], &["-F", "-"]].concat()), 2, "standard input was empty", |process| process);
    let nul = |process: Process| process.stdin(&b"a\0b"[..]);
    refused(&words(&[&send[..], &["-F", "-"]].concat()), 2, "contains NUL at byte 2", nul);
    refused(&words(&[&send[..], &["-F", "-", "--body", "-"]].concat()), 2, "read only once", |process| process);
}

#[test]
fn text_on_standard_input_is_answered_with_how_to_send_text() {
    let output = refused(&words(&["send", "--agent", AGENT]), 2, "is not JSON", |process| process.stdin("hello"));
    assert!(output.error()["hint"].as_str().is_some_and(|hint| hint.contains("-F -")), "{output}");
}

#[test]
fn a_closed_standard_input_is_an_empty_one() {
    let (env, mock) = (TestEnv::new(), letta::done());
    for redirection in ["<&-", "< /dev/null"] {
        let output = env.bash(&format!("agentctl send --agent {AGENT} {redirection}")).server(&mock.url()).run();
        assert_eq!((output.code(), output.stdout.as_str(), mock.connections()), (2, "", 0), "{output}");
        assert!(output.stderr.contains("no message"), "{output}");
    }
}

#[test]
fn more_than_32_mib_are_not_sent() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let send = |args: &[&str], text: Vec<u8>| {
        let process = env.agentctl(["send", "--agent", AGENT].iter().chain(args)).server(&mock.url());
        check(&process.stdin(text).run(), 2, "larger than 32 MiB", &mock);
    };
    let large = vec![b'a'; (32 << 20) + 1];
    send(&[], large.clone());
    send(&["-F", "-"], large);
    // Text within the limit may exceed it once it is escaped as JSON.
    send(&["-F", "-"], vec![b'"'; 20 << 20]);
}

#[test]
fn an_endless_input_is_not_read_to_its_end() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let output = env.bash(&format!("agentctl send --agent {AGENT} < /dev/zero")).server(&mock.url()).run();
    assert_eq!((output.code(), mock.connections()), (2, 0), "{output}");
}

#[test]
fn flags_with_impossible_values_are_refused() {
    let send = |more: &[&str]| -> Vec<OsString> {
        ["send", "--agent", AGENT, "-m", "x"].iter().chain(more).map(OsString::from).collect()
    };
    let watch = |more: &[&str]| -> Vec<OsString> { ["watch", RUN].iter().chain(more).map(OsString::from).collect() };
    for (args, gist) in [
        (send(&["--max-steps", "0"]), "must be 1 or more"),
        (send(&["--max-steps", "-1"]), "must be 1 or more"),
        (send(&["--max-steps", "many"]), "must be 1 or more"),
        (send(&["--callback-url", "file:///etc/passwd"]), "must be http or https"),
        (send(&["--callback-url", "nonsense"]), "is not a URL"),
        (send(&["--role", "tool"]), "--role"),
        (send(&["--set", "nonsense"]), "KEY=VALUE"),
        (send(&["--set-json", "a={"]), "is not JSON"),
        (send(&["--use-assistant-message=perhaps"]), "--use-assistant-message"),
        (send(&["--timeout", "5s"]), "--timeout"),
        (send(&["--strict"]), "--strict"),
        (send(&["--dry-run", "--curl"]), "--dry-run"),
        (send(&["--reply", "-o", "json"]), "--reply"),
        (send(&["-o", "yaml"]), "yaml"),
        (send(&["--no-such-flag"]), "--no-such-flag"),
        (watch(&["--timeout", "5x"]), "5x"),
        (watch(&["--timeout", "99999999999999999999s"]), "--timeout"),
        (watch(&["--timeout", "-1s"]), "-1"),
        (watch(&["--interval", "0s"]), "--interval"),
        (watch(&["--reply", "-o", "json"]), "--reply"),
        (watch(&[RUN, "run-12345678", "--reply"]), "--reply"),
        (watch(&["--agent", AGENT]), "--agent"),
        (vec!["watch".into()], "RUN"),
        (vec!["watch".into(), "@last".into()], "@last"),
        (vec!["nonsense".into()], "nonsense"),
    ] {
        let args: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
        refused(&args, 2, gist, |process| process);
    }
}

#[test]
fn arguments_that_are_not_text_are_refused() {
    let odd = OsStr::from_bytes(b"run-\xff");
    refused(&[OsStr::new("watch"), odd], 2, "UTF-8", |process| process);
    refused(&[&words(&["send", "--agent", AGENT, "-m"])[..], &[odd]].concat(), 2, "UTF-8", |process| process);
}

#[test]
fn files_that_cannot_be_read_are_exit_13() {
    for (flag, file, gist) in [
        ("-F", "no-such-file", "no-such-file: no such file"),
        ("-F", ".", ". is a directory"),
        ("--body", "no-such-file", "no-such-file: no such file"),
        ("--image", "no-such-file", "no-such-file"),
        ("--api-key-file", "no-such-file", "no-such-file"),
    ] {
        refused(&words(&["send", "--agent", AGENT, "-m", "x", flag, file]), 13, gist, |process| process);
    }
    let tls = ["status", RUN, "--base-url", "https://127.0.0.1:1", "--ca-cert", "no-such-file"];
    refused(&words(&tls), 13, "no-such-file", |process| process);
}

#[test]
fn an_invalid_address_is_refused_with_its_origin() {
    for (url, gist) in [
        ("localhost:8283", "has no http:// or https://"),
        ("ftp://localhost", "neither http nor https"),
        ("http://user:secret@localhost", "user name or password"),
        ("http://localhost/?a=b", "has a query"),
        ("http://", "is not a URL"),
        ("http://a b/", "is not a URL"),
    ] {
        let output = refused(&words(&["status", RUN]), 2, gist, |process| process.env("LETTA_BASE_URL", url));
        assert!(output.stderr.contains("LETTA_BASE_URL") && !output.stderr.contains("secret"), "{output}");
        let output = refused(&words(&["status", RUN, "--base-url", url]), 2, gist, |process| process);
        assert!(output.stderr.contains("--base-url") && !output.stderr.contains("secret"), "{output}");
    }
}

#[test]
fn a_key_that_cannot_be_sent_is_refused_without_being_shown() {
    let output =
        refused(&words(&["status", RUN]), 2, "LETTA_API_KEY", |process| process.env("LETTA_API_KEY", "se\ncret"));
    assert!(!output.stderr.contains("cret"), "{output}");
}

#[test]
fn a_missing_key_is_reported_before_anything_is_sent() {
    let cloud = |process: Process| process.env("LETTA_BASE_URL", "https://api.letta.com").env("LETTA_API_KEY", "");
    refused(&words(&["status", RUN]), 4, "no API key", cloud);
    let env = TestEnv::new();
    let output = env.agentctl(["status", RUN]).env("LETTA_API_KEY", "").run();
    assert_eq!(output.code(), 4, "a key that is set but empty is a mistake\n{output}");
}

#[test]
fn local_and_an_address_contradict_each_other() {
    let args = ["send", "--local", "--base-url", "http://localhost:8283", "-m", "hi"];
    refused(&words(&args), 2, "--local", |process| process);
}

#[test]
fn a_pipe_without_a_run_is_reported() {
    for stdin in ["", "\n\n"] {
        let gist = "no run on standard input";
        for command in ["watch", "status", "messages"] {
            refused(&words(&[command, "-"]), 2, gist, |process| process.stdin(stdin));
        }
    }
    let failed = r#"{"error": {"code": "usage", "exit": 2}}"#;
    let output = refused(&words(&["watch", "-"]), 2, "neither `run_id` nor `id`", |process| process.stdin(failed));
    assert!(output.stderr.contains("the command before failed"), "{output}");
    refused(&words(&["watch", "-"]), 2, "in the middle", |process| process.stdin("{\"id\":"));
}

#[test]
fn a_terminal_is_not_waited_for() {
    let (env, mock) = (TestEnv::new(), letta::done());
    for args in [&["send", "--agent", AGENT][..], &["watch", "-"]] {
        let screen = Pty::agentctl(&env, args).server(&mock.url()).spawn().wait();
        assert_eq!((screen.code, mock.connections()), (2, 0), "{}", screen.raw());
        assert!(screen.raw().contains("standard input is a terminal"), "{}", screen.raw());
    }
}

#[test]
fn a_usage_error_is_json_in_a_pipe_and_text_for_people() {
    let env = TestEnv::new();
    let error = env.agentctl(["send", "--agnet", "x"]).run().error();
    let keys: Vec<&String> = error.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["code", "message", "hint", "exit", "http_status", "run_id", "retryable"]);
    assert_eq!((&error["code"], &error["http_status"]), (&json!("usage"), &Value::Null));
    let output = env.agentctl(["send", "--agnet", "x", "-o", "human"]).run();
    assert!(output.stderr.starts_with("error: unexpected argument '--agnet'"), "{output}");
    assert!(output.stderr.contains("\n  hint: ") && output.stderr.contains("--agent"), "{output}");
}

#[test]
fn a_variable_that_is_not_utf_8_is_not_ignored() {
    let broken = OsStr::from_bytes(b"k\xff");
    for name in ["LETTA_API_KEY", "LETTA_AGENT_ID"] {
        let gist = format!("{name} is not UTF-8");
        refused(&words(&["send", "-m", "hi", "--agent", AGENT]), 2, &gist, |process| process.env(name, broken));
    }
}

#[test]
fn standard_input_holds_the_key_or_the_request_but_not_both() {
    let stdin = |process: Process| process.stdin("key\n{\"input\":\"hi\"}");
    for line in [&["send", "--body", "-"][..], &["send"], &["send", "-F", "-"]] {
        let line = [line, &["--agent", AGENT, "--api-key-file", "-"]].concat();
        refused(&words(&line), 2, "standard input can be read only once", stdin);
    }
    let watch = ["watch", "-", "--api-key-file", "-"];
    refused(&words(&watch), 2, "standard input cannot hold both the key and the runs", stdin);
}
