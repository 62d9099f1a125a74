//! A server process that is killed, and requests to whichever one currently runs.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::support::TestEnv;
use crate::support::env::AGENTCTL;

/// The address and key of the current server; between two servers, those of the last one.
#[derive(Default)]
pub struct Reach(Mutex<Option<(SocketAddr, String)>>);

/// A running server.
pub struct Life(Child);

/// An answer.
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Life {
    /// Starts a server, and returns when it is ready or has died.
    pub fn begin(env: &TestEnv, reach: &Reach, sabotage: &str) -> Self {
        Self::begin_under(env, reach, &["env"], sabotage)
    }

    /// The same under another program, which starts it.
    pub fn begin_under(env: &TestEnv, reach: &Reach, over: &[&str], sabotage: &str) -> Self {
        let mut command = Command::new(over[0]);
        command.args(&over[1..]).arg(AGENTCTL);
        command.env_clear().envs(env.vars()).env("AGENTCTL_SABOTAGE", sabotage).current_dir(env.home());
        command.args(["serve", "--bind", "127.0.0.1:0", "--db", "it.db", "--print-env", "-q"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("a pipe");
        BufReader::new(stdout).read_line(&mut line).expect("readable");
        let value = |name: &str| Some(line.split_once(&format!("{name}='"))?.1.split('\'').next()?.to_owned());
        if let (Some(url), Some(key)) = (value("LETTA_BASE_URL"), value("LETTA_API_KEY")) {
            let address = url.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("an address");
            *reach.0.lock().expect("no panic") = Some((address, key));
        }
        Self(child)
    }

    /// Kills the server that another program started, and waits for that program.
    pub fn end_inside(mut self) {
        let pid = self.0.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("a process");
        for child in children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)) {
            kill_process(child, Signal::KILL).expect("it is there");
        }
        self.0.wait().expect("a child");
    }

    /// Ends it by `kill -9` after a time, unless it ended by itself before.
    pub fn end_within(mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end && self.0.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(2).min(end.saturating_duration_since(Instant::now())));
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Reach {
    /// One request. None if no whole answer came.
    pub fn ask(&self, method: &str, path: &str, head: &str, body: &str) -> Option<Answer> {
        let (address, key) = self.0.lock().expect("no panic").clone()?;
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{head}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some(Answer { status: head.split(' ').nth(1)?.parse().ok()?, body: serde_json::from_str(body).ok()? })
    }

    /// The answer to a GET; the server must be running.
    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "", "").unwrap_or_else(|| panic!("GET {path}: no answer"));
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }
}
