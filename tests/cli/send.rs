//! `send`: the request that goes out, and what comes back to the caller.

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, SEND, run_answer};
use crate::support::process::Process;
use crate::support::{Answer, Gate, Mock, Output, TestEnv, agentctl};

const OTHER: &str = "agent-44444444-4444-4444-8444-444444444444";

/// Sends with these arguments and returns the body that arrived, each message's otid checked and taken out.
fn sent(args: &[&str], prepare: impl FnOnce(&TestEnv, Process) -> Process) -> Value {
    let (env, mock) = (TestEnv::new(), letta::done());
    let process = env.agentctl(["send", "--agent", AGENT].iter().chain(args)).server(&mock.url());
    let output = prepare(&env, process).run();
    assert_eq!(output.code(), 0, "{args:?}\n{output}");
    let posts = mock.seen("POST");
    assert_eq!((posts.len(), posts[0].path.as_str()), (1, POST_PATH));
    assert_eq!(posts[0].header("content-type"), Some("application/json"));
    assert_eq!(posts[0].header("authorization"), Some("Bearer test-key"));
    without_otids(posts[0].json())
}

fn without_otids(mut body: Value) -> Value {
    for message in body.get_mut("messages").and_then(Value::as_array_mut).into_iter().flatten() {
        let otid = message.as_object_mut().expect("an object").remove("otid").expect("an otid");
        assert!(otid.as_str().is_some_and(|otid| !otid.is_empty()), "{otid}");
    }
    body
}

fn plain(_: &TestEnv, process: Process) -> Process {
    process
}

fn stdin(text: impl Into<String>) -> impl FnOnce(&TestEnv, Process) -> Process {
    let text = text.into();
    move |_, process| process.stdin(text)
}

fn user(content: impl Into<Value>) -> Value {
    json!({"role": "user", "content": content.into()})
}

#[test]
fn the_body_holds_what_was_given_and_nothing_else() {
    assert_eq!(sent(&["-m", "hi"], plain), json!({"messages": [user("hi")]}));
}

#[test]
fn every_flag_is_a_field() {
    for (flag, field, value) in [
        ("--max-steps=7", "max_steps", json!(7)),
        ("--use-assistant-message", "use_assistant_message", json!(true)),
        ("--use-assistant-message=false", "use_assistant_message", json!(false)),
        ("--assistant-message-tool-name=say", "assistant_message_tool_name", json!("say")),
        ("--assistant-message-tool-kwarg=text", "assistant_message_tool_kwarg", json!("text")),
        (
            "--include-return-message-types=assistant_message,tool_call_message",
            "include_return_message_types",
            json!(["assistant_message", "tool_call_message"]),
        ),
        ("--return-types=assistant_message", "include_return_message_types", json!(["assistant_message"])),
        ("--enable-thinking", "enable_thinking", json!("true")),
        ("--enable-thinking=false", "enable_thinking", json!("false")),
        ("--callback-url=https://hooks.example.com/a", "callback_url", json!("https://hooks.example.com/a")),
        ("--override-model=openai/gpt-4o-mini", "override_model", json!("openai/gpt-4o-mini")),
        ("--set=override_system=7", "override_system", json!("7")),
        ("--set=a.b.c=x=y", "a", json!({"b": {"c": "x=y"}})),
        ("--set-json=top_logprobs=5", "top_logprobs", json!(5)),
        ("--set-json=a.b=[1, null]", "a", json!({"b": [1, null]})),
    ] {
        assert_eq!(sent(&["-m", "hi", flag], plain), json!({"messages": [user("hi")], field: value}), "{flag}");
    }
}

#[test]
fn messages_stand_in_the_order_of_the_command_line() {
    let args = ["-m", "one", "-F", "file", "-m", "-three", "-F", "-", "--role", "system"];
    let body = sent(&args, |env, process| {
        env.write("file", "two\nlines\n");
        process.stdin("four")
    });
    let said: Vec<(&str, &str)> = body["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|message| (message["role"].as_str().unwrap_or_default(), message["content"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(said, [("system", "one"), ("system", "two\nlines\n"), ("system", "-three"), ("system", "four")]);
}

#[test]
fn text_arrives_as_it_was_given() {
    for text in
        ["  spaces  ", "ä€😀", "a\u{1b}[31mb", "\u{202e}x", "\"quoted\" \\ 'it''s'", "line\r\nline\n", "{\"a\": 1}"]
    {
        assert_eq!(sent(&["-m", text], plain)["messages"][0]["content"], text);
        assert_eq!(sent(&["-F", "-"], stdin(text))["messages"][0]["content"], text);
    }
}

#[test]
fn images_join_the_last_message() {
    let (png, url) = (&b"\x89PNG\r\n\x1a\nrest"[..], "https://example.com/a.png");
    let body = sent(&["-m", "one", "-m", "two", "--image", "picture", "--image", url], |env, process| {
        env.write("picture", png);
        process
    });
    let data = "iVBORw0KGgpyZXN0";
    let parts = json!([
        {"type": "text", "text": "two"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}},
        {"type": "image", "source": {"type": "url", "url": url}},
    ]);
    assert_eq!(body["messages"], json!([user("one"), user(parts)]));
    let alone = sent(&["--image", url], plain);
    assert_eq!(alone["messages"][0]["content"], json!([{"type": "image", "source": {"type": "url", "url": url}}]));
}

#[test]
fn standard_input_is_a_request_its_messages_or_one_message() {
    let expected = json!({"messages": [user("hi")]});
    for text in
        [r#"{"messages": [{"role": "user", "content": "hi"}]}"#, r#"[{"role": "user", "content": "hi"}]"#, r#""hi""#]
    {
        assert_eq!(sent(&[], stdin(text)), expected, "{text}");
        assert_eq!(sent(&["--body", "-"], stdin(format!("\u{feff}\n {text} \n"))), expected, "{text}");
    }
    let input = json!({"input": "hi", "max_steps": 3, "of_tomorrow": {"b": 1, "a": [1.50]}});
    assert_eq!(sent(&[], stdin(input.to_string())), input);
}

#[test]
fn a_request_keeps_its_order_its_numbers_and_its_otids() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let text = r#"{"z":1.50,"messages":[{"otid":"mine","role":"user","content":"hi","n":123456789012345678901234567890}],"a":1.0}"#;
    let output = env.agentctl(["send", "--agent", AGENT]).server(&mock.url()).stdin(text).run();
    assert_eq!((output.code(), mock.seen("POST")[0].body.as_str()), (0, text), "{output}");
}

#[test]
fn flags_replace_what_stands_in_the_body() {
    let body = r#"{"messages": [{"role": "user", "content": "body"}], "max_steps": 1, "kept": true}"#;
    let expected = json!({"messages": [user("flag")], "max_steps": 2, "kept": true});
    assert_eq!(sent(&["--body", "-", "-m", "flag", "--max-steps", "2"], stdin(body)), expected);
    let input = r#"{"input": "body", "kept": true}"#;
    let expected = json!({"kept": true, "messages": [user("flag")]});
    assert_eq!(sent(&["--body", "-", "-m", "flag"], stdin(input)), expected);
    let changed = sent(&["--body", "-", "--set", "messages.0.content=set"], stdin(body));
    assert_eq!(changed["messages"], json!([user("set")]));
}

#[test]
fn standard_input_is_left_alone_where_a_flag_has_the_message() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let text = format!("printf 'rest\\n' | (agentctl send --agent {AGENT} -m hi > out; cat)");
    let output = env.bash(&text).server(&mock.url()).run();
    assert_eq!((output.code(), output.stdout.as_str()), (0, "rest\n"), "{output}");
}

#[test]
fn a_person_who_waits_is_told_what_is_read() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let sending = env.agentctl(["send", "--agent", AGENT]).server(&mock.url()).stdin_from(reader).spawn();
    sending.wait_for_stderr("standard input");
    std::io::Write::write_all(&mut writer, b"\"hi\"").expect("somebody reads");
    drop(writer);
    assert_eq!(sending.wait().code(), 0);
    assert_eq!(without_otids(mock.seen("POST")[0].json()), json!({"messages": [user("hi")]}));
}

#[test]
fn the_flag_names_the_agent_then_the_body_then_the_environment() {
    let third = "agent-55555555-5555-4555-8555-555555555555";
    let body = json!({"agent_id": OTHER, "input": "hi"}).to_string();
    let no_agent = json!({"input": "hi"}).to_string();
    for (args, body, expected) in [
        (&["--agent", AGENT][..], &body, AGENT),
        (&[], &body, OTHER),
        (&[], &no_agent, third),
        (&["--agent", AGENT], &no_agent, AGENT),
    ] {
        let (env, mock) = (TestEnv::new(), Mock::start());
        mock.on("POST", "/v1/agents/*", [run_answer("created", None)]);
        let process = env.agentctl(["send"].iter().chain(args)).server(&mock.url()).env("LETTA_AGENT_ID", third);
        let output = process.stdin(body.as_str()).run();
        assert_eq!(output.code(), 0, "{output}");
        let post = &mock.seen("POST")[0];
        assert_eq!(post.path, format!("/v1/agents/{expected}/messages/async"));
        assert_eq!(post.json(), json!({"input": "hi"}), "the agent is in the path and nowhere else");
    }
    let output = agentctl(&letta::done(), "send -m hi");
    assert_eq!(output.code(), 2, "{output}");
    assert!(output.stderr.contains("LETTA_AGENT_ID"), "{output}");
}

/// A server with agents, and what `send --agent helper` does there.
fn send_by_name(agents: Value) -> (Output, Mock) {
    let mock = letta::done();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &agents)]);
    (agentctl(&mock, "send --agent helper -m hi"), mock)
}

#[test]
fn an_agent_can_be_given_by_name() {
    let others = json!([{"id": OTHER, "name": "helper of others"}, {"id": AGENT, "name": "helper"}]);
    let (output, mock) = send_by_name(others);
    assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
    assert!(mock.seen("GET")[0].query.contains("name=helper"), "{:?}", mock.seen("GET"));
}

#[test]
fn a_name_of_two_agents_is_refused_with_their_ids() {
    let (output, mock) = send_by_name(json!([{"id": OTHER, "name": "helper"}, {"id": AGENT, "name": "helper"}]));
    assert_eq!((output.code(), mock.seen("POST").len(), output.stdout.as_str()), (2, 0, ""), "{output}");
    assert!(output.stderr.contains(OTHER) && output.stderr.contains(AGENT), "{output}");
}

#[test]
fn a_name_of_no_agent_is_exit_5() {
    let (output, mock) = send_by_name(json!([{"id": OTHER, "name": "another"}]));
    assert_eq!((output.code(), mock.seen("POST").len(), output.stdout.as_str()), (5, 0, ""), "{output}");
    assert!(output.stderr.contains("helper"), "{output}");
}

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let mock = letta::done();
    let output = agentctl(&mock, &format!("{SEND} --max-steps 3 --dry-run"));
    assert_eq!((output.code(), mock.connections()), (0, 0), "{output}");
    let shown = output.document();
    assert_eq!(shown["method"], "POST");
    assert_eq!(shown["url"], format!("{}{POST_PATH}", mock.url()));
    assert_eq!(without_otids(shown["body"].clone()), json!({"messages": [user("hi")], "max_steps": 3}));
    assert!(shown["headers"]["Authorization"].is_string() && !output.stdout.contains("test-key"), "{output}");
    let by_name = agentctl(&mock, "send --agent helper -m hi --dry-run");
    assert_eq!((by_name.code(), mock.connections()), (2, 0), "the name would need the server\n{by_name}");
}

#[test]
fn a_dry_run_needs_no_server_key_or_home() {
    let env = TestEnv::new();
    let process = env.agentctl([SEND.split(' ').collect::<Vec<_>>(), vec!["--dry-run"]].concat());
    let output = process.env("HOME", "/proc/nowhere").env("AGENTCTL_DATA_DIR", "/proc/nowhere").run();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(output.document()["url"], format!("http://localhost:8283{POST_PATH}"));
}

#[test]
fn the_curl_command_does_what_the_program_would() {
    let (env, mock) = (TestEnv::new(), letta::done());
    if env.bash("command -v curl").run().code() != 0 {
        eprintln!("skipped: there is no curl here");
        return;
    }
    let text = "it's \"$HOME\" `id` \\ \n!x ä";
    let process = env.agentctl(["send", "--agent", AGENT, "-m", text, "--max-steps", "3", "--curl"]);
    let shown = process.server(&mock.url()).run();
    assert_eq!((shown.code(), mock.connections()), (0, 0), "{shown}");
    assert!(!shown.stdout.contains("test-key") && shown.stdout.contains("$LETTA_API_KEY"), "{shown}");
    let output = env.bash(&shown.stdout).server(&mock.url()).run();
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(RUN)), "{output}");
    let post = &mock.seen("POST")[0];
    assert_eq!((post.path.as_str(), post.header("authorization")), (POST_PATH, Some("Bearer test-key")));
    assert_eq!(post.header("content-type"), Some("application/json"));
    assert_eq!(without_otids(post.json()), json!({"messages": [user(text)], "max_steps": 3}));
}

#[test]
fn the_run_is_printed_as_the_server_sent_it() {
    let raw = "{\"id\": \"run-22222222-2222-4222-8222-222222222222\",\n  \"z\": 1.50, \"a\": {\"y\": 1e3}, \"big\": 12345678901234567890123}";
    let mock = letta::done();
    mock.on("POST", POST_PATH, [Answer::body(200, "application/json", raw)]);
    let output = agentctl(&mock, SEND);
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(output.stdout.matches('\n').count(), 1, "one line\n{output}");
    let keys: Vec<usize> =
        ["\"id\"", "\"z\"", "\"a\"", "\"big\""].iter().filter_map(|key| output.stdout.find(key)).collect();
    assert!(keys.len() == 4 && keys.is_sorted(), "{output}");
    for number in ["1.50", "1e3", "12345678901234567890123"] {
        assert!(output.stdout.contains(number), "{output}");
    }
    assert!(!output.stdout.contains("_agentctl"), "{output}");
}

#[test]
fn every_format_has_its_own_output() {
    let run = |format: &str| agentctl(&letta::done(), &format!("{SEND} -o {format}"));
    assert_eq!(run("json").document()["id"], RUN);
    assert_eq!(run("id").stdout, format!("{RUN}\n"));
    let none = run("none");
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains(RUN), "{none}");
    let human = run("human");
    assert!(human.stdout.contains(RUN) && human.stdout.contains("agentctl watch"), "{human}");
    assert!(serde_json::from_str::<Value>(&human.stdout).is_err());
}

#[test]
fn the_id_is_told_at_once_where_stdout_does_not_carry_it() {
    for flags in ["--watch", "--wait", "--reply", "--watch -o id"] {
        let (env, gate) = (TestEnv::new(), Gate::default());
        let mock = letta::letta([run_answer("completed", Some("end_turn")).held(&gate)]);
        let line = format!("{SEND} {flags}");
        let sending = env.agentctl(line.split(' ')).server(&mock.url()).spawn();
        sending.wait_for_stderr(RUN);
        gate.open();
        assert_eq!(sending.wait().code(), 0, "{flags}");
    }
}

#[test]
fn the_reply_is_the_text_and_nothing_else() {
    let mock = letta::done();
    let output = agentctl(&mock, &format!("{SEND} --reply"));
    assert_eq!((output.code(), output.stdout.as_str()), (0, "hello\n"), "{output}");
}

#[test]
fn wait_follows_without_progress() {
    let output = agentctl(
        &letta::letta([run_answer("running", None), run_answer("completed", Some("end_turn"))]),
        &format!("{SEND} --wait"),
    );
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
    assert!(!output.stderr.contains("running"), "{output}");
}

#[test]
fn when_idle_waits_for_the_runs_of_the_agent() {
    let busy = {
        let mut run = letta::run("running", None);
        run["id"] = "run-66666666-6666-4666-8666-666666666666".into();
        run
    };
    let mock = letta::done();
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([busy])), Answer::json(200, &json!([]))]);
    let ended = {
        let mut run = letta::run("completed", Some("end_turn"));
        run["id"] = busy["id"].clone();
        run
    };
    let path = "/v1/runs/run-66666666-6666-4666-8666-666666666666";
    mock.on("GET", path, [Answer::json(200, &ended)]);
    let output = agentctl(&mock, &format!("{SEND} --when-idle"));
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stderr.contains("idle"), "{output}");
    let order: Vec<String> = mock.requests().iter().map(|one| format!("{} {}", one.method, one.path)).collect();
    let at = |what: &str| order.iter().position(|one| one == what).unwrap_or_else(|| panic!("{what}: {order:?}"));
    assert!(
        at("GET /v1/runs/") < at(&format!("GET {path}"))
            && at(&format!("GET {path}")) < at(&format!("POST {POST_PATH}"))
    );
    assert_eq!(output.document()["id"], RUN, "the runs of others are not printed\n{output}");
}

#[test]
fn a_password_in_a_callback_url_is_sent_and_said() {
    let mock = letta::done();
    let output = agentctl(&mock, &format!("{SEND} --callback-url http://u:secret@h/"));
    assert_eq!(
        (output.code(), &mock.seen("POST")[0].json()["callback_url"]),
        (0, &"http://u:secret@h/".into()),
        "{output}"
    );
    assert!(output.stderr.contains("Basic auth") && !output.stderr.contains("secret"), "{output}");
}

#[test]
fn a_callback_url_goes_byte_for_byte() {
    for url in
        ["https://Hooks.Example.com:443/a/../b?x=%7e&y=1 2#f", "http://127.0.0.1:9", "https://u:p@hooks.example.com/"]
    {
        assert_eq!(sent(&["-m", "hi", "--callback-url", url], plain)["callback_url"], url);
    }
}

#[test]
fn last_is_the_run_that_was_sent_from_here() {
    let (env, mock) = (TestEnv::new(), letta::done());
    assert_eq!(env.agentctl(SEND.split(' ')).server(&mock.url()).run().code(), 0);
    let output = env.agentctl(["status", "@last", "-o", "id"]).server(&mock.url()).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{RUN}\n")));
    let elsewhere = letta::done();
    let output = env.agentctl(["status", "@last"]).server(&elsewhere.url()).run();
    assert_eq!((output.code(), elsewhere.connections()), (2, 0), "each server has its own last run\n{output}");
}

#[test]
fn a_home_that_cannot_be_written_does_not_matter() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let blocked = env.write("file", "").join("below");
    let process = env.agentctl(SEND.split(' ')).server(&mock.url());
    let process = process.env("HOME", &blocked).env("AGENTCTL_DATA_DIR", &blocked).env("XDG_DATA_HOME", &blocked);
    let output = process.run();
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
}

#[test]
fn followed_by_send_a_run_ends_as_by_watch() {
    for (status, stop_reason, code, outcome) in [
        ("completed", "end_turn", 0, "succeeded"),
        ("completed", "max_steps", 0, "truncated"),
        ("completed", "requires_approval", 6, "needs_approval"),
        ("cancelled", "cancelled", 3, "cancelled"),
        ("failed", "error", 1, "failed"),
    ] {
        let mock = letta::letta([run_answer("running", None), run_answer(status, Some(stop_reason))]);
        let output = agentctl(&mock, &format!("{SEND} --watch"));
        assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (code, &json!(outcome)), "{output}");
        assert!(mock.seen("GET").iter().filter(|get| get.path == RUN_PATH).count() >= 2);
    }
}
#[test]
fn quiet_tells_the_id_only_where_something_went_wrong() {
    let quiet = |status: &str, stop_reason: &str| {
        let mock = letta::letta([run_answer(status, Some(stop_reason))]);
        agentctl(&mock, &format!("{SEND} --watch -o none -q"))
    };
    let good = quiet("completed", "end_turn");
    assert_eq!((good.code(), good.stdout.as_str(), good.stderr.as_str()), (0, "", ""));
    let bad = quiet("failed", "error");
    assert_eq!(bad.code(), 1, "{bad}");
    assert!(bad.stderr.contains(RUN), "{bad}");
}
