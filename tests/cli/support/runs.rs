//! A server that lists runs, with cursors in the documented direction or, like some real servers, inverted.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

/// Lists these runs, given newest first, and remembers what it was asked for.
pub struct RunsServer {
    pub url: String,
    queries: Arc<Mutex<Vec<String>>>,
}

impl RunsServer {
    pub fn start(runs: Vec<Value>, inverted: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let queries = Arc::new(Mutex::new(vec![]));
        let asked = Arc::clone(&queries);
        std::thread::spawn(move || {
            // A client may go away at any moment.
            listener.incoming().flatten().for_each(|stream| _ = answer(&stream, &runs, inverted, &asked));
        });
        Self { url, queries }
    }

    /// The queries so far.
    pub fn queries(&self) -> Vec<String> {
        self.queries.lock().expect("no panic").clone()
    }
}

fn answer(mut stream: &TcpStream, runs: &[Value], inverted: bool, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty())).for_each(drop);
    let query = first.split(['?', ' ']).nth(2).unwrap_or_default().to_owned();
    let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(&format!("{name}=")));
    let place = |id: &str| runs.iter().position(|run| run["id"] == id).expect("a run of this server");
    let limit = value("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100);
    let part = match (value("after").map(place), value("before").map(place)) {
        (Some(at), _) if inverted => &runs[..at],
        (Some(at), _) => &runs[at + 1..],
        (_, Some(at)) if inverted => &runs[at + 1..],
        (_, Some(at)) => &runs[..at],
        (None, None) => runs,
    };
    let body = Value::from_iter(part.iter().take(limit).cloned()).to_string();
    asked.lock().expect("no panic").push(query);
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}
