//! `serve -- COMMAND`: the command's environment, its signals, and how the two end.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::TestEnv;
use crate::support::pty::Pty;

#[test]
fn a_command_gets_the_server_and_its_code_is_passed_on() {
    let env = TestEnv::new();
    let script = r#"test -z "$(cat)" && agentctl send -m hi --reply && agentctl agents list -o human >&2
        curl -fsS -H "Authorization: Bearer $LETTA_API_KEY" "$LETTA_BASE_URL/v1/agents/$LETTA_AGENT_ID" | grep -q default
        exit 7"#;
    let output = env.agentctl(["serve", "--", "bash", "-c", script]).env("PATH", path(&env)).run();
    assert_eq!((output.code(), output.stdout.as_str()), (7, "hi\n"), "{output}");
    assert!(!env.home().join("agentctl-data/local.db").exists(), "it kept nothing");
}

fn path(env: &TestEnv) -> std::ffi::OsString {
    env.vars().into_iter().find(|(name, _)| *name == "PATH").map(|(_, value)| value).expect("a PATH")
}

#[test]
fn a_command_without_any_stream_runs_all_the_same() {
    let env = TestEnv::new();
    let script = "agentctl serve -- sh -c 'exit 3' <&- >&- 2>&-";
    assert_eq!(env.bash(script).run().code(), 3);
}

#[test]
fn a_command_that_a_signal_ends_counts_as_in_a_shell() {
    let env = TestEnv::new();
    let output = env.agentctl(["serve", "--", "sh", "-c", "kill -KILL $$"]).run();
    assert_eq!((output.code(), output.signal()), (137, None), "{output}");
}

#[test]
fn a_missing_command_is_a_local_error() {
    let env = TestEnv::new();
    let output = env.agentctl(["serve", "--", "no-such-command"]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (13, ""), "{output}");
    assert!(output.error()["message"].to_string().contains("`no-such-command`"), "{output}");
}

#[test]
fn the_command_gets_the_signals() {
    let env = TestEnv::new();
    let script = "trap 'exit 42' TERM; trap 'exit 43' INT; echo ready; while :; do sleep 0.05; done";
    for (signal, code) in [(Signal::TERM, 42), (Signal::INT, 43)] {
        let running = env.agentctl(["serve", "--", "sh", "-c", script]).spawn();
        running.wait_for_stdout("ready");
        running.signal(signal);
        let output = running.wait();
        assert_eq!(output.code(), code, "{output}");
    }
}

#[test]
fn a_command_that_does_not_listen_ends_with_the_second_signal() {
    let env = TestEnv::new();
    let script = "trap 'echo not now' TERM; echo $$; while :; do sleep 0.05; done";
    let running = env.agentctl(["serve", "--", "sh", "-c", script]).spawn();
    let command: i32 = running.first_line().parse().expect("a number");
    running.signal(Signal::TERM);
    running.wait_for_stdout("not now");
    running.signal(Signal::TERM);
    let output = running.wait();
    assert_eq!((output.code(), output.signal()), (143, Some(15)), "{output}");
    // The process that inherits it has to reap it.
    let state = || fs::read_to_string(format!("/proc/{command}/stat")).unwrap_or_default();
    let deadline = Instant::now() + Duration::from_secs(10);
    while state().rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])) {
        assert!(Instant::now() < deadline, "the command is still there");
    }
}

#[test]
fn ctrl_c_is_not_passed_on_wherever_the_input_comes_from() {
    if !Command::new("setsid").arg("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine has no setsid");
        return;
    }
    // This command has left the terminal's session: it gets only the signals that `serve` passes on, in order.
    let script = "trap 'echo passed on' INT; trap 'echo the end; exit 7' TERM; echo ready
        until test -e asked; do sleep 0.05; done; kill -TERM $PPID; while :; do sleep 0.05; done";
    for from in ["< /dev/null", ""] {
        let env = TestEnv::new();
        let line = format!("agentctl serve -- setsid sh -c \"$SCRIPT\" {from}; echo \"code $?\"");
        let pty = Pty::bash(&env, &line).env("PATH", path(&env).to_str().expect("a path")).env("SCRIPT", script);
        let mut running = pty.spawn();
        running.wait_for("ready");
        running.type_in("\u{3}");
        running.wait_for("^C");
        fs::write(env.home().join("asked"), "").expect("written");
        let screen = running.wait().raw();
        assert!(screen.contains("the end") && screen.contains("code 7"), "{from}: {screen}");
        assert!(!screen.contains("passed on"), "{from}: {screen}");
    }
}

#[test]
fn it_is_a_good_process_1() {
    let unshare = ["-Urpf", "--mount-proc"];
    if !Command::new("unshare").args(unshare).arg("true").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this machine does not let unshare make a process 1");
        return;
    }
    let env = TestEnv::new();
    // Process 1 inherits orphans, and the kernel drops signals that it does not handle.
    let script = "(sh -c 'echo $$ > orphan' &) ; while ! test -s orphan; do sleep 0.05; done; o=$(cat orphan)
        while test -e /proc/$o; do sleep 0.05; done; echo $PPID; exec sleep 100";
    let line =
        format!("cd '{}'; exec unshare -Urpf --mount-proc agentctl serve -- sh -c \"$SCRIPT\"", env.home().display());
    let running = env.bash(&line).env("SCRIPT", script).spawn();
    assert_eq!(running.first_line(), "1", "its orphan was reaped by process 1");
    let inside = fs::read_to_string(format!("/proc/{0}/task/{0}/children", running.id())).expect("its children");
    let serve: i32 = inside.trim().parse().expect("one child");
    rustix::process::kill_process(rustix::process::Pid::from_raw(serve).expect("an id"), Signal::TERM).expect("sent");
    let output = running.wait();
    assert_eq!(output.code(), 143, "the command got the signal: {output}");
}
