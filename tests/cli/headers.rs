//! Headers that a person adds: sent with every request to the server, and never printed.

use serde_json::Value;

use crate::support::letta::{self, AGENT, RUN, SEND};
use crate::support::{Answer, Mock, TestEnv};

const SECRET: &str = "canary-7f3a";

#[test]
fn headers_go_with_every_request_by_precedence() {
    let env = TestEnv::new();
    let mock = letta::done();
    let file = env.write("headers.txt", format!("X-From-File: {SECRET}\n\nx-twice: 1\n"));
    let at_file = format!("@{}", file.display());
    let line = ["-H", "X-Tenant: flag", "--header", &at_file, "-H", "X-Twice: 2", "--watch"];
    let output = env
        .agentctl(SEND.split(' ').chain(line))
        .server(&mock.url())
        .env("LETTA_PROJECT_ID", "project-1")
        .env("LETTA_PROJECT", "alpha")
        .env("LETTA_CUSTOM_HEADERS", "X-Tenant: env\nX-Env: yes\n")
        .run();
    assert_eq!(output.code(), 0, "{output}");
    assert!(mock.requests().len() > 2, "the message, and looks at its run");
    for request in mock.requests() {
        for (name, value) in [
            ("x-tenant", "flag"),
            ("x-env", "yes"),
            ("x-from-file", SECRET),
            ("x-project-id", "project-1"),
            ("x-project", "alpha"),
            ("authorization", "Bearer test-key"),
        ] {
            assert_eq!(request.header(name), Some(value), "{name} {request:?}");
        }
        let twice = request.headers.iter().filter(|(name, _)| name == "x-twice").map(|(_, value)| value.as_str());
        assert_eq!(twice.collect::<Vec<_>>(), ["1", "2"]);
    }
}

#[test]
fn the_project_of_a_profile_gives_way_to_a_variable() {
    let env = TestEnv::new();
    let mock = letta::done();
    assert_eq!(env.agentctl(["config", "set", "project", "of-profile"]).run().code(), 0);
    let status = || env.agentctl(["status", RUN]).server(&mock.url());
    assert_eq!(status().run().code(), 0);
    assert_eq!(status().env("LETTA_PROJECT_ID", "id").run().code(), 0);
    let projects =
        |at: usize| ["x-project", "x-project-id"].map(|name| mock.requests()[at].header(name).map(str::to_owned));
    assert_eq!(projects(0), [Some("of-profile".to_owned()), None]);
    assert_eq!(projects(1), [None, Some("id".to_owned())]);
}

#[test]
fn headers_are_not_sent_to_the_target_of_a_redirect() {
    let mock = Mock::start();
    let elsewhere = Mock::start();
    mock.on("GET", "*", [Answer::status(307).header("location", &elsewhere.url())]);
    let env = TestEnv::new();
    let output = env.agentctl(["status", RUN, "-H", &format!("X-Key: {SECRET}")]).server(&mock.url()).run();
    assert_eq!((output.code(), elsewhere.connections()), (14, 0), "{output}");
}

#[test]
fn header_values_are_not_printed() {
    let env = TestEnv::new();
    let mock = letta::done();
    let header = format!("X-Key: {SECRET}");
    let preview = |flag: &str| {
        let send = ["send", "--agent", AGENT, "-m", "it's", flag, "-H", header.as_str()];
        env.agentctl(send).server(&mock.url()).env("LETTA_PROJECT", "alpha").run()
    };
    let dry = preview("--dry-run");
    assert_eq!(dry.document()["headers"]["X-Key"], "(redacted)", "{dry}");
    assert_eq!(dry.document()["headers"]["X-Project"], "alpha", "{dry}");
    let curl = preview("--curl");
    assert!(curl.stderr.contains("set HEADER_X_KEY to the value of X-Key"), "{curl}");
    let verbose = env.agentctl(["status", RUN, "-vv", "-H", &header]).server(&mock.url()).run();
    assert!(verbose.stderr.contains("header: x-key: (redacted) (from -H)"), "{verbose}");
    let listed = env.agentctl(["config", "list", "-H", &header]).run();
    assert!(listed.stdout.contains("x-key: (redacted)"), "{listed}");
    for output in [&dry, &curl, &verbose, &listed] {
        assert!(!output.to_string().contains(SECRET), "{output}");
    }
    // The command that is printed does what it says.
    let script = format!("HEADER_X_KEY={SECRET} && eval \"$COMMAND\"");
    let pasted = env.bash(&script).env("COMMAND", curl.stdout.trim()).env("LETTA_API_KEY", "k").run();
    assert_eq!(pasted.code(), 0, "{pasted}");
    let request = mock.seen("POST").remove(0);
    assert_eq!(request.header("x-key"), Some(SECRET));
    assert_eq!(request.json()["messages"][0]["content"], "it's");
}

#[test]
fn an_invalid_header_is_refused_before_anything_is_sent() {
    let env = TestEnv::new();
    let mock = letta::done();
    for header in [
        "Authorization: Bearer canary-7f3a",
        "X-BARE-PASSWORD: canary-7f3a",
        "Host: canary-7f3a",
        "content-length: 7",
        "canary-7f3a",
        "X Y: canary-7f3a",
        "X-Y: canary-7f3a\r\nX-Z: 1",
        "X-Y: canary-7f3a\u{1b}[2J",
    ] {
        let by_flag = env.agentctl(["status", RUN, "-H", header]).server(&mock.url());
        // In the variable every line is a header of its own.
        let by_env = env.agentctl(["status", RUN]).server(&mock.url()).env("LETTA_CUSTOM_HEADERS", header);
        for process in [Some(by_flag), (!header.contains('\n')).then_some(by_env)].into_iter().flatten() {
            let output = process.run();
            assert_eq!((output.code(), mock.connections()), (2, 0), "{output}");
            assert!(!output.to_string().contains("canary"), "{output}");
            assert!(matches!(output.error()["hint"], Value::String(_)), "{output}");
        }
    }
    let missing = env.agentctl(["status", RUN, "-H", "@no-such-file"]).server(&mock.url()).run();
    assert_eq!(missing.code(), 13, "{missing}");
    let local = env.agentctl(["agents", "list", "--local", "-H", "Host: x"]).run();
    assert_eq!(local.code(), 2, "{local}");
}
