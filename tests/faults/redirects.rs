//! Redirects and plain http: a key is sent to its own server only.

use crate::report::{Table, circumstances};
use crate::support::letta::{AGENT, POST_PATH, RUN, RUN_PATH};
use crate::support::{Answer, Mock, TestEnv};

/// A redirect: its name, the status, and the Location for (this server, the other one).
type Pointer = (&'static str, u16, fn(&str, &str) -> Option<String>);

const POINTERS: [Pointer; 14] = [
    ("301, other port", 301, |_, other| Some(format!("http://{other}{RUN_PATH}"))),
    ("302, other port", 302, |_, other| Some(format!("http://{other}{RUN_PATH}"))),
    ("303, other port", 303, |_, other| Some(format!("http://{other}{RUN_PATH}"))),
    ("307, other port", 307, |_, other| Some(format!("http://{other}{RUN_PATH}"))),
    ("308, other port", 308, |_, other| Some(format!("http://{other}{RUN_PATH}"))),
    ("307, other host", 307, |_, other| Some(format!("http://localhost:{}/", other.rsplit(':').next().unwrap_or("")))),
    ("307, to https", 307, |this, _| Some(format!("https://{this}{RUN_PATH}"))),
    ("307, same origin", 307, |this, _| Some(format!("http://{this}/login"))),
    ("307, //host", 307, |_, other| Some(format!("//{other}/"))),
    ("307, user name in it", 307, |this, other| Some(format!("http://{this}@{other}/"))),
    ("307, relative", 307, |_, _| Some("../login".to_owned())),
    ("307, no Location", 307, |_, _| None),
    ("307, to itself", 307, |this, _| Some(format!("http://{this}{RUN_PATH}"))),
    ("300, file:", 300, |_, _| Some("file:///etc/passwd".to_owned())),
];

#[test]
fn agt_53_no_redirect_is_followed_by_any_request() {
    let mut table =
        Table::new("redirects", &["the server answers", "request", "requests", "to the other server", "exit"]);
    let env = TestEnv::new();
    for (name, status, to) in POINTERS {
        for (request, line) in [("GET", format!("status {RUN}")), ("POST", format!("send --agent {AGENT} -m hi"))] {
            let (this, other) = (Mock::start(), Mock::start());
            let host = |mock: &Mock| mock.address().to_string();
            let answer = Answer::status(status);
            let answer = match to(&host(&this), &host(&other)) {
                Some(to) => answer.header("location", &to),
                None => answer,
            };
            this.on("GET", RUN_PATH, [answer.clone()]).on("POST", POST_PATH, [answer]);
            let output = env.agentctl(line.split(' ')).server(&this.url()).run();
            assert_eq!(
                (output.code(), this.requests().len(), other.connections()),
                (14, 1, 0),
                "{name} {request}\n{output}"
            );
            table.row(&[name, request, "1", "0", "14"]);
        }
    }
    table.publish(&format!("Servers that point elsewhere, and what agentctl did. {}.", circumstances()));
}

/// 203.0.113.7 is reserved for documentation (RFC 5737).
#[test]
fn agt_54_a_key_is_not_sent_over_plain_http_to_a_public_address() {
    let (env, proxy) = (TestEnv::new(), Mock::start());
    for url in ["http://203.0.113.7", "http://203.0.113.7:8283/letta", "http://[2001:db8::1]"] {
        for line in [format!("status {RUN}"), format!("send --agent {AGENT} -m hi")] {
            let process = env.agentctl(line.split(' ')).server(url);
            let output = process.env("http_proxy", proxy.url()).run();
            assert_eq!((output.code(), proxy.connections()), (14, 0), "{output}");
            assert!(!output.stderr.contains("test-key"), "{output}");
        }
    }
}
