//! Tests of the test support, so that other tests can rely on it.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::panic::catch_unwind;
use std::process::Command;
use std::time::Duration;

use crate::support::pty::Pty;
use crate::support::{Answer, Gate, Mock, Seed, TestEnv, letta, mock};

/// Sends a request by hand and returns all that comes back.
fn ask(url: &str, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://"))?;
    let head = format!("{request} HTTP/1.1\r\nhost: test\r\ncontent-length: 2\r\nconnection: close\r\n\r\n");
    stream.write_all((head + "{}").as_bytes())?;
    // A connection that was reset already has no end to close; reading tells what became of it.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_process_sees_a_clean_environment() {
    let env = TestEnv::new();
    let output = env.bash("env | cut -d= -f1 | sort | tr '\\n' ' '; command -v agentctl").run();
    let (names, path) = output.stdout.split_once('/').expect("the path of agentctl");
    let inherited = |name: &&str| name.contains("LETTA") || name.to_lowercase().contains("proxy");
    assert_eq!(names.split(' ').find(inherited), None, "{output}");
    assert!(env!("CARGO_BIN_EXE_agentctl").ends_with(path.trim()), "{output}");
}

#[test]
fn a_process_that_hangs_is_killed_with_all_that_it_started() {
    let env = TestEnv::new();
    let hangs = || _ = env.bash("sleep 600 & sleep 600").limit(Duration::from_millis(200)).run();
    let panic = catch_unwind(std::panic::AssertUnwindSafe(hangs)).expect_err("a panic");
    let message = panic.downcast_ref::<String>().expect("a message");
    assert!(message.contains("did not end within its time limit"), "{message}");
}

/// The signals from 1 to 31 that a program ignores, given its line `SigIgn:` in Linux's hexadecimal mask.
fn ignored(line: &str) -> u64 {
    let mask = line.trim().strip_prefix("SigIgn:").expect("a mask").trim();
    u64::from_str_radix(mask, 16).expect("hexadecimal") & 0x7fff_ffff
}

#[test]
#[cfg(target_os = "linux")]
fn children_start_with_default_signals() {
    let env = TestEnv::new();
    // bash itself ignores SIGQUIT, but the programs that it starts do not.
    let script = "grep SigIgn /proc/self/status; true";
    assert_eq!(ignored(&env.bash(script).run().stdout), 0);
    assert_eq!(ignored(&Pty::bash(&env, script).spawn().wait().raw()), 0);
}

#[test]
#[cfg(target_os = "linux")]
fn children_start_with_default_signals_even_if_the_tests_ignore_some() {
    let script = "trap '' HUP INT QUIT TERM
        exec \"$0\" --exact harness_selftest::children_start_with_default_signals";
    let output = Command::new("bash").args(["-c", script]).arg(std::env::current_exe().expect("a path")).output();
    let output = output.expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn the_output_of_a_process_is_one_text() {
    let output = TestEnv::new().bash("echo out; echo err >&2; exit 3").run();
    insta::assert_snapshot!(output, @r"
    out
    ------- stderr -------
    err
    [exit 3]
    ");
    let output = TestEnv::new().bash("kill -INT $$").run();
    assert_eq!((output.to_string().as_str(), output.code(), output.signal()), ("[signal 2]", 130, Some(2)));
}

#[test]
fn the_peak_memory_of_a_process_is_measured() {
    let (output, peak) = TestEnv::new().bash("x=$(head -c 64M /dev/zero | tr '\\0' x); true").run_measured();
    assert!(peak > 64 << 10, "{peak} KiB\n{output}");
    // The memory of the tests themselves does not count.
    let ours = vec![1_u8; 96 << 20];
    let (output, peak) = TestEnv::new().bash("sleep 0.1").run_measured();
    assert!(peak < 64 << 10, "{peak} KiB beside {} bytes\n{output}", ours.len());
}

#[test]
fn the_mock_answers_in_order_repeats_the_last_and_remembers() {
    let mock = Mock::start();
    mock.on("GET", "/a", [Answer::status(503), Answer::body(200, "text/plain", "hi")]);
    for expected in ["503", "hi", "hi"] {
        assert!(ask(&mock.url(), "GET /a?b=c").expect("an answer").contains(expected));
    }
    assert!(ask(&mock.url(), "POST /a").expect("an answer").starts_with("HTTP/1.1 404"));
    let requests = mock.requests();
    assert_eq!((requests.len(), mock.connections(), mock.seen("POST").len()), (4, 4, 1));
    assert_eq!((requests[0].path.as_str(), requests[0].query.as_str()), ("/a", "b=c"));
    assert_eq!((requests[0].header("host"), requests[0].body.as_str()), (Some("test"), "{}"));
}

#[test]
fn the_mock_cuts_closes_and_resets() {
    let mock = Mock::start();
    mock.on("GET", "/cut", [Answer::body(200, "text/plain", "hello").cut(2)]);
    mock.on("GET", "/close", [Answer::close()]);
    mock.on("GET", "/reset", [Answer::reset()]);
    mock.on("GET", "/raw", [Answer::raw("nonsense")]);
    assert!(ask(&mock.url(), "GET /cut").expect("an answer").ends_with("content-type: text/plain\r\n\r\nhe"));
    assert_eq!(ask(&mock.url(), "GET /close").expect("an end"), "");
    assert_eq!(ask(&mock.url(), "GET /reset").expect_err("no end").kind(), ErrorKind::ConnectionReset);
    assert_eq!(ask(&mock.url(), "GET /raw").expect("an answer"), "nonsense");
}

#[test]
fn the_mock_holds_an_answer_until_told() {
    let (mock, gate) = (Mock::start(), Gate::default());
    mock.on("GET", "/a", [Answer::status(200).held(&gate)]);
    let url = mock.url();
    let asked = std::thread::spawn(move || ask(&url, "GET /a"));
    mock.wait_for("GET", 1);
    assert!(!asked.is_finished());
    gate.open();
    assert!(asked.join().expect("no panic").expect("an answer").starts_with("HTTP/1.1 200"));
}

#[test]
fn a_stopped_mock_refuses_and_can_come_back() {
    let mock = Mock::start();
    let address = mock.address();
    mock.stop();
    assert_eq!(ask(&format!("http://{address}"), "GET /").expect_err("nobody").kind(), ErrorKind::ConnectionRefused);
    assert!(ask(&Mock::start_at(address).url(), "GET /").is_ok());
    assert_eq!(ask(&mock::refusing(), "GET /").expect_err("nobody").kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn the_seed_knows_two_routes_and_nothing_else() {
    let seed = Seed::start();
    let post = format!("POST {}", letta::POST_PATH);
    for (request, expected) in [
        (post.as_str(), "\"created\""),
        ("GET /v1/runs/run-12345678", "\"running\""),
        ("GET /v1/runs/run-12345678", "\"running\""),
        ("GET /v1/runs/run-12345678", "\"end_turn\""),
        ("GET /v1/runs/run-12345678/messages", "404"),
        ("GET /v1/runs/", "404"),
        ("GET /v1/health/", "404"),
    ] {
        let answer = ask(&seed.0, request).expect("an answer");
        assert!(answer.contains(expected), "{request}: {answer}");
    }
}
