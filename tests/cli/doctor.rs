//! `doctor` finds the problems that would stop commands, prints their fixes, and sets its exit code by them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::support::letta::AGENT;
use crate::support::mock::refusing;
use crate::support::process::Output;
use crate::support::{Answer, Mock, TestEnv};

/// A home that only its owner can read.
fn home() -> TestEnv {
    let env = TestEnv::new();
    fs::set_permissions(env.home().join("agentctl-data"), fs::Permissions::from_mode(0o700)).expect("a mode");
    env
}

/// A healthy server.
fn well() -> Mock {
    let mock = Mock::start();
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    mock.on("GET", "/v1/health/", [Answer::json(200, &json!({"version": "0.16.8"})).header("Date", &date)]);
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([]))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &json!({"id": AGENT}))]);
    mock
}

fn doctor(env: &TestEnv, url: &str, args: &[&str]) -> Output {
    env.agentctl(["doctor"].iter().chain(args)).server(url).run()
}

/// The checks by their names, in a state.
fn in_state(output: &Output, state: &str) -> Vec<String> {
    let checks = output.documents();
    let found = checks.iter().filter(|check| check["state"] == state);
    found.map(|check| check["check"].as_str().expect("a name").to_owned()).collect()
}

fn check(output: &Output, name: &str) -> Value {
    let checks = output.documents();
    checks.into_iter().find(|check| check["check"] == name).unwrap_or_else(|| panic!("{name}\n{output}"))
}

#[test]
fn on_a_healthy_setup_nothing_fails_and_nothing_is_changed() {
    let (env, mock) = (home(), well());
    let output = env.agentctl(["doctor", "-o", "json"]).server(&mock.url()).env("LETTA_AGENT_ID", AGENT).run();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(in_state(&output, "failed").len() + in_state(&output, "warning").len(), 0, "{output}");
    for name in
        ["config", "credentials", "data", "settings", "proxy", "connect", "server", "key", "agent", "latency", "clock"]
    {
        assert_eq!(check(&output, name)["state"], "ok", "{name}\n{output}");
    }
    assert!(mock.requests().iter().all(|request| request.method == "GET"));
    let left = fs::read_dir(env.home().join("agentctl-data")).expect("the folder").count();
    assert_eq!(left, 0, "nothing was made");
}

#[test]
fn the_same_is_printed_in_a_pipe_as_on_a_terminal() {
    let (env, mock) = (home(), well());
    let plain = doctor(&env, &mock.url(), &[]);
    assert!(plain.stdout.contains("✓ server: version 0.16.8\n"), "{plain}");
    let words = env.agentctl(["doctor"]).server(&mock.url()).env("ACCESSIBLE", "1").run();
    assert!(words.stdout.contains("ok server: version 0.16.8\n"), "{words}");
    for columns in ["40", "80"] {
        let narrow = env.agentctl(["doctor"]).server(&refusing()).env("COLUMNS", columns).run();
        let columns: usize = columns.parse().expect("a number");
        // A path or an address is not wrapped over two lines.
        let words = |line: &str| line.split_whitespace().count();
        let wide = narrow.stdout.lines().find(|line| line.chars().count() > columns && words(line) > 1);
        assert_eq!(wide, None, "{narrow}");
    }
}

#[test]
fn the_first_failure_is_the_exit_code() {
    let answers = |status: u16| {
        let mock = well();
        mock.on("GET", "/v1/agents/", [Answer::status(status)]);
        mock
    };
    let web_page = Mock::start();
    web_page.on("GET", "/v1/health/", [Answer::body(200, "text/html", "<title>Welcome</title>")]);
    let moved = Mock::start();
    moved.on("GET", "/v1/health/", [Answer::status(307).header("Location", "https://elsewhere.example/")]);
    for (mock, name, exit) in [(answers(401), "key", 4), (web_page, "server", 11), (moved, "server", 14)] {
        let output = doctor(&home(), &mock.url(), &["-o", "json"]);
        assert_eq!((output.code(), in_state(&output, "failed")), (exit, vec![name.to_owned()]), "{output}");
        let failed = check(&output, name);
        assert!(failed["fix"].is_string() && failed["exit"] == exit, "{output}");
    }
    let nobody = doctor(&home(), &refusing(), &["-o", "json"]);
    assert_eq!((nobody.code(), in_state(&nobody, "failed")), (9, vec!["connect".to_owned()]), "{nobody}");
}

#[test]
fn a_server_without_tls_is_reported_as_such() {
    let mock = well();
    let url = mock.url().replace("http://", "https://");
    let output = doctor(&home(), &url, &["-o", "json", "--request-timeout", "2s"]);
    assert_eq!((output.code(), in_state(&output, "failed")), (9, vec!["tls".to_owned()]), "{output}");
    assert!(check(&output, "tls")["fix"].as_str().expect("a fix").contains("https"), "{output}");
    assert_eq!(check(&output, "connect")["state"], "ok", "{output}");
}

#[test]
fn files_that_others_can_read_are_found() {
    let (env, mock) = (home(), well());
    let folder = env.home().join("config/agentctl");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("a mode");
    let file = folder.join("credentials.toml");
    fs::write(&file, "[keys]\n").expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
    fs::set_permissions(env.home().join("agentctl-data"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let output = doctor(&env, &mock.url(), &["-o", "json"]);
    assert_eq!(output.code(), 14, "{output}");
    assert!(check(&output, "credentials")["fix"].as_str().expect("a fix").contains("chmod"), "{output}");
    assert!(check(&output, "data")["fix"].as_str().expect("a fix").contains("chmod 700"), "{output}");
    fs::write(folder.join("config.toml"), "profiles = 1").expect("a file");
    let output = doctor(&env, &mock.url(), &["-o", "json"]);
    assert_eq!((output.code(), &check(&output, "config")["state"]), (2, &json!("failed")), "{output}");
}

#[test]
fn a_damaged_database_stops_local_commands_only() {
    let (env, mock) = (home(), well());
    assert_eq!(env.agentctl(["send", "--local", "-m", "hi", "-o", "none"]).run().code(), 0);
    let sound = env.agentctl(["doctor", "--local", "-o", "json"]).run();
    assert_eq!((sound.code(), &check(&sound, "database")["state"]), (0, &json!("ok")), "{sound}");
    fs::write(env.home().join("agentctl-data/local.db"), "this is no database at all").expect("a file");
    let output = env.agentctl(["doctor", "--local", "-o", "json"]).run();
    assert_eq!((output.code(), in_state(&output, "failed")), (13, vec!["database".to_owned()]), "{output}");
    let remote = doctor(&env, &mock.url(), &["-o", "json"]);
    assert_eq!((remote.code(), in_state(&remote, "warning")), (0, vec!["database".to_owned()]), "{remote}");
}

#[test]
fn clocks_that_differ_are_reported() {
    let mock = well();
    let answer = Answer::json(200, &json!({"version": "1"})).header("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
    mock.on("GET", "/v1/health/", [answer]);
    let output = doctor(&home(), &mock.url(), &["-o", "json"]);
    assert_eq!((output.code(), in_state(&output, "warning")), (0, vec!["clock".to_owned()]), "{output}");
}

#[test]
fn settings_that_cannot_be_used_are_a_check_like_others() {
    let output = TestEnv::new().agentctl(["doctor", "--base-url", "ftp://x", "-o", "json"]).run();
    assert_eq!((output.code(), in_state(&output, "failed")), (2, vec!["settings".to_owned()]), "{output}");
    let output = TestEnv::new().agentctl(["doctor", "-o", "json"]).env("LETTA_API_KEY", "").run();
    assert_eq!((output.code(), in_state(&output, "failed")), (4, vec!["settings".to_owned()]), "{output}");
}
