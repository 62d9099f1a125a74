//! Every error has a hint and the shape of `agentctl schema error`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, RUN_PATH};
use crate::support::{Answer, Output, TestEnv, agentctl};

/// Command lines that fail on the local engine, each for a reason of its own.
const FAILING: &[&str] = &[
    "list --limit 0",
    "list --since yesterday",
    "list --status",
    "list --agent ../x",
    "cancel",
    "cancel --active",
    "cancel --agent x --active",
    "cancel nonsense",
    "approve",
    "approve nonsense",
    "approve run-00000000-0000-4000-8000-00000000dead",
    "watch",
    "watch nonsense",
    "watch run-00000000-0000-4000-8000-00000000dead",
    "watch run-00000000-0000-4000-8000-00000000dead --stall-after 5x",
    "watch run-00000000-0000-4000-8000-00000000dead --on-stall maybe",
    "status run-00000000-0000-4000-8000-00000000dead --detail",
    "listen --bind nonsense",
    "listen --count 0",
    "listen --public-url ftp://x",
    "send -m hi --listen",
    "config get nonsense",
    "config set base_url localhost",
    "config use nobody",
    "config set nonsense x",
    "--profile nobody list",
    "--jq .[ list",
    "schema nonsense",
    "api",
    "api GET",
    "api GET ../x",
    "api GET http://evil.example/v1/",
    "api GET /v1/nonsense",
    "api POST agents/ -f novalue",
    "api POST agents/ --input /nonexistent",
    "doctor nonsense",
    "completions nonsense",
    "man nonsense",
    "help nonsense",
    "-H Authorization:x list",
    "-H nonsense list",
    "nonsense",
];

/// Checks the error object of a failed command against its schema.
fn check(what: &str, output: &Output) {
    let schema = TestEnv::new().agentctl(["schema", "error"]).run().stdout;
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let said = output.stderr.lines().last().unwrap_or_default();
    let error: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("`{what}`\n{output}"));
    assert!(output.code() > 0, "`{what}` went well\n{output}");
    assert!(jsonschema::is_valid(&schema, &error), "`{what}`\n{output}");
    assert_eq!(error["error"]["exit"], output.code(), "`{what}`\n{output}");
    assert!(error["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "`{what}`\n{output}");
}

#[test]
fn every_error_has_a_hint_and_the_documented_shape() {
    let env = TestEnv::new();
    for line in FAILING {
        check(line, &env.agentctl(line.split(' ').chain(["--local", "-o", "json"])).run());
    }
}

#[test]
fn errors_about_standard_input_have_that_shape() {
    let agent = format!("send --agent {AGENT}");
    for (line, input) in [
        (agent.as_str(), &b""[..]),
        (&agent, b"{"),
        (&agent, b"7"),
        (&agent, b"{} {}"),
        (&agent, b"[7]"),
        (&agent, br#"{"messages": 7}"#),
        (&agent, br#"{"input": ""}"#),
        (&agent, br#"{"input": "x", "agent_id": 7}"#),
        ("send", br#"{"input": "x", "agent_id": "../x"}"#),
        (&format!("{agent} -F -"), b""),
        (&format!("{agent} -F -"), b"a\xff"),
        (&format!("{agent} -F -"), b"a\0"),
        (&format!("{agent} -F -"), b"\xff\xfea\0"),
        (&format!("{agent} -F - --api-key-file -"), b"x"),
        ("watch -", b""),
        ("watch -", b"nonsense"),
        ("watch -", b"a\xff"),
        ("watch -", b"{"),
        ("watch -", b"[1"),
        ("watch -", b"{]"),
        ("watch -", br#"{"a": 1}"#),
        ("watch -", b"@last"),
        ("watch - --api-key-file -", b"x"),
        ("api POST agents/ --input -", b"nonsense"),
        ("api POST agents/ --input - --api-key-file -", b"{}"),
        ("approve -", b"run-33333333 run-44444444"),
        ("login", b""),
        ("login", b"a b"),
    ] {
        let (env, mock) = (TestEnv::new(), letta::done());
        let output = env.agentctl(line.split(' ')).server(&mock.url()).stdin(input).run();
        check(&format!("{line} < {}", input.escape_ascii()), &output);
    }
}

/// An environment with this file in it.
fn with_file(name: &str, content: &[u8]) -> TestEnv {
    let env = TestEnv::new();
    let file = env.home().join(name);
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    env.write(name, content);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    env
}

#[test]
fn errors_about_files_and_variables_have_that_shape() {
    let (config, credentials) = ("config/agentctl/config.toml", "config/agentctl/credentials.toml");
    for (file, content, line) in [
        (config, &b"x = ["[..], "list"),
        (config, b"\xff", "list"),
        (config, b"profile = 7", "list"),
        (config, b"profiles = 7", "list"),
        (config, b"profiles.a = 7", "list"),
        (config, b"[profiles.a]\nagent = 7", "list"),
        (config, b"[profiles.a]\nagent = 'agent-7'", "list"),
        (config, b"[profiles.a]\nproject = ' '", "list"),
        (config, b"[profiles.a]\nproject = '\xc3\xa4\\n'", "list"),
        (config, b"[profiles.a]\noutput = 'yaml'", "list"),
        (config, b"[profiles.a]\nbase_url = 'h'", "list"),
        (credentials, b"x = [", "list"),
        (credentials, b"keys = 7", "login"),
        ("key", b"", "list --api-key-file key"),
        ("key", b"a b", "list --api-key-file key"),
        ("pem", b"x", "list --ca-cert pem"),
        ("headers", b"x", "list -H @headers"),
        ("image", b"x", "send -m x --image image"),
        ("body", b"x", "send --body body"),
        ("body", b"x", "api POST agents/ --input body"),
        ("x", b"", "list --api-key-file /nonexistent"),
        ("x", b"", "list --ca-cert /nonexistent"),
        ("x", b"", "list -H @/nonexistent"),
        ("x", b"", "send -m x --image /nonexistent"),
        ("x", b"", "send -F /nonexistent"),
        ("x", b"", "send -F agentctl-data"),
        ("x", b"", "man --out x"),
        ("x", b"", "listen --exec /nonexistent --timeout 1ms"),
        ("x", b"", "serve --ready-file /nonexistent/x --in-memory --bind 127.0.0.1:0"),
    ] {
        let (env, mock) = (with_file(file, content), letta::done());
        let process = env.agentctl(line.split(' ')).env("LETTA_BASE_URL", mock.url()).env("LETTA_AGENT_ID", AGENT);
        check(&format!("{line}, {file}: {}", content.escape_ascii()), &process.stdin("key").run());
    }
    for (name, value) in [
        ("LETTA_API_KEY", &b"\xff"[..]),
        ("LETTA_BASE_URL", b"\xff"),
        ("LETTA_BASE_URL", b"h"),
        ("LETTA_BASE_URL", b"http://"),
        ("LETTA_PROJECT", b"\xc3\xa4\x07"),
        ("LETTA_CUSTOM_HEADERS", b"x"),
        ("AGENTCTL_PROFILE", b"nobody"),
        ("LETTA_AGENT_ID", b"agent-7"),
    ] {
        let env = TestEnv::new();
        let output = env.agentctl(["send", "-m", "x"]).env(name, OsStr::from_bytes(value)).run();
        check(&format!("{name}={}", value.escape_ascii()), &output);
    }
}

#[test]
fn errors_about_unreadable_answers_have_that_shape() {
    let mock = letta::done();
    let mut run = letta::run("completed", Some("requires_approval"));
    run["agent_id"] = Value::Null;
    mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([{"id": "odd", "name": "x"}]))]);
    mock.on("POST", "/v1/agents/", [Answer::json(200, &json!({"name": "x"}))]);
    for line in [
        &format!("approve {RUN}"),
        "send --agent x -m hi",
        "send --agent y -m hi",
        "agents show x",
        "messages run-33333333",
        "listen --timeout 1ms",
    ] {
        check(line, &agentctl(&mock, line));
    }
    let output = agentctl(&mock, "agents create --name x -o id");
    assert!(output.code() == 11 && output.stderr.contains("hint: "), "{output}");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a disk that is full");
    let env = TestEnv::new();
    check("schema run > /dev/full", &env.agentctl(["schema", "run"]).stdout_to(full).run());
}

#[test]
fn a_bad_value_points_to_the_help_of_its_command() {
    let output = TestEnv::new().agentctl(["--utc", "list", "--limit", "0"]).run();
    let error = output.error();
    assert_eq!(error["hint"], "see `agentctl list --help`", "{output}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("1 or more")), "{output}");
}

#[test]
fn counts_have_no_ids() {
    let output = TestEnv::new().agentctl(["list", "--stats", "-o", "id", "--local"]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
}
