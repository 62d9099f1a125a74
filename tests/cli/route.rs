//! The way to a server: addresses, names, proxies, and servers of other protocols.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::letta::{self, RUN, SEND, run_answer};
use crate::support::process::Process;
use crate::support::{Answer, Mock, TestEnv, agentctl};

/// A key that must not be seen anywhere.
const CANARY: &str = "sk-canary-0123456789";

/// A command with the canary for a key.
fn keyed(env: &TestEnv, line: &str, url: &str) -> Process {
    let process = env.agentctl(line.split(' '));
    process.env("LETTA_BASE_URL", url).env("LETTA_API_KEY", CANARY)
}

#[test]
fn a_key_does_not_go_over_plain_http_to_a_public_address() {
    let env = TestEnv::new();
    for url in ["http://203.0.113.7", "http://[2001:db8::7]", "http://8.8.8.8:8283"] {
        let output = keyed(&env, SEND, url).limit(Duration::from_secs(10)).run();
        assert_eq!(output.code(), 14, "{output}");
        assert!(output.stderr.contains("--allow-plain-http"), "{output}");
    }
}

#[test]
fn a_key_over_plain_http_does_not_go_through_a_proxy_either() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    let output = keyed(&env, SEND, "http://203.0.113.7").env("http_proxy", proxy.url()).run();
    assert_eq!(output.code(), 14, "{output}");
    assert!(proxy.requests().is_empty(), "not a byte is sent: {:?}", proxy.requests());
}

#[test]
fn loopback_is_never_proxied() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    let mock = letta::done();
    let port = mock.address().port();
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
    for host in ["127.0.0.1", "localhost"] {
        let process = env.agentctl(["status", RUN]).server(&format!("http://{host}:{port}"));
        let output = names.iter().fold(process, |process, name| process.env(name, proxy.url())).run();
        assert_eq!((output.code(), proxy.connections()), (0, 0), "{host}\n{output}");
    }
}

#[test]
fn other_addresses_are_proxied_as_curl_does_it() {
    let status = |env: &TestEnv, proxy: &Mock, name: &str, no_proxy: &str| {
        let process = env.agentctl(["status", RUN]).env("LETTA_BASE_URL", "http://letta.invalid");
        process.env(name, proxy.url()).env("NO_PROXY", no_proxy).spawn()
    };
    for name in ["http_proxy", "ALL_PROXY"] {
        let env = TestEnv::new();
        let proxy = Mock::start();
        let output = status(&env, &proxy, name, "").wait();
        assert!(!proxy.requests().is_empty(), "{name}\n{output}");
    }
    // A request header could set the one in capitals in CGI.
    for (name, no_proxy) in [("HTTP_PROXY", ""), ("http_proxy", "letta.invalid")] {
        let env = TestEnv::new();
        let proxy = Mock::start();
        let asking = status(&env, &proxy, name, no_proxy);
        // It has failed to resolve the host itself, and is about to try again.
        asking.wait_for_stderr("letta.invalid");
        asking.signal(Signal::TERM);
        let output = asking.wait();
        assert_eq!((output.code(), proxy.connections()), (143, 0), "{name} {no_proxy}\n{output}");
    }
}

/// A name that is invalid without asking a name server: its label is too long.
fn impossible(scheme: &str) -> String {
    format!("{scheme}://{}.invalid", "a".repeat(64))
}

#[test]
fn agt_06_an_unknown_host_name_is_reported_soon() {
    let env = TestEnv::new();
    let url = impossible("http");
    for line in [SEND, &format!("status {RUN}"), &format!("watch {RUN}")] {
        let output = keyed(&env, line, &url).run();
        assert_eq!(output.code(), 9, "{output}");
        assert!(output.stderr.contains("after 2 tries") && output.stderr.contains("check the name"), "{output}");
        let keyless = env.agentctl(line.split(' ')).env("LETTA_BASE_URL", &url).run();
        assert!(keyless.code() == 9 && keyless.stderr.contains("after 2 tries"), "{keyless}");
    }
}

#[test]
fn an_invalid_name_is_not_tried_again() {
    let env = TestEnv::new();
    for url in [impossible("https"), "https://a..b".to_owned(), "https://-a-.invalid".to_owned()] {
        let output = keyed(&env, SEND, &url).run();
        assert_eq!((output.code(), output.error()["code"].as_str()), (9, Some("unreachable")), "{output}");
        assert!(!output.stderr.contains("trying again") && output.stderr.contains("check the name"), "{output}");
    }
}

#[test]
fn agt_18_a_proxy_that_wants_a_password_is_asked_once_and_named() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    let server = "https://letta.invalid";
    proxy.on("CONNECT", "letta.invalid:443", [Answer::json(407, &json!({}))]);
    for line in [SEND.to_owned(), format!("status {RUN}"), format!("watch {RUN}")] {
        for name in ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            let output = keyed(&env, &line, server).env(name, proxy.url()).run();
            assert_eq!((output.code(), output.error()["code"].as_str()), (12, Some("proxy_auth")), "{output}");
            let message = output.error()["message"].as_str().expect("a message").to_owned();
            assert!(message.contains(&proxy.url()) && message.contains("nothing was sent"), "{output}");
            let hint = format!("{}=http://USER:PASSWORD@{}", name.to_uppercase(), proxy.address());
            assert!(output.error()["hint"].as_str().is_some_and(|said| said.ends_with(&hint)), "{output}");
            assert!(!output.to_string().contains(CANARY), "{output}");
        }
    }
    assert_eq!(proxy.requests().len(), 12, "once each: {:?}", proxy.requests());
    for request in proxy.requests() {
        assert_eq!((request.method.as_str(), request.header("authorization")), ("CONNECT", None));
    }
}

#[test]
fn a_password_that_the_proxy_does_not_take_is_not_repeated() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    proxy.on("CONNECT", "letta.invalid:443", [Answer::json(407, &json!({}))]);
    let address = format!("http://user:{CANARY}@{}", proxy.address());
    let output = keyed(&env, &format!("status {RUN} -vv"), "https://letta.invalid").env("HTTPS_PROXY", address).run();
    assert_eq!((output.code(), proxy.requests().len()), (12, 1), "{output}");
    assert!(output.stderr.contains("check the user name and password in HTTPS_PROXY"), "{output}");
    assert!(!output.to_string().contains(CANARY), "{output}");
    assert!(proxy.requests()[0].header("proxy-authorization").is_some_and(|sent| sent.starts_with("Basic ")));
}

#[test]
fn over_plain_http_too_it_is_the_proxy_that_is_named() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    for method in ["GET", "POST"] {
        proxy.on(method, "*", [Answer::body(407, "text/html", "<title>Access Denied</title>")]);
    }
    let server = |line: &str| env.agentctl(line.split(' ')).env("LETTA_BASE_URL", "http://letta.invalid");
    for line in [SEND.to_owned(), format!("status {RUN}")] {
        let output = server(&line).env("http_proxy", proxy.url()).run();
        assert_eq!((output.code(), output.error()["code"].as_str()), (12, Some("proxy_auth")), "{output}");
        assert!(output.stderr.contains(&format!("the proxy {} requires", proxy.url())), "{output}");
    }
    assert_eq!(proxy.requests().len(), 2);
    let output = agentctl(&proxy, &format!("status {RUN}"));
    assert_eq!((output.code(), output.error()["code"].as_str()), (12, Some("refused")), "no proxy: {output}");
}

/// Greetings of other protocols.
const NO_HTTP: [&[u8]; 5] = [
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"-ERR unknown command\r\n",
    // The alert of a server that speaks TLS.
    &[21, 3, 3, 0, 2, 2, 70],
    b"HTTP/1.1 200 -\r\ncontent-length: 5\r\ncontent-length: 7\r\n\r\n{}",
    b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}",
];

#[test]
fn agt_11_a_server_that_does_not_speak_http_is_reported_at_the_first_try() {
    for words in NO_HTTP {
        for line in [format!("status {RUN}"), "list".to_owned(), format!("watch {RUN}")] {
            let mock = Mock::start();
            mock.on("GET", "/v1/*", [Answer::raw(words)]);
            let output = agentctl(&mock, &line);
            let said = String::from_utf8_lossy(words);
            assert_eq!((output.code(), mock.connections()), (11, 1), "{line}, {said:?}\n{output}");
            assert!(output.stderr.contains("check host and port"), "{output}");
        }
    }
}

/// A mail server, for example, sends before it gets a request.
#[test]
fn a_server_that_sends_before_the_request_does_not_speak_http() {
    let env = TestEnv::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
            // Holds the connection until the other side is gone.
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let output = keyed(&env, &format!("status {RUN}"), &url).run();
    assert_eq!(output.code(), 11, "{output}");
    assert!(!output.stderr.contains("trying again"), "{output}");
}

#[test]
fn a_message_answered_in_another_protocol_is_unknown_at_once() {
    for words in NO_HTTP {
        let mock = Mock::start();
        for method in ["GET", "POST"] {
            mock.on(method, "*", [Answer::raw(words)]);
        }
        let output = agentctl(&mock, SEND);
        assert_eq!((output.code(), mock.seen("POST").len()), (10, 1), "{output}");
        assert_eq!(mock.seen("GET").len(), 3, "it asks how the server is, and for runs and messages, once\n{output}");
    }
}

#[test]
fn a_connection_that_is_cut_or_reset_is_tried_again() {
    for lost in [Answer::close(), Answer::reset(), Answer::raw("HT"), Answer::raw("HTTP/1.1 200 -\r\ncontent-le")] {
        let mock = letta::letta([lost, run_answer("completed", Some("end_turn"))]);
        let output = agentctl(&mock, &format!("status {RUN}"));
        assert_eq!((output.code(), mock.seen("GET").len()), (0, 2), "{output}");
    }
}

#[test]
fn a_watch_survives_an_answer_that_is_not_http() {
    let looks = [run_answer("running", None), Answer::raw("nonsense"), run_answer("completed", Some("end_turn"))];
    let output = agentctl(&letta::letta(looks), &format!("watch {RUN} --interval 50ms"));
    assert_eq!(output.code(), 0, "{output}");
}

#[test]
fn a_plain_server_behind_an_https_url_gets_nothing_readable() {
    let env = TestEnv::new();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let heard = std::thread::spawn(move || {
        let mut heard = Vec::new();
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a time limit");
        let _ = std::io::Read::read_to_end(&mut stream, &mut heard);
        heard
    });
    let output = keyed(&env, &format!("{SEND} --request-timeout 1s"), &url).run();
    assert!(output.code() != 0, "{output}");
    let heard = heard.join().expect("no panic");
    assert!(!heard.is_empty() && !String::from_utf8_lossy(&heard).contains(CANARY));
}
