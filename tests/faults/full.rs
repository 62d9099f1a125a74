//! A full disk: acknowledged runs survive, others are answered 507 or 503, and service resumes once there is room.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::report::{Table, circumstances, is_long};
use crate::support::TestEnv;
use crate::support::serve::{Serve, status};

/// The time limit for the accepted runs.
const LIMIT: Duration = Duration::from_secs(60);

/// Flags of `unshare`: a mount namespace in which an unprivileged process may mount.
const APART: [&str; 2] = ["-Urm", "--propagation=private"];

/// Mounts a disk of 4 MiB, half of it taken by a file that is removed once `freed` exists, and serves from it.
const DISK: &str = "mount -t tmpfs -o size=4m none disk && head -c 2m /dev/zero > disk/other || exit 1
    (while ! test -e freed; do sleep 0.05; done; rm disk/other; touch gone) >/dev/null 2>&1 &
    exec agentctl serve --bind 127.0.0.1:0 --print-env --db disk/it.db";

#[derive(Default)]
struct Ledger {
    acknowledged: Vec<String>,
    full: usize,
    other: Vec<String>,
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    if !Command::new("unshare")
        .args(APART)
        .args(["mount", "-t", "tmpfs", "none", "/mnt"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        eprintln!("skipped: this machine does not let unshare mount anything");
        return;
    }
    let env = TestEnv::new();
    fs::create_dir(env.home().join("disk")).expect("a directory");
    let serve = Serve::from(env.bash("exec unshare -Urm --propagation=private sh -c \"$DISK\"").env("DISK", DISK));
    let agent =
        document(&serve.ask("POST /v1/agents/", "", r#"{"name":"x"}"#))["id"].as_str().expect("an agent").to_owned();
    let mut ledger = Ledger::default();
    let beyond = if is_long() { 500 } else { 50 };
    while ledger.full < beyond && ledger.other.is_empty() {
        // Small ones may still find room where large ones do not.
        let length = if ledger.full % 2 == 0 { 50_000 } else { 10 };
        send(&serve, &agent, length, &mut ledger);
    }
    let accepted = ledger.acknowledged.len();
    fs::write(env.home().join("freed"), "").expect("written");
    wait("room", || env.home().join("gone").exists());
    wait("what is sent to be accepted again", || send(&serve, &agent, 10, &mut ledger));
    let unfinished = || ledger.acknowledged.iter().filter(|id| state(&serve, id) != "completed").count();
    wait("all to end", || unfinished() == 0);
    let lost = ledger.acknowledged.iter().filter(|id| state(&serve, id).is_empty()).count();
    let mut table =
        Table::new("full", &["accepted", "answered 507 or 503", "answered otherwise", "lost", "unfinished"]);
    let row = [accepted, ledger.full, ledger.other.len(), lost, unfinished()];
    table.row(&row.map(|number| number.to_string()));
    table.publish(&format!("A disk of 4 MiB, filled up, then with room again. {}.", circumstances()));
    assert_eq!((ledger.other, lost), (vec![], 0));
    assert!(accepted > 0, "there was room at first");
    assert_eq!(serve.stop().code(), 0);
}

/// Sends a message, and notes what is answered. Returns whether it was accepted.
fn send(serve: &Serve, agent: &str, length: usize, ledger: &mut Ledger) -> bool {
    let body = format!(r#"{{"input":"{}"}}"#, "x".repeat(length));
    let answer = serve.ask(&format!("POST /v1/agents/{agent}/messages/async"), "", &body);
    match status(&answer) {
        200 => ledger.acknowledged.push(document(&answer)["id"].as_str().expect("a run").to_owned()),
        507 | 503 => ledger.full += 1,
        _ => ledger.other.push(answer.clone()),
    }
    status(&answer) == 200
}

/// A run's status; empty where there is no such run.
fn state(serve: &Serve, id: &str) -> String {
    let run = document(&serve.ask(&format!("GET /v1/runs/{id}"), "", ""));
    run["status"].as_str().unwrap_or_default().to_owned()
}

fn document(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
    }
}
