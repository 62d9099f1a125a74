//! Power may fail at any time: a write reaches the disk before it is answered.

use std::fs;
use std::process::Command;

use serde_json::json;

use super::life::{Life, Reach};
use crate::support::TestEnv;

/// How many messages are accepted while `strace` records.
const ACCEPTS: usize = 100;

/// The system calls that sync to disk, and those that send an answer.
const CALLS: &str = "trace=fsync,fdatasync,write,writev,sendto,sendmsg";

#[test]
fn agt_73_every_accept_is_synced_to_the_disk_before_it_is_answered() {
    if !Command::new("strace").args(["-qq", "true"]).output().is_ok_and(|output| output.status.success()) {
        println!("skipped: strace is not installed, or may not trace");
        return;
    }
    let (env, reach) = (TestEnv::new(), Reach::default());
    let trace = env.home().join("trace");
    let strace = ["strace", "-f", "-qq", "-s", "16", "-e", CALLS, "-o", "trace"];
    let life = Life::begin_under(&env, &reach, &strace, "");
    let agent = json!({"name": "a", "model": "agentctl/script"}).to_string();
    let agent = reach.ask("POST", "/v1/agents/", "", &agent).expect("an answer").body["id"].clone();
    let path = format!("/v1/agents/{}/messages/async", agent.as_str().expect("an id"));
    // The first run hangs and the others queue after it, so that only accepts are written.
    let body = json!({"input": "@hang"}).to_string();
    let status = || reach.ask("POST", &path, "", &body).expect("an answer").status;
    assert_eq!(status(), 200);
    let mut before = 2;
    loop {
        before += 1;
        if reach.get("/v1/runs/?statuses=running").as_array().is_some_and(|runs| !runs.is_empty()) {
            break;
        }
    }
    for _ in 0..ACCEPTS {
        assert_eq!(status(), 200);
    }
    life.end_inside();
    let answers = answers(&fs::read_to_string(&trace).expect("a trace"));
    let accepts = &answers[before..];
    assert_eq!(accepts.len(), ACCEPTS, "each answer was seen");
    assert!(accepts.iter().all(|syncs| *syncs > 0), "answered before it was durable: {accepts:?}");
}

/// For each answer, how often something was made durable since the one before.
fn answers(trace: &str) -> Vec<usize> {
    let (mut syncs, mut answers) = (0, vec![]);
    for line in trace.lines() {
        if line.contains("sync") && line.ends_with("= 0") {
            syncs += 1;
        } else if line.contains("\"HTTP/1.1 200") {
            answers.push(std::mem::take(&mut syncs));
        }
    }
    answers
}

#[test]
fn an_answer_that_no_sync_precedes_is_noticed() {
    let trace = "1 fdatasync(9) = 0\n2 writev(7, [{\"HTTP/1.1 200 OK\"...\n2 write(7, \"HTTP/1.1 200 OK\"...\n\
                 1 fdatasync(9 <unfinished ...>\n1 <... fdatasync resumed>) = 0\n2 write(7, \"HTTP/1.1 200 OK\"...";
    assert_eq!(answers(trace), [1, 0, 1]);
}
