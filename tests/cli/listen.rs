//! `listen` and `send --listen`: a callback is a hint, and the server is asked.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::callback::{self, about, post, request};
use crate::support::letta::{self, RUN, RUN_PATH, SEND, run_answer};
use crate::support::process::Running;
use crate::support::{Answer, Gate, Mock, Output, TestEnv, agentctl};

fn completed() -> Answer {
    run_answer("completed", Some("end_turn"))
}

/// The program as a listener, and its URL.
fn listening(env: &TestEnv, server: &Mock, args: &[&str]) -> (Running, String) {
    let running = env.agentctl([&["listen"], args].concat()).server(&server.url()).spawn();
    let url = said_url(&running);
    (running, url)
}

fn said_url(running: &Running) -> String {
    running.wait_for_stderr("\n");
    callback::url_in(&running.stderr_so_far())
}

#[test]
fn a_run_that_is_called_back_is_read_back_and_printed_as_watch_prints_it() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let (listener, url) = listening(&env, &mock, &["--count", "1"]);
    let token = url.rsplit('/').next().unwrap_or_default();
    assert!(url.starts_with("http://127.0.0.1:") && token.len() >= 32, "{url}");
    assert_eq!(post(&url, &about(RUN)), 204);
    let output = listener.wait();
    let watched = agentctl(&mock, &format!("watch {RUN}"));
    assert_eq!((output.code(), output.document()), (0, watched.document()), "{output}");
}

#[test]
fn a_false_or_early_callback_is_held_until_the_server_confirms_it() {
    let (env, mock, gate) = (TestEnv::new(), Mock::start(), Gate::default());
    mock.on("GET", RUN_PATH, [run_answer("running", None), completed().held(&gate)]);
    let (listener, url) = listening(&env, &mock, &["--count", "1"]);
    assert_eq!(post(&url, &about(RUN)), 204);
    mock.wait_for("GET", 2);
    assert_eq!(listener.stdout_so_far(), "", "it is at work, says the server");
    gate.open();
    let output = listener.wait();
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
}

#[test]
fn headers_that_are_unknown_or_reserved_are_not_printed() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let (listener, url) = listening(&env, &mock, &["--count", "1"]);
    let unknown = "run-99999999-2222-4222-8222-222222222222";
    assert_eq!(post(&url, &about(unknown)), 204);
    for (url, method, kind, body, expected) in [
        (format!("{}x", url), "POST", "application/json", about(RUN), 404),
        (
            url.rsplit_once('/').map(|(base, _)| format!("{base}/")).unwrap_or_default(),
            "POST",
            "application/json",
            about(RUN),
            404,
        ),
        (url.clone(), "GET", "application/json", String::new(), 405),
        (url.clone(), "POST", "text/plain", about(RUN), 415),
        (url.clone(), "POST", "application/json", "{}".to_owned(), 422),
        (url.clone(), "POST", "application/json", "nonsense".to_owned(), 422),
    ] {
        assert_eq!(request(&url, method, kind, &body), expected, "{method} {kind} {body}");
    }
    assert_eq!(post(&url, &about(RUN)), 204);
    let output = listener.wait();
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(RUN)), "{output}");
    assert!(!output.stderr.contains(unknown), "{output}");
}

#[test]
fn a_thousand_deliveries_of_one_run_run_the_command_once() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let exec = "sh -c 'echo \"$AGENTCTL_RUN_ID $AGENTCTL_STATUS\" >> ran; cat >> documents'";
    let (listener, url) = listening(&env, &mock, &["--exec", exec]);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| (0..20).for_each(|_| assert_eq!(post(&url, &about(RUN)), 204)));
        }
    });
    listener.wait_for_stdout("\n");
    listener.signal(Signal::INT);
    let output = listener.wait();
    assert_eq!((output.code(), &output.document()["id"]), (130, &json!(RUN)), "{output}");
    let read = |name: &str| std::fs::read_to_string(env.home().join(name)).unwrap_or_default();
    assert_eq!(read("ran"), format!("{RUN} completed\n"));
    let document: Value = serde_json::from_str(&read("documents")).expect("one document");
    assert_eq!(document, output.document(), "the command gets what is printed");
}

#[test]
fn no_text_of_a_run_is_executed() {
    let (env, mock) = (TestEnv::new(), Mock::start());
    let payload = "; touch x1\n$(touch x2)`touch x3`' | touch x4 #\0";
    let mut run = letta::run("completed", Some("end_turn"));
    run["status"] = payload.into();
    run["stop_reason"] = Value::Null;
    run["completed_at"] = "2026-11-23T14:56:09".into();
    run["metadata"]["error"] = payload.into();
    mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
    let (listener, url) = listening(&env, &mock, &["--count", "1", "--exec", "env"]);
    assert_eq!(post(&url, &about(RUN)), 204);
    let output = listener.wait();
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!(payload)), "{output}");
    assert!(output.stderr.contains(&format!("AGENTCTL_RUN_ID={RUN}")), "{output}");
    for name in ["x1", "x2", "x3", "x4"] {
        assert!(!env.home().join(name).exists(), "{name}");
    }
}

#[test]
fn a_failing_command_is_reported_and_one_that_cannot_start_ends_the_listener() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let (listener, url) = listening(&env, &mock, &["--count", "1", "--exec", "sh -c 'exit 3'"]);
    post(&url, &about(RUN));
    let output = listener.wait();
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stderr.contains("exit status: 3"), "{output}");
    let (listener, url) = listening(&env, &mock, &["--exec", "/no/such/program"]);
    post(&url, &about(RUN));
    let output = listener.wait();
    assert_eq!((output.code(), &output.error()["code"]), (13, &json!("hook")), "{output}");
    for bad in ["", "'open"] {
        assert_eq!(env.agentctl(["listen", "--exec", bad]).server(&mock.url()).run().code(), 2);
    }
}

#[test]
fn a_listener_ends_at_its_timeout_by_a_signal_or_if_its_port_is_taken() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let output = agentctl(&mock, "listen --timeout 200ms");
    assert_eq!((output.code(), &output.error()["code"]), (124, &json!("timeout")), "{output}");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    let output = agentctl(&mock, &format!("listen --bind {address}"));
    assert_eq!((output.code(), &output.error()["code"]), (13, &json!("port")), "{output}");
    let (listener, _) = listening(&env, &mock, &[]);
    listener.signal(Signal::TERM);
    assert_eq!(listener.wait().code(), 143);
    for flags in ["--bind nonsense", "--public-url ftp://x", "--public-url http://x/?y", "--count 0"] {
        assert_eq!(agentctl(&mock, &format!("listen {flags}")).code(), 2, "{flags}");
    }
    let output = agentctl(&mock, "listen --bind 0.0.0.0:0 --public-url https://hooks.example.org/in --timeout 1ms");
    assert!(output.stderr.contains("warning: other machines"), "{output}");
    assert!(output.stderr.contains("url: https://hooks.example.org/in/"), "{output}");
}

#[test]
fn a_listener_waits_for_a_server_that_is_away() {
    let (env, mock) = (TestEnv::new(), letta::letta([Answer::status(503), Answer::close(), completed()]));
    let (listener, url) = listening(&env, &mock, &["--count", "1"]);
    assert_eq!(post(&url, &about(RUN)), 204);
    let output = listener.wait();
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
}

/// Starts `send --listen` on a long run. Returns the callback URL that the server received.
fn sending(mock: &Mock, env: &TestEnv, flags: &str) -> (Running, String) {
    let line = format!("{SEND} --listen {flags}");
    let running = env.agentctl(line.split(' ')).server(&mock.url()).spawn();
    mock.wait_for("POST", 1);
    let url = mock.seen("POST")[0].json()["callback_url"].as_str().expect("a URL").to_owned();
    (running, url)
}

#[test]
fn a_true_callback_ends_the_wait_early_and_a_false_one_does_not() {
    let (env, mock) = (TestEnv::new(), letta::letta([run_answer("running", None)]));
    let (running, url) = sending(&mock, &env, "--wait");
    mock.wait_for("GET", 1);
    // Ten false callbacks at the right URL, and many at wrong ones.
    (0..10).for_each(|_| assert_eq!(post(&url, &about(RUN)), 204));
    (0..100).for_each(|number| assert_eq!(post(&format!("{url}{number}"), &about(RUN)), 404));
    assert_eq!(running.stdout_so_far(), "");
    mock.on("GET", RUN_PATH, [completed()]);
    let began = Instant::now();
    assert_eq!(post(&url, &about(RUN)), 204);
    let output = running.wait();
    assert!(began.elapsed() < Duration::from_secs(4), "earlier than a relaxed look: {:?}", began.elapsed());
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
}

#[test]
fn without_a_callback_looks_find_the_end() {
    let (env, mock) = (TestEnv::new(), letta::letta([run_answer("running", None), completed()]));
    let (running, _) = sending(&mock, &env, "--reply");
    let output = running.wait();
    assert_eq!((output.code(), output.stdout.as_str()), (0, "hello\n"), "{output}");
}

fn refused(mock: &Mock, line: &str) -> Output {
    let output = agentctl(mock, line);
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    output
}

#[test]
fn listen_and_a_callback_url_exclude_each_other() {
    let mock = letta::done();
    for flags in [
        "--listen",
        "--listen --wait --callback-url http://127.0.0.1:1/",
        "--listen --wait --set callback_url=http://127.0.0.1:1/",
        "--listen --dry-run",
        "--wait --bind 127.0.0.1:0",
        "--wait --public-url http://127.0.0.1:1/",
    ] {
        refused(&mock, &format!("{SEND} {flags}"));
    }
    assert_eq!(mock.connections(), 0);
}
