//! No text of a server, a file or an argument acts on the terminal. A parser of terminal sequences reads the output of
//! every view, and must find printable text, line ends and this program's own colours only.

mod offences;

use std::collections::BTreeSet;

use agentctl::text::show::{clip, show};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use self::offences::{Offences, PAYLOADS, hostile};
use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH};
use crate::support::pty::{ENDED, Pty};
use crate::support::{Answer, Mock, TestEnv, callback};

/// A server with this text in every field.
fn server(text: &str) -> Mock {
    let mock = Mock::start();
    let mut run = letta::failed(text);
    run["stop_reason"] = text.into();
    for key in ["callback_url", "callback_error", "conversation_id", "base_template_id"] {
        run[key] = text.into();
    }
    run["metadata"]["run_type"] = text.into();
    mock.on("POST", POST_PATH, [Answer::json(200, &run)]);
    mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([run, run]))]);
    let kinds = ["user_message", "assistant_message", "reasoning_message", "system_message", text];
    let mut messages: Vec<Value> = kinds.iter().map(|kind| letta::message(kind, text)).collect();
    messages.iter_mut().for_each(|message| message["reasoning"] = text.into());
    let mut call = letta::message("tool_call_message", text);
    call["tool_call"] = json!({"name": text, "arguments": text, "tool_call_id": text});
    let mut answer = letta::message("tool_return_message", text);
    (answer["tool_return"], answer["name"], answer["status"]) = (text.into(), text.into(), text.into());
    messages.extend([call, answer]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &messages.into())]);
    let step = json!({"id": text, "status": "failed", "error_type": text, "stop_reason": text, "model": text, "error_data": {"message": text}});
    mock.on("GET", &format!("{RUN_PATH}/steps"), [Answer::json(200, &json!([step]))]);
    mock.on("GET", "/v1/health/", [Answer::json(200, &json!({"version": text, "status": text}))]);
    let agent = json!({"id": AGENT, "name": text, "agent_type": text, "system": text, "model": text,
        "created_at": text, "description": text, "llm_config": {"handle": text, "model": text}});
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([agent, agent]))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &agent)]);
    mock
}

fn printed(env: &TestEnv, server: &Mock, args: &[&str]) -> Vec<u8> {
    // Wide enough that hardly anything is cut.
    let terminal = Pty::agentctl(env, args).server(&server.url()).columns(1000);
    terminal.spawn().wait().raw().into_bytes()
}

fn check(env: &TestEnv, server: &Mock, args: &[&str]) {
    check_bytes(args, &printed(env, server, args));
}

/// The same for several commands, one after another on one terminal.
fn check_each(env: &TestEnv, server: &Mock, commands: &[&[&str]]) {
    let screen = Pty::agentctl_each(env, commands).server(&server.url()).columns(1000).spawn().wait();
    let raw = screen.raw();
    let outputs: Vec<&str> = raw.split_terminator(ENDED).collect();
    assert_eq!(outputs.len(), commands.len(), "{}", raw.escape_debug());
    for (args, output) in commands.iter().zip(outputs) {
        check_bytes(args, output.as_bytes());
    }
}

fn check_bytes(args: &[&str], bytes: &[u8]) {
    let offences = Offences::in_bytes(bytes).0;
    let shown = String::from_utf8_lossy(bytes);
    assert!(offences.is_empty(), "{args:?}: {offences:?}\n{}", shown.escape_debug());
    assert!(!shown.contains("panicked") && !bytes.is_empty(), "{args:?}: {shown}");
}

/// The same for a listener, which prints its server's text once it is called back.
fn check_listener(env: &TestEnv, server: &Mock, args: &[&str]) {
    let listener = Pty::agentctl(env, args).server(&server.url()).columns(1000).spawn();
    listener.wait_for("url: ");
    let url = callback::url_in(&listener.so_far());
    assert_eq!(callback::post(&url, &callback::about(RUN)), 204);
    check_bytes(args, listener.wait().raw().as_bytes());
}

/// A run that stopped for approval of a call with this text in every field.
fn asking(text: &str) -> Mock {
    let mock = letta::asking();
    let mut request = letta::approval_request(&[text]);
    for key in ["id", "name", "date"] {
        request[key] = text.into();
    }
    request["tool_calls"][0] = json!({"name": text, "arguments": text, "tool_call_id": text});
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!([request]))]);
    mock.on("POST", POST_PATH, [Answer::json(200, &letta::failed(text))]);
    mock
}

#[test]
fn a_call_that_needs_approval_never_acts_on_the_terminal() {
    for text in hostile() {
        let (env, server) = (TestEnv::new(), asking(&text));
        check_each(
            &env,
            &server,
            &[
                &["status", RUN][..],
                &["status", RUN, "--detail"],
                &["watch", RUN],
                &["approve", RUN],
                &["approve", RUN, "--watch"],
                &["approve", RUN, "--tool-call", "call_9"],
                &["deny", RUN, "-vv"],
            ],
        );
    }
}

#[test]
fn a_servers_text_never_acts_on_the_terminal() {
    for text in hostile() {
        let (env, server) = (TestEnv::new(), server(&text));
        check_each(
            &env,
            &server,
            &[
                &["status", RUN][..],
                &["status", RUN, RUN],
                &["status", RUN, "-o", "json"],
                &["status", RUN, "-o", "json", "--pretty"],
                &["status", RUN, "--jq", ".stop_reason, .metadata"],
                &["watch", RUN],
                &["watch", RUN, "--progress", "plain"],
                &["watch", RUN, "--follow"],
                &["watch", RUN, "--events"],
                &["watch", RUN, "--reply"],
                &["send", "--agent", AGENT, "-m", "hi", "--watch"],
                &["send", "--agent", AGENT, "-m", "hi", "-vv"],
                &["messages", RUN],
                &["messages", RUN, "-o", "json"],
                &["messages", RUN, "--reply"],
                &["list"],
                &["agents", "list"],
                &["agents", "show", AGENT],
                &["api", "GET", RUN_PATH],
                &["api", "GET", &format!("{RUN_PATH}/messages"), "--paginate"],
                &["api", "GET", RUN_PATH, "--jq", ".stop_reason, .metadata"],
                &["doctor"],
                &["doctor", "--jq", ".message"],
                &["cancel", RUN],
                &["approve", RUN],
                &["deny", RUN],
            ],
        );
        for args in [&["listen", "--count", "1"][..], &["listen", "--count", "1", "--exec", "cat"]] {
            check_listener(&env, &server, args);
        }
    }
}

#[test]
fn a_servers_error_text_never_acts_on_the_terminal() {
    for text in hostile() {
        let env = TestEnv::new();
        // A header holds no control.
        let in_header: String = text.chars().filter(|c| *c >= ' ' && *c != '\u{7f}').collect();
        let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://h/{in_header}\r\ncontent-length: 0\r\n\r\n");
        // A request for such a long delay is not retried.
        let later = |answer: Answer| answer.header("retry-after", "3600");
        for answer in [
            Answer::json(422, &json!({"detail": text})),
            Answer::json(401, &json!({"detail": [{"loc": [text], "msg": text, "type": text}]})),
            later(Answer::json(429, &json!({"error": {"message": text, "type": text}, "run_id": text}))),
            Answer::raw(redirect),
        ] {
            let server = Mock::always(answer);
            check_each(
                &env,
                &server,
                &[
                    &["send", "--agent", AGENT, "-m", "hi", "-o", "human"][..],
                    &["api", "POST", "/v1/agents/", "-f", "name=x", "-i"],
                    &["approve", RUN],
                    &["deny", RUN],
                    &["doctor"],
                ],
            );
        }
        for answer in [
            later(Answer::json(500, &json!({"error": {"message": text, "type": text}, "run_id": text}))),
            later(Answer::body(502, "text/html", format!("<html><title>{text}</title>"))),
            Answer::json(404, &json!({"detail": text})),
        ] {
            let server = Mock::always(answer);
            check_each(
                &env,
                &server,
                &[&["status", RUN, "-vv"][..], &["api", "GET", "/v1/agents/", "-i"], &["doctor"]],
            );
        }
    }
}

/// An unreadable answer is requested again, which takes time, so one text holds all payloads here.
#[test]
fn an_unreadable_answer_never_acts_on_the_terminal() {
    let text = hostile().concat();
    std::thread::scope(|scope| {
        for answer in [
            Answer::body(200, "text/html", format!("<html><title>{text}</title>")),
            Answer::body(200, "application/json", text.clone()),
            Answer::json(200, &json!({"id": text, "status": text})),
            Answer::raw(format!("HTTP/1.1 302 {text}\r\nlocation: http://h/{text}\r\n\r\n")),
            Answer::raw(format!("{text}\r\n\r\n")),
        ] {
            scope.spawn(move || check(&TestEnv::new(), &Mock::always(answer), &["status", RUN, "-vv"]));
        }
    });
}

#[test]
fn an_argument_never_acts_on_the_terminal() {
    for text in hostile() {
        // An argument cannot contain NUL.
        let text = text.replace('\0', "");
        let (env, server) = (TestEnv::new(), letta::done());
        let (at_file, url) = (format!("@{text}"), format!("http://{text}"));
        check_each(
            &env,
            &server,
            &[
                &["status", text.as_str()][..],
                &["send", "--agent", &text, "-m", "hi"],
                &["send", "--agent", AGENT, "-F", &text],
                &["send", "--agent", AGENT, "-m", "hi", "--set", &text],
                &["send", "--agent", AGENT, "-m", "hi", "--callback-url", &text],
                &["watch", RUN, "--timeout", &text],
                &["status", RUN, "--base-url", &url],
                &["status", RUN, "--base-url", &text],
                &["status", RUN, "--profile", &text],
                &["status", RUN, "--ca-cert", &text],
                &["status", RUN, "--api-key-file", &text],
                &["status", RUN, "-H", &text],
                &["status", RUN, "-H", &at_file],
                &["status", RUN, "-o", &text],
                &["status", RUN, "--jq", &text],
                &["config", "get", &text],
                &["config", "set", "agent", &text],
                &["config", "use", &text],
                &["agents", "show", &text],
                &["api", "GET", &text],
                &["api", &text, "/v1/agents/"],
                &["api", "POST", "/v1/agents/", "-f", &text],
                &["api", "POST", "/v1/agents/", "--input", &text],
                &["approve", &text],
                &["approve", RUN, "--tool-call", &text],
                &["deny", &text],
                &["deny", RUN, "--reason", &text, "-vv"],
                &["listen", "--bind", &text],
                &["listen", "--public-url", &text],
                &["listen", "--exec", &text, "--timeout", "1ms"],
                &["doctor", "--base-url", &url],
                &["doctor", &text],
                &[text.as_str()],
                &["--", &text],
            ],
        );
        let terminal = Pty::agentctl(&env, ["config", "list"]).env("LETTA_AGENT_ID", &text).columns(1000);
        let bytes = terminal.spawn().wait().raw().into_bytes();
        assert_eq!(Offences::in_bytes(&bytes).0, BTreeSet::new(), "config list");
    }
}

#[test]
fn a_payload_is_shown_as_what_it_is() {
    for payload in PAYLOADS {
        let expected: String = payload
            .chars()
            .map(|c| if c.is_control() { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() })
            .collect();
        assert_eq!(show(payload).as_str(), expected);
    }
}

#[test]
fn text_too_wide_or_too_high_for_a_cell_is_cut() {
    let zalgo: String =
        "zalgo".chars().flat_map(|c| std::iter::once(c).chain(std::iter::repeat_n('\u{301}', 500))).collect();
    for text in ["x".repeat(10_000), "日".repeat(10_000), "👩‍👩‍👧‍👦".repeat(3000), zalgo, "مرحبا ".repeat(2000)]
    {
        assert!(clip(&text, 40).width() <= 40, "{}", text.chars().take(9).collect::<String>());
        let (env, server) = (TestEnv::new(), server(&text));
        for args in [&["agents", "list"][..], &["list"], &["status", RUN, RUN]] {
            let screen = Pty::agentctl(&env, args).server(&server.url()).columns(80).spawn().wait();
            let raw = screen.raw();
            for line in raw.lines() {
                let plain = line
                    .replace("\u{1b}[1m", "")
                    .replace("\u{1b}[2m", "")
                    .replace("\u{1b}[31m", "")
                    .replace("\u{1b}[0m", "");
                let marks = plain.split(|c| c != '\u{301}').map(str::len).max().unwrap_or(0) / '\u{301}'.len_utf8();
                assert!(plain.width() <= 80 && marks <= 8, "{args:?}: {} columns: {plain}", plain.width());
            }
        }
    }
}
