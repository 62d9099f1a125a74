//! Tests of several processes that share a file. Each process is a server here; dropping one acts as killing it.

use std::time::Duration;

use super::*;
use crate::server::Adopt;

struct File {
    path: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

fn file() -> File {
    let dir = tempfile::tempdir().expect("a directory");
    File { path: dir.path().join("data/it.db"), _dir: dir }
}

/// Polls until a run has at least that many messages.
async fn until_messages(server: &Server, run: &RunId, count: usize) {
    let path = format!("/v1/runs/{run}/messages");
    wait_for(async || server.get(&path).await.as_array().map_or(0, Vec::len) >= count).await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_executes_one_run_at_a_time_across_processes() {
    let file = file();
    let one = Server::at(&file.path).await;
    let two = Server::at(&file.path).await;
    let agent = one.scripted().await;
    let other = one.scripted().await;
    let mut sent = Vec::new();
    for n in 0..6 {
        let server = if n % 2 == 0 { &one } else { &two };
        sent.push(server.send(&agent, json!({"input": "@sleep 1s\n@reply a"})).await);
    }
    let parallel = two.send(&other, json!({"input": "@hang"})).await;
    two.until(&parallel, "running").await;
    for (n, run) in sent.iter().enumerate() {
        let server = if n % 2 == 0 { &one } else { &two };
        let active = server.get(&format!("/v1/runs/?agent_id={agent}&statuses=running")).await;
        assert!(active.as_array().expect("a list").len() <= 1, "{active}");
        server.running.settle(run).await.expect("settled");
    }
    let runs = one.get(&format!("/v1/runs/?agent_id={agent}&order=asc")).await;
    let ends: Vec<(&str, &str)> = runs
        .as_array()
        .expect("a list")
        .iter()
        .map(|run| (run["created_at"].as_str().expect("a time"), run["completed_at"].as_str().expect("a time")))
        .collect();
    assert_eq!(ends.len(), 6);
    assert!(ends.is_sorted_by_key(|(_, completed)| *completed), "{ends:?}");
    assert_eq!(two.get(&format!("/v1/runs/{parallel}")).await["status"], "running");
    let connection = rusqlite::Connection::open(&file.path).expect("opened");
    let attempts = connection.query_row("SELECT max(attempt) FROM runs", [], |row| row.get(0));
    assert_eq!(attempts, Ok(1), "no run was claimed twice");
}

#[tokio::test]
async fn the_next_process_continues_after_the_last_stored_step() {
    let file = file();
    let first = Server::at(&file.path).await;
    let second = Server::at(&file.path).await;
    let agent = first.scripted().await;
    let run = first.send(&agent, json!({"input": "@reply a\n@tool t {}\n@sleep 300ms\n@reply b"})).await;
    until_messages(&first, &run, 4).await;
    drop(first);
    second.running.settle(&run).await.expect("settled");
    let run = second.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(end(&run), ("completed", "end_turn"));
    let messages = second.messages(&run).await;
    let expected =
        ["user_message", "assistant_message", "tool_call_message", "tool_return_message", "assistant_message"];
    assert_eq!(types(&messages), expected, "no message lost or duplicated");
    assert!(run["total_duration_ns"].as_u64().is_some_and(|ns| ns >= 300_000_000));
    let left = std::fs::read_dir(file.path.with_file_name("it.db.owners")).expect("there").count();
    assert_eq!(left, 1, "the owner file of the dead process was deleted");
}

#[tokio::test]
async fn a_run_fails_after_three_processes_have_died_over_it() {
    let file = file();
    let reader = Server::start(Store::File(file.path.clone()), false).await;
    let agent = reader.scripted().await;
    let run = reader.send(&agent, json!({"input": "@hang"})).await;
    for _ in 0..3 {
        let server = Server::at(&file.path).await;
        server.running.adopt(&agent.parse().expect("an id"));
        reader.until(&run, "running").await;
        // The owner is alive, so it is this process.
        wait_for(async || is_owned(&file.path, &run)).await;
        drop(server);
    }
    let server = Server::at(&file.path).await;
    server.running.settle(&run).await.expect("settled");
    let run = server.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(end(&run), ("failed", "error"));
    assert!(run["metadata"]["error"].as_str().is_some_and(|text| text.starts_with("worker lost: 3")), "{run}");
    assert_eq!(end(&server.run(&agent, "@reply a").await).0, "completed", "other runs are unaffected");
}

/// Whether the owner of a run is alive.
fn is_owned(path: &Path, run: &RunId) -> bool {
    let connection = rusqlite::Connection::open(path).expect("opened");
    let owner: String = connection
        .query_row("SELECT coalesce(owner, '') FROM runs WHERE id = ?", [run.as_str()], |row| row.get(0))
        .expect("a run");
    let owners = path.with_file_name("it.db.owners");
    std::fs::File::open(owners.join(owner)).is_ok_and(|file| file.try_lock().is_err())
}

#[tokio::test]
async fn a_process_with_an_expired_lease_loses_its_run_and_cannot_write_to_it() {
    let file = file();
    let slow = Server::at(&file.path).await;
    let quick = Server::at(&file.path).await;
    let agent = slow.scripted().await;
    let run = slow.send(&agent, json!({"input": "@sleep 300ms\n@reply a\n@sleep 300ms\n@reply b"})).await;
    slow.until(&run, "running").await;
    let connection = rusqlite::Connection::open(&file.path).expect("opened");
    connection.execute("UPDATE runs SET lease_until = 0", []).expect("expired");
    quick.running.settle(&run).await.expect("settled");
    slow.running.settle(&run).await.expect("settled");
    let after = slow.run(&agent, "@reply c").await;
    assert_eq!(end(&after).0, "completed");
    let run = slow.get(&format!("/v1/runs/{run}")).await;
    assert_eq!(types(&slow.messages(&run).await), ["user_message", "assistant_message", "assistant_message"]);
    let attempt = connection.query_row("SELECT attempt FROM runs LIMIT 1", [], |row| row.get(0));
    assert_eq!(attempt, Ok(2), "the second attempt");
}

#[tokio::test]
async fn a_graceful_stop_releases_runs_and_does_not_count_as_an_attempt() {
    let file = file();
    let reader = Server::start(Store::File(file.path.clone()), false).await;
    let agent = reader.scripted().await;
    let run = reader.send(&agent, json!({"input": "@reply a\n@sleep 200ms\n@reply b"})).await;
    for _ in 0..5 {
        let server = Server::at(&file.path).await;
        server.running.adopt(&agent.parse().expect("an id"));
        until_messages(&server, &run, 2).await;
        wait_for(async || is_owned(&file.path, &run)).await;
        server.running.stop().await;
        assert!(!is_owned(&file.path, &run));
    }
    let server = Server::at(&file.path).await;
    server.running.settle(&run).await.expect("settled");
    assert_eq!(end(&server.get(&format!("/v1/runs/{run}")).await), ("completed", "end_turn"));
}

#[tokio::test]
async fn a_cancel_by_another_process_is_final_and_the_agent_continues() {
    let file = file();
    let worker = Server::at(&file.path).await;
    let other = Server::start(Store::File(file.path.clone()), false).await;
    let agent = worker.scripted().await;
    let run = worker.send(&agent, json!({"input": "@hang"})).await;
    other.until(&run, "running").await;
    other.cancel(&agent, json!({"run_ids": [run.as_str()]})).await;
    assert_eq!(other.get(&format!("/v1/runs/{run}")).await["status"], "cancelled");
    assert_eq!(end(&worker.run(&agent, "@reply a").await).0, "completed");
    assert_eq!(worker.get(&format!("/v1/runs/{run}")).await["status"], "cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_does_not_execute_waits_for_one_that_does() {
    let file = file();
    let worker = Server::at(&file.path).await;
    let reader = Server::start(Store::File(file.path.clone()), false).await;
    let agent = worker.scripted().await;
    let run = worker.send(&agent, json!({"input": "@sleep 5s\n@reply a"})).await;
    reader.running.settle(&run).await.expect("settled");
    assert_eq!(reader.get(&format!("/v1/runs/{run}")).await["status"], "completed");
}

#[tokio::test]
async fn an_accepted_run_is_executed_after_a_restart() {
    let file = file();
    let first = Server::start(Store::File(file.path.clone()), false).await;
    let agent = first.agent("agentctl/echo").await;
    let run = first.send(&agent, json!({"input": "hi"})).await;
    drop(first);
    let second = Server::at(&file.path).await;
    second.running.settle(&run).await.expect("settled");
    assert_eq!(second.get(&format!("/v1/runs/{run}")).await["status"], "completed");
    tokio::time::timeout(Duration::from_secs(5), second.running.settle(&RunId::random()))
        .await
        .expect("nothing to do")
        .expect("settled");
}

#[tokio::test]
async fn a_failing_database_is_reported_to_every_waiter() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("it.db");
    let server = Server::at(&path).await;
    let agent = server.scripted().await;
    let full = "CREATE TRIGGER full BEFORE INSERT ON steps BEGIN SELECT RAISE(ABORT, 'no room'); END";
    rusqlite::Connection::open(&path).expect("opened").execute_batch(full).expect("made");
    let run = server.send(&agent, json!({"input": "@reply hi"})).await;
    assert!(server.running.failed().await.to_string().contains("no room"));
    let error = server.running.settle(&run).await.expect_err("it cannot go on");
    assert!(error.to_string().contains("no room"), "{error}");
}

#[tokio::test]
async fn a_foreign_file_is_rejected_and_unchanged() {
    let file = file();
    std::fs::create_dir(file.path.parent().expect("a directory")).expect("made");
    std::fs::write(&file.path, "notes").expect("written");
    let options = ServerOptions::new(Store::File(file.path.clone()), true);
    assert!(matches!(start(options).await.err(), Some(crate::server::StartError::Unusable(_))));
    assert_eq!(std::fs::read(&file.path).expect("there"), b"notes");
    let options = ServerOptions::new(Store::File(file.path.join("it.db")), true);
    assert!(matches!(start(options).await.err(), Some(crate::server::StartError::NotWritable(_))));
}

#[tokio::test]
async fn a_long_running_server_takes_over_open_runs_and_those_of_stopped_processes() {
    let file = file();
    let reader = Server::start(Store::File(file.path.clone()), false).await;
    let mut found = Vec::new();
    for _ in 0..3 {
        let agent = reader.scripted().await;
        found.push(reader.send(&agent, json!({"input": "@reply a"})).await);
    }
    let dying = Server::at(&file.path).await;
    let agent = dying.scripted().await;
    let left = dying.send(&agent, json!({"input": "@sleep 100ms\n@reply a"})).await;
    dying.until(&left, "running").await;
    let everything =
        ServerOptions { adopt: Adopt::Everything, ..ServerOptions::new(Store::File(file.path.clone()), true) };
    let server = Server::with(everything).await;
    for run in &found {
        server.until(run, "completed").await;
    }
    drop(dying);
    server.until(&left, "completed").await;
}

#[tokio::test]
async fn a_stopping_process_claims_no_run() {
    let server = Server::in_memory().await;
    assert!(server.running.engine.accepts_work());
    server.running.engine.stop().await;
    assert!(!server.running.engine.accepts_work(), "a run claimed now would count as lost");
}
