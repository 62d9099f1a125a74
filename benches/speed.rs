//! The cost of a command, compared with curl and with an empty program.
//!
//! All programs of a table take turns in one run, so that a busy machine slows them alike; figures are medians. A ratio
//! that misses its target fails the bench. `AGENTCTL_BIN` names another build than the one made for this bench,
//! `ROUNDS` another number of turns.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const AGENT: &str = "agent-11111111-1111-4111-8111-111111111111";
const BODY: &str = r#"{"messages":[{"role":"user","content":"hi","otid":"33333333-3333-4333-8333-333333333333"}]}"#;
const RUN: &str = r#"{"id":"run-22222222-2222-4222-8222-222222222222","status":"created","created_at":"2026-11-23T14:56:08.275779Z","completed_at":null,"agent_id":"agent-11111111-1111-4111-8111-111111111111","background":true,"stop_reason":null,"ttft_ns":null,"total_duration_ns":null}"#;

/// The resources used by one process.
#[derive(Clone, Copy)]
struct Usage {
    wall: Duration,
    cpu: Duration,
    peak_kib: u64,
}

/// A program and its arguments, run again and again.
struct Subject {
    program: PathBuf,
    args: Vec<String>,
    vars: Vec<(&'static str, String)>,
    used: Vec<Usage>,
}

impl Subject {
    fn new(program: impl Into<PathBuf>, args: &[&str], vars: Vec<(&'static str, String)>) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { program: program.into(), args, vars, used: vec![] }
    }

    #[expect(clippy::zombie_processes, reason = "wait4 waits for it, and tells what it used")]
    fn turn(&mut self) {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(self.vars.iter().cloned()).args(&self.args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        let (cpu, peak_kib) = wait(&child).unwrap_or_else(|status| {
            panic!("{} {:?} ended with wait status {status}", self.program.display(), self.args)
        });
        self.used.push(Usage { wall: start.elapsed(), cpu, peak_kib });
    }

    fn median<T: Ord>(&self, figure: impl Fn(&Usage) -> T) -> T {
        let mut figures: Vec<T> = self.used.iter().map(figure).collect();
        figures.sort();
        let middle = figures.len() / 2;
        figures.swap_remove(middle)
    }

    fn wall_ms(&self) -> f64 {
        self.median(|used| used.wall).as_secs_f64() * 1e3
    }

    fn cpu_ms(&self) -> f64 {
        self.median(|used| used.cpu).as_secs_f64() * 1e3
    }

    fn peak_mib(&self) -> f64 {
        self.median(|used| used.peak_kib) as f64 / 1024.0
    }
}

/// Waits for a child; returns its processor time and its peak memory in KiB, or the wait status of a failure.
///
/// The peak is at least that of this process, which shares its memory with a child until that executes its program.
fn wait(child: &Child) -> Result<(Duration, u64), i32> {
    let pid = libc::pid_t::try_from(child.id()).expect("a process id");
    let mut status = 0;
    // SAFETY: `rusage` is plain data that may be zero and that the call fills; nobody else waits for this child.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        (libc::wait4(pid, &raw mut status, 0, &raw mut usage), usage)
    };
    assert_eq!(waited, pid, "the child can be waited for");
    let time =
        |time: libc::timeval| Duration::new(time.tv_sec.unsigned_abs(), time.tv_usec.unsigned_abs() as u32 * 1000);
    let used = (time(usage.ru_utime) + time(usage.ru_stime), usage.ru_maxrss.unsigned_abs());
    if status == 0 { Ok(used) } else { Err(status) }
}

/// A server that answers every request at once with the same run.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // A client that goes away early is none of the server's business.
    thread::spawn(move || listener.incoming().flatten().for_each(|stream| _ = answer(&stream)));
    url
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line)? > 0 && line != "\r\n" {
            length =
                line.to_lowercase().strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap_or(0));
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        reader.read_exact(&mut vec![0; length])?;
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", RUN.len());
        stream.write_all([head.as_str(), RUN].concat().as_bytes())?;
    }
}

/// Compiles a program that does nothing but greet, as this one is compiled.
fn hello(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("hello.rs"), folder.join("hello"));
    fs::write(&source, "fn main() { println!(\"hello\"); }\n").expect("a writable folder");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let args = ["-Copt-level=3", "-Clto=fat", "-Ccodegen-units=1", "-Cstrip=symbols", "-o"];
    let status = Command::new(rustc).args(args).arg(&program).arg(&source).status().expect("rustc runs");
    assert!(status.success(), "rustc compiles a hello world");
    program
}

/// Copies a program, as an installation does. The page cache holds a file fresh from the linker in small pieces, which
/// slows down every start.
fn install(program: &Path, folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin).expect("a writable folder");
    let installed = bin.join(program.file_name().expect("a program's name"));
    let bytes = fs::read(program).expect("the program can be read");
    fs::write(&installed, bytes).expect("a writable folder");
    let mode = fs::metadata(program).expect("the program is there").permissions();
    fs::set_permissions(&installed, mode).expect("a mode");
    installed
}

/// A figure, its limit, and whether it was met.
struct Row {
    what: &'static str,
    ours: String,
    theirs: String,
    figure: String,
    target: String,
    met: bool,
}

fn ratio(what: &'static str, unit: &str, ours: f64, theirs: f64, target: f64) -> Row {
    let shown = |value: f64| format!("{value:.2} {unit}");
    let ratio = ours / theirs;
    let (figure, target_text) = (format!("{ratio:.2}"), format!("<= {target}"));
    Row { what, ours: shown(ours), theirs: shown(theirs), figure, target: target_text, met: ratio <= target }
}

fn excess(what: &'static str, ours: f64, theirs: f64, target: f64) -> Row {
    let shown = |value: f64| format!("{value:.2} ms");
    let more = ours - theirs;
    let (figure, target_text) = (format!("{more:+.2} ms"), format!("<= +{target} ms"));
    Row { what, ours: shown(ours), theirs: shown(theirs), figure, target: target_text, met: more <= target }
}

fn main() -> ExitCode {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let rounds = std::env::var("ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(200);
    let built = std::env::var_os("AGENTCTL_BIN").map_or_else(|| env!("CARGO_BIN_EXE_agentctl").into(), PathBuf::from);
    let agentctl = install(&built, folder.path());
    let home = || ("HOME", folder.path().display().to_string());
    let url = serve();

    let vars = vec![home(), ("LETTA_BASE_URL", url.clone()), ("LETTA_API_KEY", "bench-key".to_owned())];
    let send = Subject::new(&agentctl, &["send", "--agent", AGENT, "-m", "hi"], vars);
    let route = format!("{url}/v1/agents/{AGENT}/messages/async");
    let (json, key) = ("content-type: application/json", "authorization: Bearer bench-key");
    let curl =
        Subject::new(which("curl"), &["-sS", "-H", json, "-H", key, "--data-binary", BODY, &route], vec![home()]);
    let version = Subject::new(&agentctl, &["--version"], vec![home()]);
    let hello = Subject::new(install(&hello(folder.path()), folder.path()), &[], vec![home()]);

    let mut subjects = [send, curl, version, hello];
    // The first turns load the programs from disk.
    for _ in 0..5 {
        subjects.iter_mut().for_each(Subject::turn);
    }
    subjects.iter_mut().for_each(|subject| subject.used.clear());
    for _ in 0..rounds {
        subjects.iter_mut().for_each(Subject::turn);
    }

    let [send, curl, version, hello] = &subjects;
    let rows = [
        ratio("send, wall time, beside curl", "ms", send.wall_ms(), curl.wall_ms(), 0.4),
        ratio("send, processor time, beside curl", "ms", send.cpu_ms(), curl.cpu_ms(), 0.4),
        ratio("send, peak memory, beside curl", "MiB", send.peak_mib(), curl.peak_mib(), 1.2),
        excess("--version, beside a hello world", version.wall_ms(), hello.wall_ms(), 1.5),
    ];
    let size = fs::metadata(&agentctl).map_or(0, |meta| meta.len());
    println!("{} ({:.1} MiB), {rounds} rounds, medians", built.display(), size as f64 / 1048576.0);
    println!("{:<35} {:>10} {:>10} {:>10}   {:<10}", "", "agentctl", "beside it", "figure", "target");
    for Row { what, ours, theirs, figure, target, met } in &rows {
        let verdict = if *met { "met" } else { "MISSED" };
        println!("{what:<35} {ours:>10} {theirs:>10} {figure:>10}   {target:<10} {verdict}");
    }
    println!("{:<35} {:>10}", "floor of the memory figures", format!("{:.2} MiB", hello.peak_mib()));
    if rows.iter().all(|row| row.met) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The program's full path: the processes here get no PATH.
fn which(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{program} is not installed"))
}
