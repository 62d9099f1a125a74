//! A process with a time limit, and its output.

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The default time limit of a process.
const LIMIT: Duration = Duration::from_secs(60);
/// How often the peak of a process is read. Its growth after the last reading is missed.
const SAMPLING: Duration = Duration::from_millis(2);

/// A process to be started. Its standard input is empty unless given.
pub struct Process {
    command: Command,
    stdin: Stdin,
    stdout: Option<Stdio>,
    limit: Duration,
}

enum Stdin {
    Null,
    Text(Vec<u8>),
    Given,
}

impl Process {
    pub fn new(command: Command) -> Self {
        Self { command, stdin: Stdin::Null, stdout: None, limit: LIMIT }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Names the server, and a key as most servers want one.
    pub fn server(self, url: &str) -> Self {
        self.env("LETTA_BASE_URL", url).env("LETTA_API_KEY", "test-key")
    }

    /// Gives it text on a pipe as standard input.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Text(text.into());
        self
    }

    /// Gives it a stream of the test's own as standard input.
    pub fn stdin_from(mut self, stream: impl Into<Stdio>) -> Self {
        self.command.stdin(stream);
        self.stdin = Stdin::Given;
        self
    }

    /// Sends standard output elsewhere; what is read of it is then empty.
    pub fn stdout_to(mut self, stream: impl Into<Stdio>) -> Self {
        self.stdout = Some(stream.into());
        self
    }

    /// Sets the time limit.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Runs it to its end. Returns its peak memory in KiB, too.
    pub fn run_measured(self) -> (Output, u64) {
        let running = self.spawn();
        let mut peak = 0;
        loop {
            peak = peak.max(running.peak_kib());
            match running.status.recv_timeout(SAMPLING) {
                Ok(status) => return (running.output(status), peak),
                Err(_) if Instant::now() > running.deadline => running.fail("did not end within its time limit"),
                Err(_) => {}
            }
        }
    }

    /// Starts it in a process group of its own.
    pub fn spawn(mut self) -> Running {
        let shown = format!("{:?}", self.command.get_args().collect::<Vec<_>>());
        self.command.process_group(0).stdout(self.stdout.unwrap_or_else(Stdio::piped)).stderr(Stdio::piped());
        match &self.stdin {
            Stdin::Null => _ = self.command.stdin(Stdio::null()),
            Stdin::Text(_) => _ = self.command.stdin(Stdio::piped()),
            Stdin::Given => {}
        }
        let mut child = self.command.spawn().unwrap_or_else(|error| panic!("cannot start {shown}: {error}"));
        if let (Stdin::Text(text), Some(mut pipe)) = (self.stdin, child.stdin.take()) {
            // A program that does not read all of it closes the pipe: that is for the test to judge.
            thread::spawn(move || _ = pipe.write_all(&text));
        }
        Running::new(child, shown, Instant::now() + self.limit)
    }
}

/// A process at work.
pub struct Running {
    pid: Pid,
    shown: String,
    deadline: Instant,
    stdout: Arc<Captured>,
    stderr: Arc<Captured>,
    status: Receiver<ExitStatus>,
    ended: bool,
}

impl Running {
    fn new(mut child: Child, shown: String, deadline: Instant) -> Self {
        let pid = Pid::from_child(&child);
        let stdout = Captured::read(child.stdout.take());
        let stderr = Captured::read(child.stderr.take());
        let (tell, status) = mpsc::channel();
        thread::spawn(move || tell.send(child.wait().expect("a child can be waited for")));
        Self { pid, shown, deadline, stdout, stderr, status, ended: false }
    }

    /// Its number.
    pub fn id(&self) -> i32 {
        self.pid.as_raw_pid()
    }

    /// Its peak memory so far in KiB; 0 before it executes its program and after it has ended.
    ///
    /// The maximum of `wait4` includes the memory of the test's own process, which a child shares until it executes its
    /// program. The kernel lets `spawn` return a moment before that, so the executable is compared first.
    pub fn peak_kib(&self) -> u64 {
        let executable = |process: &str| fs::read_link(format!("/proc/{process}/exe")).ok();
        if executable(&self.id().to_string()) == executable("self") {
            return 0;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak.and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal).expect("the process is there");
    }

    /// Waits until its standard error holds `text`.
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for(&self.stderr, text);
    }

    /// Waits until its standard output holds `text`.
    pub fn wait_for_stdout(&self, text: &str) {
        self.wait_for(&self.stdout, text);
    }

    /// The first line of its standard output, as soon as it is there.
    pub fn first_line(&self) -> String {
        self.wait_for(&self.stdout, "\n");
        self.stdout.text().lines().next().unwrap_or_default().to_owned()
    }

    /// Its standard output so far.
    pub fn stdout_so_far(&self) -> String {
        self.stdout.text()
    }

    /// Its standard error so far.
    pub fn stderr_so_far(&self) -> String {
        self.stderr.text()
    }

    fn wait_for(&self, captured: &Captured, text: &str) {
        if !captured.wait(self.deadline, |seen| seen.contains(text)) {
            self.fail(&format!("never said `{text}`"));
        }
    }

    /// Waits for its end.
    pub fn wait(self) -> Output {
        let left = self.deadline.saturating_duration_since(Instant::now());
        match self.status.recv_timeout(left) {
            Ok(status) => self.output(status),
            Err(_) => self.fail("did not end within its time limit"),
        }
    }

    fn output(mut self, status: ExitStatus) -> Output {
        self.ended = true;
        // A process that it started may hold the streams open, which counts as not having ended.
        for captured in [&self.stdout, &self.stderr] {
            if !captured.wait_for_end(self.deadline) {
                self.fail("left a process behind");
            }
        }
        Output { stdout: self.stdout.text(), stderr: self.stderr.text(), status }
    }

    /// Ends it and all that it started.
    pub fn kill(&self) {
        // It may have ended in this moment.
        let _ = kill_process_group(self.pid, Signal::KILL);
    }

    /// Kills it and fails the test.
    fn fail(&self, complaint: &str) -> ! {
        self.kill();
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        panic!("{} {complaint}:\n{stdout}------- stderr -------\n{stderr}", self.shown);
    }
}

impl Drop for Running {
    /// Kills a process that the test has not waited for: it would go on sending requests to a port that is no longer its
    /// server's.
    fn drop(&mut self) {
        if !self.ended {
            self.kill();
        }
    }
}

/// A stream, collected as it comes.
#[derive(Default)]
struct Captured {
    state: Mutex<State>,
    more: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Captured {
    fn read(stream: Option<impl Read + Send + 'static>) -> Arc<Self> {
        let captured = Arc::new(Self::default());
        let ours = Arc::clone(&captured);
        thread::spawn(move || {
            let mut buffer = [0; 8192];
            let mut stream = stream;
            while let Some(count) = stream.as_mut().and_then(|stream| stream.read(&mut buffer).ok()) {
                if count == 0 {
                    break;
                }
                ours.state.lock().expect("no panic").bytes.extend_from_slice(&buffer[..count]);
                ours.more.notify_all();
            }
            ours.state.lock().expect("no panic").ended = true;
            ours.more.notify_all();
        });
        captured
    }

    fn wait(&self, deadline: Instant, found: impl Fn(&str) -> bool) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let waits = |state: &mut State| !found(&String::from_utf8_lossy(&state.bytes)) && !state.ended;
        let state = self.state.lock().expect("no panic");
        let (state, _) = self.more.wait_timeout_while(state, left, waits).expect("no panic");
        found(&String::from_utf8_lossy(&state.bytes))
    }

    fn wait_for_end(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let state = self.state.lock().expect("no panic");
        let (state, _) = self.more.wait_timeout_while(state, left, |state| !state.ended).expect("no panic");
        state.ended
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.state.lock().expect("no panic").bytes).into_owned()
    }
}

/// The output and exit status of a process. Its `Display` is one text for a snapshot.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    status: ExitStatus,
}

impl Output {
    /// The exit code as a shell sees it: 128 and the signal for a process that a signal ended.
    pub fn code(&self) -> i32 {
        self.status.code().or(self.signal().map(|signal| 128 + signal)).expect("it ended one way or the other")
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        self.status.signal()
    }

    /// Whether its memory was dumped.
    pub fn dumped_core(&self) -> bool {
        self.status.core_dumped()
    }

    /// The JSON documents on standard output, a line each.
    pub fn documents(&self) -> Vec<serde_json::Value> {
        self.stdout.lines().map(|line| parse(line, self)).collect()
    }

    /// The one JSON document on standard output.
    pub fn document(&self) -> serde_json::Value {
        let mut documents = self.documents();
        assert_eq!(documents.len(), 1, "one document expected:\n{self}");
        documents.remove(0)
    }

    /// The error object on standard error: its last line.
    pub fn error(&self) -> serde_json::Value {
        let last = self.stderr.lines().last().unwrap_or_else(|| panic!("nothing on stderr:\n{self}"));
        parse(last, self)["error"].clone()
    }
}

fn parse(line: &str, output: &Output) -> serde_json::Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}\n{output}"))
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr)?;
        }
        match self.signal() {
            Some(signal) => write!(f, "[signal {signal}]"),
            None => write!(f, "[exit {}]", self.code()),
        }
    }
}
