//! The cost of a request to the local server, compared with an empty handler of the same framework.
//!
//! Each server is a process of its own and gets 64 connections for a few seconds, one server after the other in turns,
//! so that a busy machine slows them alike; figures are medians. A ratio that misses its target fails the bench. Durable
//! accepts are held against a handler that forgets what it is sent, and against one that appends it to a file, waits for
//! the disk once for all that came meanwhile, and then answers.
//! `AGENTCTL_BIN` names another build, `SECONDS` another length of a turn, `AGENTS` another number of agents. With
//! `MILLION=1` the lists of a server with a million runs are compared with those of one with a thousand.
//! `AGENTCTL_TEST_BASE_URL`, `AGENTCTL_TEST_API_KEY` and `AGENTCTL_TEST_AGENT_ID` name a real server to send to as well.

use std::env::var;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use axum::{Json, routing};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};

const CONNECTIONS: usize = 64;
/// As many as a batch of messages has, rather than one or a thousand: each has pages of its own to be written.
const AGENTS: usize = 8;
const ROUNDS: usize = 5;
/// A run, which the empty handler answers with.
const RUN: &str = r#"{"id":"run-22222222-2222-4222-8222-222222222222","status":"completed","created_at":"2026-11-23T14:56:08.275779Z","completed_at":"2026-11-23T14:56:09.275779Z","agent_id":"agent-11111111-1111-4111-8111-111111111111","conversation_id":null,"base_template_id":null,"background":true,"metadata":{"run_type":"send_message_async","lettuce":null,"model":"agentctl/echo"},"request_config":{"use_assistant_message":true,"assistant_message_tool_name":"send_message","assistant_message_tool_kwarg":"message","include_return_message_types":null},"stop_reason":"end_turn","callback_url":null,"callback_sent_at":null,"callback_status_code":null,"callback_error":null,"ttft_ns":210000,"total_duration_ns":310000}"#;
const MESSAGE: &str = r#"{"messages":[{"role":"user","content":"hi","otid":"33333333-3333-4333-8333-333333333333"}]}"#;

/// A server in a process of its own.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("readable");
        let url = line.split('\'').nth(1).unwrap_or(line.trim()).to_owned();
        Self { child, url }
    }

    /// This program once more, as the handler that does nothing.
    fn bare() -> Self {
        Self::start(Command::new(std::env::current_exe().expect("a path")).arg("bare"))
    }

    fn agentctl(home: &Path, store: &[&str]) -> Self {
        let program =
            std::env::var_os("AGENTCTL_BIN").map_or_else(|| env!("CARGO_BIN_EXE_agentctl").into(), PathBuf::from);
        let mut command = Command::new(program);
        command.env_clear().env("HOME", home).env("AGENTCTL_DATA_DIR", home);
        Self::start(command.args(["serve", "--bind", "127.0.0.1:0", "--no-auth", "--print-env", "-q"]).args(store))
    }

    /// The most memory that it had, in MiB.
    fn peak_mib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) / 1024.0
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let mut connection = Connection::open(&self.url).await;
        let answer = connection.exchange(&request(&self.url, method, path, "", body)).await;
        serde_json::from_slice(&answer.1).expect("JSON")
    }

    async fn make_agent(&self) -> String {
        let agent = self.ask("POST", "/v1/agents/", &json!({"name": "bench"}).to_string()).await;
        agent["id"].as_str().expect("an id").to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept open.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).await.expect("a connection");
        stream.set_nodelay(true).expect("set");
        Self { stream, buffer: Vec::with_capacity(1 << 16) }
    }

    /// Sends a request and reads the whole answer: its status and its body.
    async fn exchange(&mut self, request: &[u8]) -> (u16, Vec<u8>) {
        self.stream.write_all(request).await.expect("writable");
        self.buffer.clear();
        loop {
            let count = self.stream.read_buf(&mut self.buffer).await.expect("readable");
            assert!(count > 0, "cut short");
            if let Some(answer) = whole(&self.buffer) {
                return answer;
            }
        }
    }
}

fn whole(bytes: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).expect("a head").to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("a length");
    let body = &bytes[end + 4..];
    let length: usize = length.parse().expect("a number");
    (body.len() >= length).then(|| (head[9..12].parse().expect("a status"), body[..length].to_vec()))
}

fn request(url: &str, method: &str, path: &str, head: &str, body: &str) -> Vec<u8> {
    let (host, length) = (url.trim_start_matches("http://"), body.len());
    format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{head}\r\n{body}"
    )
    .into_bytes()
}

/// Requests that were answered with 200 in a second, over all connections; each sends its own again and again.
async fn rate(url: &str, requests: Vec<Vec<u8>>) -> f64 {
    let length = Duration::from_secs_f64(number("SECONDS").unwrap_or(3.0));
    let began = Instant::now();
    let tasks = requests.into_iter().map(|request| {
        let url = url.to_owned();
        tokio::spawn(async move {
            let mut connection = Connection::open(&url).await;
            let mut count = 0_u32;
            while began.elapsed() < length {
                count += u32::from(connection.exchange(&request).await.0 == 200);
            }
            count
        })
    });
    let mut sum = 0.0;
    for task in tasks.collect::<Vec<_>>() {
        sum += f64::from(task.await.expect("no panic"));
    }
    sum / began.elapsed().as_secs_f64()
}

/// How long one request takes, the median of a few.
async fn latency(server: &Server, path: &str) -> f64 {
    let mut connection = Connection::open(&server.url).await;
    let request = request(&server.url, "GET", path, "", "");
    let mut times = vec![];
    for _ in 0..50 {
        let began = Instant::now();
        assert_eq!(connection.exchange(&request).await.0, 200, "{path}");
        times.push(began.elapsed().as_secs_f64());
    }
    median(times)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// A figure, its limit, and whether it was met.
struct Row {
    what: String,
    ours: String,
    theirs: String,
    figure: String,
    target: String,
    met: bool,
}

fn at_least(what: &str, ours: f64, theirs: f64, target: f64) -> Row {
    let shown = |rate: f64| format!("{rate:.0}/s");
    let (what, figure, target_text) = (what.to_owned(), format!("{:.2}", ours / theirs), format!(">= {target}"));
    Row { what, ours: shown(ours), theirs: shown(theirs), figure, target: target_text, met: ours / theirs >= target }
}

fn at_most(what: &str, unit: &str, ours: f64, theirs: f64, target: f64) -> Row {
    let shown = |value: f64| format!("{value:.2} {unit}");
    let (what, figure, target_text) = (what.to_owned(), format!("{:.2}", ours / theirs), format!("<= {target}"));
    Row { what, ours: shown(ours), theirs: shown(theirs), figure, target: target_text, met: ours / theirs <= target }
}

fn below(what: &str, unit: &str, ours: f64, target: f64) -> Row {
    let what = what.to_owned();
    let figure = format!("{ours:.2} {unit}");
    Row {
        what,
        ours: figure.clone(),
        theirs: String::new(),
        figure,
        target: format!("< {target} {unit}"),
        met: ours < target,
    }
}

/// How fast runs are looked at, and accepted for good.
async fn throughput(home: &Path) -> Vec<Row> {
    let (bare, ours) = (Server::bare(), Server::agentctl(home, &["--db", "bench.db"]));
    let mut agents = vec![];
    for _ in 0..number("AGENTS").unwrap_or(AGENTS) {
        agents.push(ours.make_agent().await);
    }
    let send = |agent: &String| format!("/v1/agents/{agent}/messages/async");
    let run = ours.ask("POST", &send(&agents[0]), MESSAGE).await;
    let look = format!("/v1/runs/{}", run["id"].as_str().expect("an id"));
    let looks = |url: &str| vec![request(url, "GET", &look, "", ""); CONNECTIONS];
    let sends =
        |method, url: &str| to_each(&agents).map(|agent| request(url, method, &send(agent), "", MESSAGE)).collect();
    let mut rates: [Vec<f64>; 6] = Default::default();
    for _ in 0..ROUNDS {
        rates[0].push(rate(&bare.url, looks(&bare.url)).await);
        rates[1].push(rate(&ours.url, looks(&ours.url)).await);
        rates[2].push(rate(&bare.url, sends("POST", &bare.url)).await);
        rates[3].push(rate(&bare.url, sends("PUT", &bare.url)).await);
        let (before, began) = (completed(home), Instant::now());
        rates[4].push(rate(&ours.url, sends("POST", &ours.url)).await);
        rates[5].push((completed(home) - before) / began.elapsed().as_secs_f64());
        // The accepted runs end first, so that they do not slow down the next round.
        while ours.ask("GET", "/v1/runs/active", "").await.as_array().is_some_and(|runs| !runs.is_empty()) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let [bare_looks, looks, bare_sends, written, sends, finished] = rates.map(median);
    let mut rows = vec![
        at_least("looks at a run, beside a bare handler", looks, bare_looks, 0.5),
        at_least("durable accepts, beside a bare handler that is durable", sends, written, 0.2),
        at_least("the same, beside one that forgets", sends, bare_sends, 0.2),
        at_least("runs finished meanwhile, beside accepts", finished, sends, 0.1),
    ];
    rows.extend(real(sends).await);
    rows
}

/// The agents in turns, one for each connection.
fn to_each(agents: &[String]) -> impl Iterator<Item = &String> {
    agents.iter().cycle().take(CONNECTIONS)
}

/// A number that the environment gives.
fn number<T: std::str::FromStr>(name: &str) -> Option<T> {
    var(name).ok()?.parse().ok()
}

/// How many runs have ended.
fn completed(home: &Path) -> f64 {
    let database = rusqlite::Connection::open(home.join("bench.db")).expect("opens");
    let sql = "SELECT count(*) FROM runs WHERE status = 'completed'";
    f64::from(database.query_row(sql, [], |row| row.get::<_, i32>(0)).expect("counted"))
}

/// The real server, if one is named.
async fn real(ours: f64) -> Option<Row> {
    let (url, agent) = (var("AGENTCTL_TEST_BASE_URL").ok()?, var("AGENTCTL_TEST_AGENT_ID").ok()?);
    let key = var("AGENTCTL_TEST_API_KEY").map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
    let path = format!("/v1/agents/{agent}/messages/async");
    let theirs = rate(&url, vec![request(&url, "POST", &path, &key, MESSAGE); CONNECTIONS]).await;
    Some(at_least("durable accepts, beside the real server", ours, theirs, 100.0))
}

/// Compares the cost of a million runs with that of a thousand.
async fn million(home: &Path) -> Vec<Row> {
    let few = fill(home, "few.db", 1_000).await;
    let many = fill(home, "many.db", 1_000_000).await;
    let began = Instant::now();
    let server = Server::agentctl(home, &["--db", "many.db"]);
    let ready = began.elapsed().as_secs_f64();
    let small = Server::agentctl(home, &["--db", "few.db"]);
    let mut rows = vec![];
    for (what, path) in [
        ("a run", "/v1/runs/run-00000007-0000-4000-8000-000000000000".to_owned()),
        ("all runs", "/v1/runs/".to_owned()),
        ("an agent's runs", "/v1/runs/?agent_id=AGENT".to_owned()),
        ("an agent's failed runs", "/v1/runs/?agent_id=AGENT&statuses=failed".to_owned()),
        ("runs of a status", "/v1/runs/?statuses=failed".to_owned()),
        ("runs of two statuses", "/v1/runs/?statuses=failed&statuses=completed".to_owned()),
        ("runs of a stop reason", "/v1/runs/?stop_reason=error".to_owned()),
        ("active runs", "/v1/runs/?active=true".to_owned()),
        ("agents", "/v1/agents/".to_owned()),
    ] {
        let theirs = latency(&small, &path.replace("AGENT", &few)).await * 1e3;
        let ours = latency(&server, &path.replace("AGENT", &many)).await * 1e3;
        rows.push(at_most(&format!("{what}: 1,000,000 beside 1,000"), "ms", ours, theirs, 5.0));
    }
    rows.push(below("ready with 1,000,000 runs", "s", ready, 1.0));
    rows.push(below("peak memory with 1,000,000 runs", "MiB", server.peak_mib(), 200.0));
    rows
}

/// Makes a database with so many runs that have ended, one in five by failing, so that every first page is full.
/// Returns their agent.
async fn fill(home: &Path, name: &str, count: u32) -> String {
    let server = Server::agentctl(home, &["--db", name]);
    let agent = server.make_agent().await;
    server.ask("POST", &format!("/v1/agents/{agent}/messages/async"), MESSAGE).await;
    while server.ask("GET", "/v1/runs/active", "").await.as_array().is_some_and(|runs| !runs.is_empty()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(server);
    let database = rusqlite::Connection::open(home.join(name)).expect("opens");
    database
        .execute_batch(&format!(
            "PRAGMA synchronous = OFF; BEGIN;
             WITH RECURSIVE series (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {count})
             INSERT INTO runs (id, agent, kind, status, stop_reason, created, completed, model, kept, duration_ns)
             SELECT printf('run-%08x-0000-4000-8000-000000000000', n), agent, kind,
               iif(n % 5, 'completed', 'failed'), iif(n % 5, 'end_turn', 'error'), created + n, completed + n, model,
               kept, duration_ns FROM series, (SELECT * FROM runs LIMIT 1);
             COMMIT; PRAGMA wal_checkpoint(TRUNCATE);"
        ))
        .expect("filled");
    agent
}

/// A write, and the channel that reports its commit.
type Waiting = (String, oneshot::Sender<()>);

/// The handler that does nothing but read what is sent and answer: any request gets the same run. What is put, and not
/// posted, is on the disk by then.
async fn serve_bare() {
    let (give, given) = mpsc::unbounded_channel::<Waiting>();
    std::thread::spawn(|| write_down(given));
    let answer = || async { ([("content-type", "application/json")], RUN) };
    let read = |Json(_): Json<Value>| async { ([("content-type", "application/json")], RUN) };
    let keep = |Json(sent): Json<Value>| async move {
        let (tell, told) = oneshot::channel();
        give.send((sent.to_string(), tell)).expect("somebody writes");
        told.await.expect("written");
        ([("content-type", "application/json")], RUN)
    };
    let router = axum::Router::new().fallback(routing::get(answer).post(read).put(keep));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("'http://{}'", listener.local_addr().expect("an address"));
    axum::serve(listener, router).await.expect("serves");
}

/// Appends what it is given to a file, and waits for the disk once for all that waits.
fn write_down(mut given: mpsc::UnboundedReceiver<Waiting>) {
    let mut file = tempfile::tempfile().expect("a file");
    while let Some(first) = given.blocking_recv() {
        let mut all = vec![first];
        all.extend(std::iter::from_fn(|| given.try_recv().ok()));
        let text: String = all.iter().map(|(sent, _)| sent.as_str()).collect();
        file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).expect("room on the disk");
        all.into_iter().for_each(|(_, tell)| tell.send(()).expect("somebody waits"));
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == "bare") {
        serve_bare().await;
        return ExitCode::SUCCESS;
    }
    let home = tempfile::tempdir().expect("a folder for temporary files");
    std::env::set_current_dir(home.path()).expect("a folder");
    let rows = if var("MILLION").is_ok() { million(home.path()).await } else { throughput(home.path()).await };
    println!("{CONNECTIONS} connections, {} agents, {ROUNDS} rounds, medians", number("AGENTS").unwrap_or(AGENTS));
    println!("{:<42} {:>11} {:>11} {:>11}   {:<11}", "", "agentctl", "beside it", "figure", "target");
    for Row { what, ours, theirs, figure, target, met } in &rows {
        let verdict = if *met { "met" } else { "MISSED" };
        println!("{what:<42} {ours:>11} {theirs:>11} {figure:>11}   {target:<11} {verdict}");
    }
    if rows.iter().all(|row| row.met) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
