//! Attacks on a served engine: requests that must have no effect, and a server that must survive them.
//!
//! Most target a server without a key, so that the other checks alone must stop them.

mod corpus;
mod heavy;

use crate::report::Table;
use crate::support::mock::Answer;
use crate::support::serve::{Serve, status};
use crate::support::{Mock, TestEnv};

use serde_json::{Value, json};

/// The counts for one kind of attack.
struct Count {
    attack: &'static str,
    requests: usize,
    /// How many were answered 2xx.
    let_in: usize,
    /// New agents and runs, and requests that a canary received.
    effects: usize,
}

/// A server under attack, and what it holds.
struct Target {
    serve: Serve,
    agent: String,
    before: (usize, usize),
}

impl Target {
    fn start(flags: &[&str]) -> Self {
        let serve = Serve::start(&TestEnv::new(), &[&["--in-memory", "-v"], flags].concat());
        let created = serve.ask("POST /v1/agents/", "", r#"{"name":"target"}"#);
        let agent = body(&created)["id"].as_str().expect("an agent").to_owned();
        let mut target = Self { serve, agent, before: (0, 0) };
        target.before = target.held();
        target
    }

    /// How many agents and runs there are.
    fn held(&self) -> (usize, usize) {
        let count = |path: &str| body(&self.serve.ask(&format!("GET {path}"), "", "")).as_array().map_or(0, Vec::len);
        (count("/v1/agents/?limit=1000"), count("/v1/runs/?limit=1000"))
    }

    /// Sends requests that must all be refused.
    fn refuse(&self, attack: &'static str, allowed: &[u16], requests: &[String]) -> Count {
        let mut let_in = 0;
        for request in requests {
            let answer = self.serve.raw(request);
            let status = status(&answer);
            assert!(allowed.contains(&status), "{attack}: {status} {request:?}\n{answer}");
            let_in += usize::from((200..300).contains(&status));
        }
        self.count(attack, requests.len(), let_in)
    }

    /// Counts new agents and runs, and checks that the server still answers.
    fn count(&self, attack: &'static str, requests: usize, let_in: usize) -> Count {
        let held = self.held();
        assert_eq!(status(&self.serve.ask("GET /v1/health/", "", "")), 200, "{attack}: it is still there");
        Count { attack, requests, let_in, effects: held.0.abs_diff(self.before.0) + held.1.abs_diff(self.before.1) }
    }

    /// The request line that posts a message.
    fn send(&self) -> String {
        format!("POST /v1/agents/{}/messages/async", self.agent)
    }
}

fn body(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

#[test]
fn refused_requests_have_no_effect() {
    let open = Target::start(&["--no-auth"]);
    let counts = [
        hosts(&open),
        origins(&open),
        keys(),
        callback_urls(&open),
        redirected_callback(),
        open.refuse("no JSON", &[400, 413, 422, 431], &corpus::not_json(&open.send(), open.serve.address())),
        open.refuse("request smuggling", &[0, 200, 400, 405], &corpus::smuggling(&open.agent, open.serve.address())),
        metacharacters(&open),
        heavy::declared(&open),
        heavy::sent(&open),
        heavy::slow(&open),
    ];
    let mut table = Table::new("attacks", &["attack", "requests", "let in", "effects"]);
    for count in &counts {
        let number = |number: usize| number.to_string();
        table.row(&[count.attack.to_owned(), number(count.requests), number(count.let_in), number(count.effects)]);
    }
    table.publish(&format!("{}; the server answered afterwards each time.", crate::report::circumstances()));
    let effects: Vec<&str> = counts.iter().filter(|count| count.effects > 0).map(|count| count.attack).collect();
    assert!(effects.is_empty(), "these had an effect: {effects:?}");
    assert_eq!(open.serve.stop().code(), 0);
}

fn hosts(open: &Target) -> Count {
    let port = open.serve.address().port();
    let body = r#"{"name":"x"}"#;
    let post = |head: String| {
        let length = body.len();
        format!("{head}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
    };
    let mut requests: Vec<String> =
        corpus::hosts(port).iter().map(|host| post(format!("POST /v1/agents/ HTTP/1.1\r\nHost: {host}\r\n"))).collect();
    let own = format!("127.0.0.1:{port}");
    requests.extend([
        post("POST /v1/agents/ HTTP/1.1\r\n".to_owned()),
        post("POST /v1/agents/ HTTP/1.0\r\n".to_owned()),
        post(format!("POST /v1/agents/ HTTP/1.1\r\nHost: {own}\r\nHost: evil.example\r\n")),
        post(format!("POST http://evil.example/v1/agents/ HTTP/1.1\r\nHost: {own}\r\n")),
        post(format!("POST http://{own}/v1/agents/ HTTP/1.1\r\nHost: evil.example\r\n")),
    ]);
    let health = |host: &str| format!("GET /v1/health/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    requests.extend(corpus::hosts(port).iter().map(|host| health(host)));
    open.refuse("foreign Host", &[421], &requests)
}

fn origins(open: &Target) -> Count {
    let host = open.serve.address();
    let requests: Vec<String> = corpus::pages(host.port())
        .iter()
        .flat_map(|head| {
            ["application/json", "text/plain", "application/x-www-form-urlencoded"].map(|kind| {
                format!(
                    "POST /v1/agents/ HTTP/1.1\r\nHost: {host}\r\n{head}\r\nContent-Type: {kind}\r\nConnection: close\r\n\
                     Content-Length: 12\r\n\r\n{{\"name\":\"x\"}}"
                )
            })
        })
        .collect();
    let count = open.refuse("web pages: foreign Origin, CSRF", &[403], &requests);
    let preflight = format!(
        "OPTIONS /v1/agents/ HTTP/1.1\r\nHost: {host}\r\nOrigin: https://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nConnection: close\r\n\r\n"
    );
    let answer = open.serve.raw(&preflight).to_ascii_lowercase();
    assert!(status(&answer) == 403 && !answer.contains("access-control"), "{answer}");
    Count { requests: count.requests + 1, ..count }
}

fn keys() -> Count {
    let target = Target::start(&[]);
    let (host, key) = (target.serve.address(), &target.serve.key);
    let requests: Vec<String> = corpus::keys(key)
        .iter()
        .map(|head| {
            format!(
                "POST /v1/agents/ HTTP/1.1\r\nHost: {host}\r\n{head}Content-Type: application/json\r\n\
                 Connection: close\r\nContent-Length: 12\r\n\r\n{{\"name\":\"x\"}}"
            )
        })
        .collect();
    let count = target.refuse("no key, a wrong one, two", &[401], &requests);
    let bare = format!(
        "GET /v1/agents/ HTTP/1.1\r\nHost: {host}\r\nX-BARE-PASSWORD: password {key}\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(status(&target.serve.raw(&bare)), 200, "and the right one is let in");
    let log = target.serve.stop();
    assert!(!log.stderr.contains("sk-local-"), "no key in the log: {log}");
    count
}

fn callback_urls(open: &Target) -> Count {
    let canary = Mock::start();
    let urls = corpus::callback_urls(open.serve.address().port(), &canary.url());
    let bodies = urls.iter().map(|url| json!({"input": "hi", "callback_url": url}).to_string());
    for body in bodies {
        let answer = open.serve.ask(&open.send(), "", &body);
        assert_eq!(status(&answer), 422, "{body}\n{answer}");
    }
    let count = open.count("callback URLs that lead elsewhere", urls.len(), 0);
    Count { effects: count.effects + canary.connections(), ..count }
}

/// A receiver that was allowed sends the callback on, and the environment names a proxy: neither is followed.
fn redirected_callback() -> Count {
    let (canary, receiver, env) = (Mock::start(), Mock::start(), TestEnv::new());
    let to = format!("{}/elsewhere", canary.url());
    receiver.on("POST", "/hook", [Answer::status(307).header("location", &to)]);
    let flags = ["serve", "--bind", "127.0.0.1:0", "--print-env", "--in-memory"];
    let process = env.agentctl(flags);
    let proxied = ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"];
    let serve = Serve::from(proxied.iter().fold(process, |process, name| process.env(name, canary.url())));
    let url = format!("{}/hook", receiver.url());
    let sent = serve.reach(env.agentctl(["agents", "create", "--name", "x", "-o", "id"])).run();
    let agent = sent.stdout.trim();
    let send = ["send", "--agent", agent, "-m", "hi", "--callback-url", &url, "--wait"];
    assert_eq!(serve.reach(env.agentctl(send)).run().code(), 0);
    receiver.wait_for("POST", 1);
    assert_eq!(serve.stop().code(), 0);
    Count { attack: "a callback that is sent on", requests: 1, let_in: 0, effects: canary.connections() }
}

fn metacharacters(open: &Target) -> Count {
    let requests = corpus::metacharacters(&open.agent, open.serve.address());
    let mut let_in = 0;
    for request in &requests {
        let answer = open.serve.raw(request);
        let status = status(&answer);
        assert!(matches!(status, 200 | 400 | 404 | 405 | 422), "{status} {request:?}\n{answer}");
        // A query matches nothing.
        let nothing = matches!(body(&answer), Value::Array(rows) if rows.is_empty());
        let_in += usize::from(status == 200 && !nothing);
        assert!(!answer.contains("SQL") && !answer.contains("syntax"), "{answer}");
    }
    assert_eq!(let_in, 0);
    open.count("SQL metacharacters", requests.len(), let_in)
}
