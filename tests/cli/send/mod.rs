//! `send`: the request, and the output.

mod agent;
mod output;
mod preview;

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
fn flags_replace_fields_of_the_body() {
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
fn a_prompt_on_a_terminal_says_what_is_read() {
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
