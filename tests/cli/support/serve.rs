//! The local server on a port, as a process of its own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use rustix::process::Signal;

use super::TestEnv;
use super::process::{Output, Process, Running};

/// A server on a free port. It does not outlive the value.
pub struct Serve {
    running: Option<Running>,
    pub url: String,
    pub key: String,
}

impl Serve {
    /// Starts `serve` with these flags, and returns when it is ready.
    pub fn start(env: &TestEnv, flags: &[&str]) -> Self {
        Self::from(env.agentctl([&["serve", "--bind", "127.0.0.1:0", "--print-env"], flags].concat()))
    }

    /// Starts a process that prints what `serve --print-env` does.
    pub fn from(process: Process) -> Self {
        let running = process.limit(Duration::from_secs(300)).spawn();
        let line = running.first_line();
        let (url, key) = (value(&line, "LETTA_BASE_URL"), value(&line, "LETTA_API_KEY"));
        Self { running: Some(running), url, key }
    }

    /// The process.
    pub fn process(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address")
    }

    /// Asks it to end, and waits.
    pub fn stop(self) -> Output {
        self.end(Signal::TERM)
    }

    /// Ends it by a signal, and waits.
    pub fn end(self, signal: Signal) -> Output {
        self.process().signal(signal);
        self.end_of_it()
    }

    /// Waits until it ends by itself.
    pub fn end_of_it(mut self) -> Output {
        self.running.take().expect("it runs").wait()
    }

    /// Sets the process's server to this one.
    pub fn reach(&self, process: Process) -> Process {
        process.env("LETTA_BASE_URL", &self.url).env("LETTA_API_KEY", &self.key)
    }

    /// Sends bytes on a connection of their own and returns all that is answered.
    pub fn raw(&self, request: impl AsRef<[u8]>) -> String {
        exchange(self.address(), request.as_ref())
    }

    /// A request with the key and further lines of its head, each with its line end. It is the last on its connection.
    pub fn request(&self, line: &str, head: &str, body: &str) -> String {
        let (address, key, length) = (self.address(), &self.key, body.len());
        format!(
            "{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        )
    }

    /// The answer to such a request.
    pub fn ask(&self, line: &str, head: &str, body: &str) -> String {
        self.raw(self.request(line, head, body))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.kill();
        }
    }
}

/// The value of a variable in a line like `export A='x' B='y'`; empty where it is not there.
fn value(line: &str, name: &str) -> String {
    let rest = line.split_once(&format!("{name}='")).map_or("", |(_, rest)| rest);
    rest.split('\'').next().unwrap_or_default().to_owned()
}

/// Sends bytes and reads until the other side is done, or nothing comes any more.
pub fn exchange(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
    // A server that refuses early may close while this is still sending: what it answered counts.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = stream.read(&mut buffer) {
        if count == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer; 0 for none.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
