//! More clients than the server handles at once: each is answered, accepted runs end, and the server survives.

use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::report::{Table, circumstances, is_long};
use crate::support::TestEnv;
use crate::support::serve::{Serve, status};

/// The time limit for all of it.
const LIMIT: Duration = Duration::from_secs(240);
/// How many connections a server keeps to its database for the next reader, with two files each.
const OF_READERS: usize = 16;

/// The answers to the clients, counted.
#[derive(Default)]
struct Told {
    accepted: Vec<String>,
    /// 503 with `Retry-After`.
    refused: usize,
    other: Vec<String>,
}

#[test]
fn every_client_of_a_crowd_is_answered_and_accepted_runs_end() {
    let clients = room_for(if is_long() { 10_000 } else { 1_500 });
    let env = TestEnv::new();
    let serve = Serve::start(&env, &[]);
    let agents: Vec<String> = (0..100).map(|_| agent(&serve)).collect();
    let requests: Vec<String> = agents.iter().map(|agent| send(&serve, agent)).collect();
    let before = descriptors(&serve);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let told = runtime.block_on(crowd(serve.address(), &requests, clients));
    assert_eq!(told.other, [""; 0], "neither accepted nor turned away");
    let unfinished = unfinished(&serve);
    let listed = listed(&serve).len();
    // Without /proc both counts are 0.
    let left = descriptors(&serve).saturating_sub(before + OF_READERS);
    let peak = serve.process().peak_kib() >> 10;
    let output = serve.stop();
    assert_eq!(output.code(), 0, "{output}");
    let columns = ["clients", "accepted", "turned away", "listed", "unfinished", "files left open", "peak"];
    let mut table = Table::new("overload", &columns);
    let row = [clients, told.accepted.len(), told.refused, listed, unfinished, left];
    let cells: Vec<String> = row.iter().map(ToString::to_string).chain([format!("{peak} MiB")]).collect();
    table.row(&cells);
    table.publish(&format!("All connect at once, each on its own connection, to 100 agents. {}.", circumstances()));
    assert_eq!((listed, unfinished, left), (told.accepted.len(), 0, 0));
    assert!(peak < 200, "{peak} MiB");
}

/// Raises the limit of open files for so many connections. Returns how many are possible.
pub fn room_for(clients: usize) -> usize {
    let limits = getrlimit(Resource::Nofile);
    // If this is refused, the limit read below is the old one.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limits.maximum, maximum: limits.maximum });
    let room = getrlimit(Resource::Nofile).current.and_then(|room| usize::try_from(room).ok());
    clients.min(room.map_or(clients, |room| room.saturating_sub(200)))
}

async fn crowd(address: SocketAddr, requests: &[String], clients: usize) -> Told {
    let mut crowd: JoinSet<String> =
        (0..clients).map(|client| ask(address, requests[client % requests.len()].clone())).collect();
    let mut told = Told::default();
    while let Some(answer) = crowd.join_next().await {
        let answer = answer.expect("no panic");
        match status(&answer) {
            200 => told.accepted.push(body(&answer)["id"].as_str().expect("a run").to_owned()),
            503 if answer.to_lowercase().contains("\r\nretry-after: ") => told.refused += 1,
            _ => told.other.push(answer),
        }
    }
    told
}

/// Sends one request on its own connection. The kernel's queue is limited, so a refused connection is tried again.
async fn ask(address: SocketAddr, request: String) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        match TcpStream::connect(address).await {
            Ok(mut stream) => {
                let mut answer = String::new();
                stream.write_all(request.as_bytes()).await.expect("sent");
                return match stream.read_to_string(&mut answer).await {
                    Ok(_) => answer,
                    Err(error) => format!("cut off: {error}"),
                };
            }
            Err(error) if Instant::now() > deadline => return format!("no connection: {error}"),
            Err(_) => sleep(Duration::from_millis(50)).await,
        }
    }
}

fn agent(serve: &Serve) -> String {
    let created = serve.ask("POST /v1/agents/", "", r#"{"name":"x"}"#);
    body(&created)["id"].as_str().expect("an agent").to_owned()
}

fn send(serve: &Serve, agent: &str) -> String {
    serve.request(&format!("POST /v1/agents/{agent}/messages/async"), "", r#"{"input":"hi"}"#)
}

fn body(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

/// How many runs do not come to an end.
fn unfinished(serve: &Serve) -> usize {
    let deadline = Instant::now() + LIMIT;
    loop {
        let active = body(&serve.ask("GET /v1/runs/active", "", ""));
        let open = active.as_array().map_or(usize::MAX, Vec::len);
        if open == 0 || Instant::now() > deadline {
            return open;
        }
    }
}

/// All runs, page by page.
fn listed(serve: &Serve) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let after = all.last().map(|id| format!("&after={id}")).unwrap_or_default();
        let page = body(&serve.ask(&format!("GET /v1/runs/?limit=1000{after}"), "", ""));
        let page = page.as_array().cloned().unwrap_or_default();
        if page.is_empty() {
            return all;
        }
        all.extend(page.iter().map(|run| run["id"].as_str().expect("an id").to_owned()));
    }
}

/// How many files the server has open.
fn descriptors(serve: &Serve) -> usize {
    fs::read_dir(format!("/proc/{}/fd", serve.process().id())).map_or(0, Iterator::count)
}
