//! Tests that kill worker processes.

use std::process::{Child, Command, Stdio};

use super::*;

/// The variables that name the database and the agent for the child process.
const DATABASE: &str = "AGENTCTL_TEST_KILLED_DATABASE";
const AGENT: &str = "AGENTCTL_TEST_KILLED_AGENT";

/// Starts this test binary as a worker process that runs until it is killed.
fn spawn(path: &Path, agent: &str) -> Child {
    Command::new(std::env::current_exe().expect("a path"))
        .args(["--exact", "server::tests::killed::child", "--nocapture"])
        .env(DATABASE, path)
        .env(AGENT, agent)
        .stdout(Stdio::null())
        .spawn()
        .expect("started")
}

/// The worker process of the test below. Does nothing without its variables.
#[tokio::test]
async fn child() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    let Ok(agent) = std::env::var(AGENT) else { return };
    let server = Server::at(Path::new(&path)).await;
    server.running.adopt(&agent.parse().expect("an id"));
    std::future::pending().await
}

async fn completed(server: &Server, agent: &str) -> usize {
    let runs = server.get(&format!("/v1/runs/?agent_id={agent}&statuses=completed")).await;
    runs.as_array().expect("a list").len()
}

#[tokio::test]
async fn nothing_is_lost_or_duplicated_when_workers_are_killed_repeatedly() {
    const RUNS: usize = 24;
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let server = Server::start(Store::File(path.clone()), false).await;
    let agent = server.scripted().await;
    for _ in 0..RUNS {
        server.send(&agent, json!({"input": "@reply a\n@sleep 2ms\n@tool t {}\n@sleep 2ms\n@reply b"})).await;
    }
    let mut kills = 0;
    while completed(&server, &agent).await < RUNS {
        // Each worker lives until two more runs have ended: a run fails after the death of three workers.
        let goal = (completed(&server, &agent).await + 2).min(RUNS);
        let mut worker = spawn(&path, &agent);
        wait_for(async || completed(&server, &agent).await >= goal).await;
        worker.kill().expect("killed");
        worker.wait().expect("reaped");
        kills += 1;
    }
    assert!(kills >= 5, "only {kills} kills");
    for run in server.get(&format!("/v1/runs/?agent_id={agent}")).await.as_array().expect("a list") {
        assert_eq!(end(run), ("completed", "end_turn"));
        let expected =
            ["user_message", "assistant_message", "tool_call_message", "tool_return_message", "assistant_message"];
        assert_eq!(types(&server.messages(run).await), expected);
    }
}
