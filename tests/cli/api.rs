//! `api` calls any endpoint, with the key, the retries and the filter, but no other host.

use serde_json::{Value, json};

use crate::support::pty::Pty;
use crate::support::{Answer, Mock, Output, TestEnv};

/// Runs the program once; `stdin` is its standard input.
fn api_fed(server: &Mock, line: &str, stdin: &str) -> Output {
    TestEnv::new().agentctl(line.split(' ')).server(&server.url()).stdin(stdin).run()
}

fn api(server: &Mock, line: &str) -> Output {
    api_fed(server, line, "")
}

/// A server with this answer to GET /v1/things/.
fn things(answers: impl IntoIterator<Item = Answer>) -> Mock {
    let mock = Mock::start();
    mock.on("GET", "/v1/things/", answers);
    mock
}

#[test]
fn a_get_prints_the_answer_and_carries_the_key() {
    let mock = things([Answer::body(200, "application/json", r#"[{"id":"a","n":9007199254740993}, {"id":"b"}]"#)]);
    for path in ["/v1/things/", "v1/things/", "/things/", "things/"] {
        let output = api(&mock, &format!("api GET {path}"));
        assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
        assert_eq!(output.stdout, "[{\"id\":\"a\",\"n\":9007199254740993},{\"id\":\"b\"}]\n");
    }
    let output = api(&mock, "api get things/ -f limit=5 -f q=:x --jq .[].id");
    assert_eq!((output.code(), output.stdout.as_str()), (0, "a\nb\n"), "{output}");
    let last = mock.requests().pop().expect("a request");
    assert_eq!((last.query.as_str(), last.header("authorization")), ("limit=5&q=%3Ax", Some("Bearer test-key")));
    assert_eq!(api(&mock, "api GET things/ -o id").stdout, "a\nb\n");
}

#[test]
fn fields_are_a_body_and_input_is_one_too() {
    let mock = Mock::start();
    for method in ["POST", "PATCH", "PUT"] {
        mock.on(method, "/v1/things/", [Answer::json(200, &json!({"id": "new"}))]);
        let output = api(&mock, &format!("api {method} things/ -f name=5 -f a.b:=5"));
        assert_eq!(output.code(), 0, "{output}");
        let output = api_fed(&mock, &format!("api {method} things/?x=1 --input - -f y=2"), " {\"n\": 1.50}\n");
        assert_eq!(output.code(), 0, "{output}");
        let sent = mock.seen(method);
        assert_eq!(sent[0].json(), json!({"name": "5", "a": {"b": 5}}));
        assert_eq!((sent[1].body.trim(), sent[1].query.as_str()), ("{\"n\": 1.50}", "x=1&y=2"));
    }
}

#[test]
fn mistakes_are_found_before_anything_is_sent() {
    let mock = Mock::start();
    for line in [
        "api GET https://evil.example/v1/x",
        "api GET //evil.example/x",
        "api GET things/../../admin",
        "api GET things/%2e%2e/admin",
        "api BREW things/",
        "api GET things/ -f x",
        "api POST things/ -f n:=nope",
        "api GET things/ --input -",
        "api POST things/ --paginate",
        "api POST things/ --input /nonexistent",
        "api POST things/ --input -",
        "api GET things/ --jq nope",
    ] {
        let output = api_fed(&mock, line, "no JSON");
        assert!(matches!(output.code(), 2 | 13), "{line}\n{output}");
        assert!(!output.error()["message"].as_str().expect("a message").is_empty(), "{line}");
        assert_eq!((mock.connections(), output.stdout.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn the_exit_code_follows_from_the_status_and_the_body_is_shown() {
    for (status, exit) in [(401, 4), (402, 4), (403, 4), (404, 5), (400, 12), (409, 12), (422, 12)] {
        let mock = things([Answer::json(status, &json!({"detail": "no"}))]);
        let output = api(&mock, "api GET things/");
        assert_eq!((output.code(), output.stdout.as_str()), (exit, "{\"detail\":\"no\"}\n"), "{output}");
        assert_eq!(output.error()["http_status"], status, "{output}");
        let filtered = api(&mock, "api GET things/ --jq .detail");
        assert_eq!((filtered.code(), filtered.stdout.as_str()), (exit, ""), "{filtered}");
    }
    let elsewhere = things([Answer::status(307).header("Location", "/v1/things")]);
    let output = api(&elsewhere, "api GET things/");
    assert_eq!(output.code(), 14, "{output}");
    assert!(output.error()["hint"].as_str().expect("a hint").contains("slash"), "{output}");
}

#[test]
fn only_what_reads_is_repeated() {
    let mock = things([Answer::status(503), Answer::json(200, &json!({"id": "a"}))]);
    let output = api(&mock, "api GET things/ --jq .id");
    assert_eq!((output.code(), output.stdout.as_str(), mock.seen("GET").len()), (0, "a\n", 2), "{output}");
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        mock.on(method, "/v1/things/", [Answer::status(503), Answer::json(200, &json!({}))]);
        let output = api(&mock, &format!("api {method} things/"));
        assert_eq!((output.code(), mock.seen(method).len()), (10, 1), "{output}");
        assert!(output.error()["message"].as_str().expect("a message").contains("the request"), "{output}");
    }
}

#[test]
fn a_list_is_read_to_its_end_an_item_a_line() {
    let item = |id: &str| json!({"id": id});
    let page = |ids: &[&str]| Answer::json(200, &ids.iter().map(|id| item(id)).collect::<Value>());
    let mock = things([page(&["a", "b"]), page(&["b", "c"]), page(&[])]);
    let output = api(&mock, "api GET things/?limit=2 --paginate");
    assert_eq!(output.documents(), [item("a"), item("b"), item("c")], "{output}");
    let queries: Vec<String> = mock.requests().iter().map(|request| request.query.clone()).collect();
    assert_eq!(queries[..3], ["limit=2", "limit=2&after=b", "limit=2&after=c"]);
    let same = things([page(&["a", "b"])]);
    let output = api(&same, "api GET things/ --paginate --jq .id");
    assert_eq!((output.code(), output.stdout.as_str()), (0, "a\nb\n"), "{output}");
    assert!(same.seen("GET").len() <= 3, "a server without cursors is not asked for ever");
}

#[test]
fn a_page_that_fails_is_reported_after_those_that_arrived() {
    let mock = things([Answer::json(200, &json!([{"id": "a"}])), Answer::json(403, &json!({"detail": "no"}))]);
    let output = api(&mock, "api GET things/ --paginate --jq .id");
    assert_eq!((output.code(), output.stdout.as_str()), (4, "a\n"), "{output}");
}

#[test]
fn headers_come_first_and_cookies_are_not_shown() {
    let answer = Answer::json(201, &json!({"id": "a"})).header("X-Request-Id", "42").header("Set-Cookie", "s=canary");
    let mock = things([answer]);
    let output = api(&mock, "api GET things/ -i");
    assert!(output.stdout.starts_with("HTTP 201 Created\n"), "{output}");
    assert!(output.stdout.contains("x-request-id: 42\n") && !output.stdout.contains("canary"), "{output}");
    assert!(output.stdout.ends_with("\n\n{\"id\":\"a\"}\n"), "{output}");
}

#[test]
fn text_is_printed_as_it_is_and_made_safe_on_a_terminal() {
    let bytes = b"plain \x1b]0;title\x07 \xff\n".to_vec();
    let mock = things([Answer::body(200, "text/plain", bytes.clone())]);
    let env = TestEnv::new();
    let file = std::fs::File::create(env.home().join("out")).expect("a file");
    let output = env.agentctl(["api", "GET", "things/"]).server(&mock.url()).stdout_to(file).run();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(std::fs::read(env.home().join("out")).expect("the file"), bytes);
    let screen = Pty::agentctl(&env, ["api", "GET", "things/"]).server(&mock.url()).spawn().wait();
    assert!(screen.raw().contains("plain \\u{1b}]0;title\\u{7}"), "{:?}", screen.raw());
    let filtered = api(&mock, "api GET things/ --jq .");
    assert_eq!((filtered.code(), filtered.stdout.as_str()), (11, ""), "{filtered}");
}

#[test]
fn on_a_terminal_json_is_indented() {
    let mock = things([Answer::json(200, &json!({"id": "a"}))]);
    let screen = Pty::agentctl(&TestEnv::new(), ["api", "GET", "things/"]).server(&mock.url()).spawn().wait();
    assert!(screen.raw().contains("{\r\n  \"id\": \"a\"\r\n}"), "{:?}", screen.raw());
}

#[test]
fn the_local_engine_answers() {
    let env = TestEnv::new();
    let local = |args: &[&str]| env.agentctl(args.iter().chain(&["--local"])).run();
    let made = local(&["api", "POST", "agents/", "-f", "name=ada", "--jq", ".id"]);
    assert!(made.code() == 0 && made.stdout.starts_with("agent-"), "{made}");
    let named = local(&["api", "GET", "agents/", "--paginate", "--jq", ".name"]);
    assert_eq!((named.code(), named.stdout.as_str()), (0, "ada\n"), "{named}");
    let gone = local(&["api", "DELETE", &format!("agents/{}", made.stdout.trim())]);
    assert_eq!(gone.code(), 0, "{gone}");
    assert_eq!(local(&["api", "GET", "nowhere"]).code(), 5);
}
