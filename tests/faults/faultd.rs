//! A faulty server on raw TCP, with a ledger of the messages that it accepted.
//!
//! It knows just enough of the API for a client to find its messages again. Each POST gets the next [`Fate`] of its plan.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The server's abilities, and the fate of each request.
#[derive(Clone, Default)]
pub struct Plan {
    /// It honours `Idempotency-Key`, and says so.
    pub honours_keys: bool,
    /// Its messages can be listed, and show their otids.
    pub shows_messages: bool,
    /// Its runs can be listed.
    pub lists_runs: bool,
    /// With each message, a stranger sends another to the same agent.
    pub has_strangers: bool,
    /// The fates of successive POSTs; later ones succeed.
    pub fates: Vec<Fate>,
    /// The answers to successive GETs; later ones succeed.
    pub looks: Vec<Way>,
}

/// Whether a message is accepted, and how it is answered.
#[derive(Clone, Debug)]
pub struct Fate {
    /// Whether it becomes a run, and when.
    pub accepted: Accepted,
    /// How the answer comes.
    pub way: Way,
}

/// Whether a message becomes a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    Never,
    Now,
    /// Long after the client was told that its connection is gone.
    After(Duration),
}

/// How an answer is sent, or withheld.
#[derive(Clone, Debug)]
pub enum Way {
    /// Whole and valid.
    Well,
    /// Never: the connection stays open.
    Hang,
    /// The connection is closed.
    Fin,
    /// The connection is reset.
    Rst,
    /// The connection is reset when so many bytes of the request have come.
    RstAfter(usize),
    /// Another status, with headers.
    Status(u16, &'static str),
    /// So many bytes of it, then the end.
    Cut(usize),
    /// So many bytes of it, then one byte each 100 ms.
    Drip(usize),
    /// Another body, under status 200.
    Body(&'static str),
    /// These bytes, whatever they are.
    Raw(&'static str),
}

/// The otid of a stranger's messages.
const STRANGER: &str = "stranger";

/// The server. It ends with the test.
pub struct Faultd {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plan: Mutex<Progress>,
    ledger: Mutex<Vec<Entry>>,
    /// How often runs were listed.
    lists: AtomicUsize,
    /// Messages that are still to be accepted late.
    late: AtomicUsize,
    stopped: AtomicBool,
}

#[derive(Default)]
struct Progress {
    plan: Plan,
    fates: VecDeque<Fate>,
    looks: VecDeque<Way>,
}

/// A message that was accepted.
#[derive(Clone, Debug)]
pub struct Entry {
    pub run: String,
    pub agent: String,
    pub otid: String,
    pub key: String,
    pub made: jiff::Timestamp,
}

struct Request {
    path: String,
    key: String,
    body: Value,
}

impl Faultd {
    pub fn start(plan: Plan) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (fates, looks) = (plan.fates.clone().into(), plan.looks.clone().into());
        let shared = Arc::new(Shared { plan: Mutex::new(Progress { plan, fates, looks }), ..Shared::default() });
        let ours = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if ours.stopped.load(SeqCst) {
                    return;
                }
                let shared = Arc::clone(&ours);
                // A client may go away at any moment.
                thread::spawn(move || _ = shared.serve(&stream));
            }
        });
        Self { address, shared }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The client's own messages that were accepted so far.
    pub fn ledger(&self) -> Vec<Entry> {
        let ledger = self.shared.ledger.lock().expect("no panic");
        ledger.iter().filter(|entry| entry.otid != STRANGER).cloned().collect()
    }

    /// Waits until the runs were listed so often. Whether they were within the time.
    pub fn wait_for_lists(&self, count: usize, limit: Duration) -> bool {
        wait_until(limit, || self.shared.lists.load(SeqCst) >= count)
    }

    /// Waits until every message that is accepted late has been.
    pub fn settle(&self) {
        let limit = Duration::from_secs(30);
        assert!(wait_until(limit, || self.shared.late.load(SeqCst) == 0), "a late message never came");
    }
}

impl Drop for Faultd {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        // Wakes the listener, which then drops its socket.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(self: &Arc<Self>, stream: &TcpStream) -> io::Result<()> {
        let mut reader = BufReader::new(stream);
        while let Some(head) = read_head(&mut reader)? {
            let is_post = head.first().is_some_and(|line| line.starts_with("POST"));
            let fate = self.next_fate(is_post);
            if let Way::RstAfter(bytes) = fate.way {
                // The client may still be writing: what it has written is thrown away with the connection.
                let length = length(&head).min(bytes);
                io::copy(&mut reader.by_ref().take(length as u64), &mut io::sink())?;
                return reset(stream);
            }
            let request = read_body(&mut reader, &head)?;
            let answer = if is_post { self.accept(&request, fate.accepted) } else { self.look(&request.path) };
            if !send(stream, &fate.way, answer, self.extra_headers())? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn next_fate(&self, is_post: bool) -> Fate {
        let mut progress = self.plan.lock().expect("no panic");
        if is_post {
            return progress.fates.pop_front().unwrap_or(Fate { accepted: Accepted::Now, way: Way::Well });
        }
        Fate { accepted: Accepted::Never, way: progress.looks.pop_front().unwrap_or(Way::Well) }
    }

    fn extra_headers(&self) -> &'static str {
        if self.plan.lock().expect("no panic").plan.honours_keys { "idempotency-supported: true\r\n" } else { "" }
    }

    /// Accepts a message now, later or never. Returns what would be answered.
    fn accept(self: &Arc<Self>, request: &Request, accepted: Accepted) -> (u16, Value) {
        let agent = request.path.split('/').nth(3).unwrap_or_default().to_owned();
        let otid = request.body.pointer("/messages/0/otid").and_then(Value::as_str).unwrap_or_default().to_owned();
        let run = format!("run-{}", uuid::Uuid::new_v4());
        let entry = Entry { run, agent, otid, key: request.key.clone(), made: jiff::Timestamp::now() };
        let shared = Arc::clone(self);
        if self.plan.lock().expect("no panic").plan.has_strangers {
            let (run, otid) = (format!("run-{}", uuid::Uuid::new_v4()), STRANGER.to_owned());
            self.enter(Entry { run, otid, key: String::new(), ..entry.clone() });
        }
        match accepted {
            Accepted::Never => {}
            Accepted::Now => return (200, shared.enter(entry)),
            Accepted::After(delay) => {
                let entry = entry.clone();
                shared.late.fetch_add(1, SeqCst);
                thread::spawn(move || {
                    thread::sleep(delay);
                    shared.enter(Entry { made: jiff::Timestamp::now(), ..entry });
                    shared.late.fetch_sub(1, SeqCst);
                });
            }
        }
        // A gateway in front of a server that did not accept the message has no run to return.
        (502, json!({"detail": "Bad Gateway"}))
    }

    /// Writes the ledger. A server that honours keys has one entry a key.
    fn enter(&self, entry: Entry) -> Value {
        let honours = self.plan.lock().expect("no panic").plan.honours_keys;
        let mut ledger = self.ledger.lock().expect("no panic");
        if let Some(known) = ledger.iter().find(|known| honours && known.key == entry.key) {
            return run_document(known, "created");
        }
        ledger.push(entry.clone());
        run_document(&entry, "created")
    }

    fn look(&self, path: &str) -> (u16, Value) {
        let plan = self.plan.lock().expect("no panic").plan.clone();
        let ledger = self.ledger.lock().expect("no panic");
        let parts: Vec<&str> = path.split(['/', '?']).skip(2).collect();
        match parts[..] {
            ["health", ..] => (200, json!({"status": "ok", "version": "0.0.0"})),
            ["runs", "", ..] if plan.lists_runs => {
                self.lists.fetch_add(1, SeqCst);
                (200, ledger.iter().rev().map(|entry| run_document(entry, "created")).collect())
            }
            ["agents", agent, "messages", ..] if plan.lists_runs => {
                let shown = |entry: &&Entry| plan.shows_messages && entry.agent == agent && !path.contains("before=");
                (200, ledger.iter().rev().filter(shown).map(message).collect())
            }
            ["runs", id] => match ledger.iter().find(|entry| entry.run == id) {
                Some(entry) => (200, run_document(entry, "completed")),
                None => (404, json!({"detail": "Run not found"})),
            },
            _ => (404, json!({"detail": "Not Found"})),
        }
    }
}

/// Waits for something that happens elsewhere. Whether it did within the time.
pub fn wait_until(limit: Duration, happened: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !happened() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
    happened()
}

fn run_document(entry: &Entry, status: &str) -> Value {
    json!({
        "id": entry.run, "status": status, "created_at": entry.made.to_string(), "completed_at": null,
        "agent_id": entry.agent, "background": true, "metadata": {"run_type": "send_message_async"},
        "stop_reason": (status == "completed").then_some("end_turn"), "callback_url": null,
        "ttft_ns": null, "total_duration_ns": 1_000_000,
    })
}

fn message(entry: &Entry) -> Value {
    json!({
        "id": format!("message-{}", entry.otid), "message_type": "user_message", "otid": entry.otid,
        "date": entry.made.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(), "run_id": entry.run, "content": "hi",
    })
}

/// Sends an answer in its way. True where the connection goes on.
fn send(mut stream: &TcpStream, way: &Way, (status, body): (u16, Value), headers: &str) -> io::Result<bool> {
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    let http = |status: u16, headers: &str, body: &str| {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} -\r\ndate: {date}\r\ncontent-type: application/json\r\n");
        format!("{head}content-length: {length}\r\n{headers}\r\n{body}").into_bytes()
    };
    let well = http(status, headers, &body.to_string());
    match way {
        Way::Well => stream.write_all(&well).map(|()| true),
        Way::Hang => io::copy(&mut stream, &mut io::sink()).map(|_| false),
        Way::Fin => Ok(false),
        Way::Rst | Way::RstAfter(_) => reset(stream).map(|()| false),
        Way::Status(status, more) => {
            let body = json!({"detail": format!("status {status}")}).to_string();
            stream.write_all(&http(*status, &format!("{headers}{more}"), &body)).map(|()| true)
        }
        Way::Cut(bytes) => stream.write_all(&well[..well.len() - 1 - bytes % (well.len() - 1)]).map(|()| false),
        Way::Drip(bytes) => {
            // The rest takes 3 seconds or more, so a client with a shorter time limit never reads the end.
            let (first, rest) = well.split_at(*bytes % (well.len() - 30));
            stream.write_all(first)?;
            for byte in rest {
                thread::sleep(Duration::from_millis(100));
                stream.write_all(&[*byte])?;
            }
            Ok(false)
        }
        Way::Body(body) => stream.write_all(&http(200, headers, body)).map(|()| true),
        Way::Raw(bytes) => stream.write_all(bytes.as_bytes()).map(|()| false),
    }
}

fn reset(stream: &TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
    Ok(())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Vec<String>>> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => return Ok(Some(head)),
            line => head.push(line.to_owned()),
        }
    }
}

fn header<'a>(head: &'a [String], name: &str) -> Option<&'a str> {
    let pairs = head.iter().skip(1).filter_map(|line| line.split_once(':'));
    pairs.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn length(head: &[String]) -> usize {
    header(head, "content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn read_body(reader: &mut impl Read, head: &[String]) -> io::Result<Request> {
    let mut body = vec![0; length(head)];
    reader.read_exact(&mut body)?;
    let path = head[0].split(' ').nth(1).unwrap_or_default().to_owned();
    let key = header(head, "idempotency-key").unwrap_or_default().to_owned();
    Ok(Request { path, key, body: serde_json::from_slice(&body).unwrap_or_default() })
}
