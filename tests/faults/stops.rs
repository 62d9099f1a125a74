//! SIGTERM at work, again and again: the next server finishes the accepted runs.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::report::{Table, circumstances, is_long, seed};
use crate::support::TestEnv;
use crate::support::serve::{Serve, status};

/// How many clients send at once.
const CLIENTS: usize = 8;

/// The result of one request.
enum Seen {
    /// A run was accepted.
    Accepted(String),
    /// The connection was refused, or ended before anything was sent.
    Refused,
    /// The request was sent, and no answer came.
    Cut,
}

#[derive(Default)]
struct Ledger {
    accepted: Vec<String>,
    refused: usize,
    cut: usize,
}

#[test]
fn the_next_server_finishes_the_runs_that_a_stopped_one_accepted() {
    let (env, seed, rounds) = (TestEnv::new(), seed(), if is_long() { 100 } else { 4 });
    println!("AGENTCTL_SEED={seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut ledger = Ledger::default();
    for _ in 0..rounds {
        round(&env, dice.usize(1..80), &mut ledger);
    }
    let serve = Serve::start(&env, &[]);
    let unfinished = ledger.accepted.iter().filter(|id| !is_finished(&serve, id)).count();
    let held = listed(&serve);
    let mut table = Table::new("stops", &["stops", "accepted", "cut off", "refused", "unfinished", "unexpected"]);
    let unexpected = held.saturating_sub(ledger.accepted.len() + ledger.cut);
    let row = [rounds, ledger.accepted.len(), ledger.cut, ledger.refused, unfinished, unexpected];
    table.row(&row.map(|number| number.to_string()));
    table.publish(&format!("{}, {CLIENTS} clients, seed {seed}.", circumstances()));
    assert_eq!((unfinished, unexpected), (0, 0));
    assert!(ledger.accepted.len() >= rounds, "there was something to stop");
    assert_eq!(serve.stop().code(), 0);
}

/// A server that is stopped once so many runs were accepted.
fn round(env: &TestEnv, after: usize, ledger: &mut Ledger) {
    let serve = Serve::start(env, &[]);
    let (tell, seen) = channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let body = json!({"name": "x", "model": "agentctl/script"}).to_string();
            let created = serve.ask("POST /v1/agents/", "", &body);
            let agent = document(&created)["id"].as_str().expect("an agent").to_owned();
            let line = format!("POST /v1/agents/{agent}/messages/async");
            let request = serve.request(&line, "", r#"{"input":"@sleep 5ms\n@reply done"}"#);
            let (address, tell) = (serve.address(), tell.clone());
            thread::spawn(move || client(address, &request, &tell))
        })
        .collect();
    drop(tell);
    let mut accepted = 0;
    let mut serve = Some(serve);
    for seen in seen {
        match seen {
            Seen::Accepted(id) => ledger.accepted.push(id),
            Seen::Refused => ledger.refused += 1,
            Seen::Cut => ledger.cut += 1,
        }
        accepted += 1;
        if accepted == after
            && let Some(serve) = serve.take()
        {
            let output = serve.stop();
            assert_eq!(output.code(), 0, "{output}");
        }
    }
    clients.into_iter().for_each(|client| client.join().expect("no panic"));
}

/// Sends until a request fails.
fn client(address: SocketAddr, request: &str, tell: &Sender<Seen>) {
    loop {
        let seen = send(address, request);
        let over = !matches!(seen, Seen::Accepted(_));
        if tell.send(seen).is_err() || over {
            return;
        }
    }
}

fn send(address: SocketAddr, request: &str) -> Seen {
    let Ok(mut stream) = TcpStream::connect(address) else { return Seen::Refused };
    match exchange(&mut stream, request) {
        Ok(answer) if status(&answer) == 200 => {
            Seen::Accepted(document(&answer)["id"].as_str().expect("a run").to_owned())
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Seen::Refused,
        Ok(_) | Err(_) => Seen::Cut,
    }
}

fn exchange(stream: &mut TcpStream, request: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn document(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    serde_json::from_str(body).unwrap_or_default()
}

/// Waits until a run has ended. Returns whether it completed.
fn is_finished(serve: &Serve, id: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let run = document(&serve.ask(&format!("GET /v1/runs/{id}"), "", ""));
        match run["status"].as_str() {
            Some("completed") => return true,
            Some("created" | "running") if Instant::now() < deadline => thread::yield_now(),
            _ => return false,
        }
    }
}

/// How many runs the server lists, page by page.
fn listed(serve: &Serve) -> usize {
    let (mut count, mut after) = (0, String::new());
    loop {
        let page = document(&serve.ask(&format!("GET /v1/runs/?limit=1000{after}"), "", ""));
        let page = page.as_array().cloned().unwrap_or_default();
        count += page.len();
        match page.last() {
            Some(last) => after = format!("&after={}", last["id"].as_str().expect("an id")),
            None => return count,
        }
    }
}
