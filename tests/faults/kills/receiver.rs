//! A callback receiver that accepts every callback and remembers it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// A receiver, and what it got: the ids of the deliveries, by run.
pub struct Receiver {
    url: String,
    got: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/", listener.local_addr().expect("an address"));
        let got = Arc::<Mutex<BTreeMap<String, BTreeSet<String>>>>::default();
        let ours = Arc::clone(&got);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let got = Arc::clone(&ours);
                // A server that dies in the middle of a callback makes it again.
                thread::spawn(move || receive(&stream, &got));
            }
        });
        Self { url, got }
    }

    /// Its URL, with a word that identifies the message.
    pub fn url(&self, word: &str) -> String {
        format!("{}?{word}", self.url)
    }

    /// The ids under which a run's callback came.
    pub fn ids_of(&self, run: &str) -> BTreeSet<String> {
        self.got.lock().expect("no panic").get(run).cloned().unwrap_or_default()
    }
}

fn receive(mut stream: &TcpStream, got: &Mutex<BTreeMap<String, BTreeSet<String>>>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let header = |name: &str| {
        let value =
            |line: &String| Some(line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name))?.1.to_owned());
        head.iter().find_map(value).unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if let Some(run) = body["run_id"].as_str() {
        got.lock().expect("no panic").entry(run.to_owned()).or_default().insert(header("webhook-id"));
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
