//! A message is never resent on a guess: tests count the POSTs and check the exit code.

use std::cell::Cell;
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, SEND, run_answer};
use crate::support::process::{Process, Running};
use crate::support::{Answer, Gate, Mock, Output, TestEnv, agentctl, mock};

/// Sends one message to a server that answers the POST like this.
fn send(answers: impl IntoIterator<Item = Answer>) -> (Output, Mock) {
    let mock = letta::done();
    mock.on("POST", POST_PATH, answers);
    (agentctl(&mock, SEND), mock)
}

/// Exit code, error code, and whether the error is retryable.
fn verdict(output: &Output) -> (i32, String, bool) {
    let error = output.error();
    let word = error["code"].as_str().unwrap_or_default().to_owned();
    assert_eq!(error["exit"], output.code(), "{output}");
    (output.code(), word, error["retryable"].as_bool().expect("a bool"))
}

#[test]
fn a_message_that_may_have_been_accepted_is_exit_10_and_not_resent() {
    let page = || Answer::body(200, "text/html", "<html><title>Welcome</title></html>");
    let cases = [
        ("500", Answer::status(500)),
        ("502", Answer::status(502)),
        ("503", Answer::status(503)),
        ("503 with Retry-After", Answer::status(503).header("retry-after", "0.01")),
        ("504", Answer::status(504)),
        ("520", Answer::body(520, "text/html", "<html>")),
        ("408", Answer::status(408)),
        ("closed", Answer::close()),
        ("reset", Answer::reset()),
        ("cut 2xx", run_answer("created", None).cut(40)),
        ("cut to nothing", run_answer("created", None).cut(0)),
        ("2xx HTML", page()),
        ("2xx of another API", Answer::body(200, "application/json", r#"{"hello": "world"}"#)),
        ("2xx with an odd id", Answer::body(200, "application/json", r#"{"id": "../agents", "status": "created"}"#)),
        ("2xx garbage", Answer::body(200, "application/json", "\u{0}garbage")),
        ("2xx empty", Answer::body(200, "application/json", "")),
        ("no HTTP", Answer::raw("SSH-2.0-OpenSSH_9.2\r\n")),
    ];
    // Each searches once for the lost message, on a server that lists nothing.
    thread::scope(|scope| {
        let sending: Vec<_> =
            cases.into_iter().map(|(name, answer)| (name, scope.spawn(move || send([answer])))).collect();
        for (name, sending) in sending {
            let (output, mock) = sending.join().expect("no panic");
            assert_eq!(verdict(&output), (10, "outcome_unknown".into(), false), "{name}\n{output}");
            assert_eq!((mock.seen("POST").len(), output.stdout.as_str()), (1, ""), "{name}\n{output}");
            assert!(output.stderr.contains(AGENT), "{name}: the agent to look at is named\n{output}");
        }
    });
}

#[test]
fn a_refusal_is_final_and_has_its_own_code() {
    for (status, code) in
        [(400, 12), (401, 4), (402, 4), (403, 4), (404, 5), (405, 12), (409, 12), (413, 12), (422, 12)]
    {
        let (output, mock) = send([Answer::status(status)]);
        assert_eq!((output.code(), output.error()["http_status"].as_u64()), (code, Some(status.into())), "{output}");
        assert_eq!((mock.seen("POST").len(), output.stdout.as_str()), (1, ""), "{status}\n{output}");
        assert!(output.stderr.contains(&format!("status {status}")), "the server's words are told\n{output}");
    }
}

#[test]
fn too_many_requests_and_a_rolled_back_conflict_are_tried_again() {
    for first in [
        Answer::status(429).header("retry-after", "0.1"),
        Answer::status(429).header("retry-after-ms", "100"),
        Answer::status(409).header("retry-after", "0.1"),
    ] {
        let (output, mock) = send([first, run_answer("created", None)]);
        assert_eq!((output.code(), mock.seen("POST").len()), (0, 2), "{output}");
        let keys: Vec<_> =
            mock.seen("POST").iter().map(|post| post.header("idempotency-key").map(str::to_owned)).collect();
        assert!(keys[0].is_some() && keys[0] == keys[1], "the same message has the same key: {keys:?}");
        let bodies: Vec<_> = mock.seen("POST").iter().map(|post| post.body.clone()).collect();
        assert_eq!(bodies[0], bodies[1], "the same message has the same otid");
    }
}

#[test]
fn a_server_that_stays_overloaded_is_exit_9() {
    let (output, mock) = send([Answer::status(429).header("retry-after", "0.05")]);
    assert_eq!(verdict(&output), (9, "unreachable".into(), true), "{output}");
    assert_eq!(mock.seen("POST").len(), 3, "{output}");
}

#[test]
fn a_retry_after_that_is_too_long_is_reported_instead_of_waited_for() {
    let began = Instant::now();
    let (output, mock) = send([Answer::status(429).header("retry-after", "3600")]);
    assert_eq!((output.code(), mock.seen("POST").len()), (9, 1), "{output}");
    assert!(began.elapsed() < Duration::from_secs(20), "{output}");
}

#[test]
fn a_port_without_a_listener_is_exit_9() {
    let env = TestEnv::new();
    let output = env.agentctl(SEND.split(' ')).server(&mock::refusing()).run();
    assert_eq!(verdict(&output), (9, "unreachable".into(), true), "{output}");
    assert!(output.stderr.contains("LETTA_BASE_URL"), "where the address came from is told\n{output}");
}

#[test]
fn a_server_that_is_just_starting_gets_the_message_once() {
    let env = TestEnv::new();
    let stopped = Mock::start();
    let address = stopped.address();
    stopped.stop();
    let sending = env.agentctl(SEND.split(' ')).server(&stopped.url()).spawn();
    sending.wait_for_stderr("trying again");
    let mock = Mock::start_at(address);
    mock.on("POST", POST_PATH, [run_answer("created", None)]);
    let output = sending.wait();
    assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
}

#[test]
fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let target = letta::done();
        let to = format!("{}{POST_PATH}", target.url());
        let (output, mock) = send([Answer::status(status).header("location", &to)]);
        assert_eq!((output.code(), mock.seen("POST").len(), target.connections()), (14, 1, 0), "{output}");
        assert!(output.stderr.contains(&target.url()), "where to is told\n{output}");
    }
}

#[test]
fn a_signal_while_the_answer_is_awaited_is_exit_10() {
    let env = TestEnv::new();
    let mock = letta::done();
    let gate = Gate::default();
    mock.on("POST", POST_PATH, [run_answer("created", None).held(&gate)]);
    let sending = env.agentctl(SEND.split(' ')).server(&mock.url()).spawn();
    mock.wait_for("POST", 1);
    sending.signal(Signal::INT);
    let output = sending.wait();
    gate.open();
    assert_eq!(verdict(&output), (10, "outcome_unknown".into(), false), "{output}");
    assert_eq!(mock.seen("POST").len(), 1);
}

/// Ends a command by each signal. It must report that nothing was sent, and die of the signal.
fn ends_having_sent_nothing(start: impl Fn() -> Running) {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let sending = start();
        sending.signal(signal);
        let output = sending.wait();
        assert_eq!((output.code(), output.stdout.as_str()), (code, ""), "{output}");
        assert!(output.stderr.contains("nothing was sent") && !output.stderr.contains("unknown"), "{output}");
    }
}

#[test]
fn a_signal_between_two_tries_says_that_nothing_was_sent() {
    let env = TestEnv::new();
    let mock = letta::done();
    // The proxy refuses connections. The host beyond it is not this machine, so connecting is retried for a while.
    let unreachable = || elsewhere(&env, &mock::refusing());
    // The connection is made, and the server answers with Retry-After.
    mock.on("POST", POST_PATH, [Answer::status(429).header("retry-after", "10")]);
    let busy = || env.agentctl(SEND.split(' ')).server(&mock.url());
    for start in [&unreachable as &dyn Fn() -> Process, &busy] {
        ends_having_sent_nothing(|| {
            let sending = start().spawn();
            sending.wait_for_stderr("trying again");
            sending
        });
    }
    assert_eq!(mock.seen("POST").len(), 2, "one each");
}

#[test]
fn agt_05_a_signal_while_connecting_says_that_nothing_was_sent() {
    let env = TestEnv::new();
    let proxy = Mock::start();
    let gate = Gate::default();
    proxy.on("CONNECT", "*", [Answer::status(502).held(&gate)]);
    let started = Cell::new(0);
    ends_having_sent_nothing(|| {
        let sending = elsewhere(&env, &proxy.url()).spawn();
        started.set(started.get() + 1);
        proxy.wait_for("CONNECT", started.get());
        sending
    });
    gate.open();
}

/// Sends to a host that is reached through a proxy only.
fn elsewhere(env: &TestEnv, proxy: &str) -> Process {
    env.agentctl(SEND.split(' ')).server("https://letta.invalid").env("https_proxy", proxy)
}

#[test]
fn a_signal_after_the_first_try_may_have_been_read_is_exit_10_however_the_second_ends() {
    let env = TestEnv::new();
    let mock = letta::done();
    mock.on("POST", POST_PATH, [Answer::status(429).header("retry-after", "0.01"), Answer::close()]);
    let sending = env.agentctl(SEND.split(' ')).server(&mock.url()).spawn();
    sending.wait_for_stderr("looking for its run");
    sending.signal(Signal::INT);
    let output = sending.wait();
    assert_eq!(verdict(&output), (10, "outcome_unknown".into(), false), "{output}");
}

#[test]
fn an_answer_that_takes_too_long_is_exit_10() {
    let mock = letta::done();
    let gate = Gate::default();
    mock.on("POST", POST_PATH, [run_answer("created", None).held(&gate)]);
    let output = agentctl(&mock, &format!("{SEND} --request-timeout 300ms"));
    gate.open();
    assert_eq!(verdict(&output), (10, "outcome_unknown".into(), false), "{output}");
    assert_eq!(mock.seen("POST").len(), 1);
}

#[test]
fn agt_05_a_connection_that_times_out_leaves_nothing_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    // Nothing accepts from the queue, and it has room for one connection.
    rustix::net::listen(&listener, 0).expect("a shorter queue");
    let _fills_it = TcpStream::connect(address).expect("the one that fits");
    let env = TestEnv::new();
    let line = format!("{SEND} --request-timeout 400ms");
    let sending = env.agentctl(line.split(' ')).server(&format!("http://{address}")).spawn();
    sending.wait_for_stderr("the connection was not established in time; trying again");
    let output = sending.wait();
    assert_eq!(verdict(&output), (9, "unreachable".into(), true), "{output}");
}

/// Once the id is known, the exit code is never 9 or 10 again.
#[test]
fn after_the_id_is_known_the_exit_speaks_of_the_run() {
    let elsewhere = Answer::status(302).header("location", "http://127.0.0.1:9/");
    let cases = [
        ("401", Answer::status(401), 4),
        ("403", Answer::status(403), 4),
        ("302", elsewhere, 14),
        ("400", Answer::status(400), 124),
        ("422", Answer::status(422), 124),
        ("429", Answer::status(429), 124),
        ("500", Answer::status(500), 124),
        ("503", Answer::status(503), 124),
        ("closed", Answer::close(), 124),
        ("cut", run_answer("completed", Some("end_turn")).cut(10), 124),
        ("HTML", Answer::body(200, "text/html", "<html>"), 124),
    ];
    let watch = |answer: Answer| {
        let mock = letta::letta([run_answer("created", None), answer]);
        let output = agentctl(&mock, &format!("{SEND} --watch --max-outage 1s"));
        (output, mock.seen("POST").len())
    };
    // They wait most of the time: together they take as long as one.
    let watch = &watch;
    thread::scope(|scope| {
        let watching: Vec<_> =
            cases.into_iter().map(|(name, answer, code)| (name, scope.spawn(move || watch(answer)), code)).collect();
        for (name, watching, code) in watching {
            let (output, posts) = watching.join().expect("no panic");
            assert_eq!((output.code(), posts), (code, 1), "{name}\n{output}");
            assert_eq!(output.error()["run_id"], RUN, "{name}: the id is not lost\n{output}");
        }
    });
}

#[test]
fn a_run_that_is_missing_at_first_may_be_a_slow_replica() {
    let mock = letta::letta([Answer::status(404), Answer::status(404), run_answer("completed", Some("end_turn"))]);
    let output = agentctl(&mock, &format!("{SEND} --watch"));
    assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
}

#[test]
fn a_run_that_stays_missing_is_exit_5() {
    let mock = letta::letta([Answer::status(404)]);
    let output = agentctl(&mock, &format!("{SEND} --watch"));
    assert_eq!((output.code(), output.error()["run_id"].as_str()), (5, Some(RUN)), "{output}");
    let looks = mock.seen("GET").iter().filter(|get| get.path == RUN_PATH).count();
    assert!(looks > 3, "it was given time: {looks} looks");
}

#[test]
fn a_quota_that_is_used_up_is_not_asked_again() {
    let body = r#"{"error": "Rate limited", "reasons": ["premium-usage-exceeded"]}"#;
    let (output, mock) = send([Answer::body(429, "application/json", body).header("retry-after", "0.01")]);
    assert_eq!((output.code(), mock.seen("POST").len()), (9, 1), "{output}");
    assert!(output.stderr.contains("premium-usage-exceeded"), "{output}");
}
