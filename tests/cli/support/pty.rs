//! A terminal of the test's own, with a process on it.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::{self, LocalModes, OptionalActions};

use super::TestEnv;
use super::env::AGENTCTL;

/// How long a process may take. A limit, not an expectation.
const LIMIT: Duration = Duration::from_secs(60);
/// Begins the sequence, invisible on a terminal, by which the session leader reports the exit code.
const EXIT: &str = "\u{1b}]777;exit=";
/// The session leader, as a shell is on a real terminal. When a leader ends, the kernel throws away output that has not
/// been read yet; so this one reports the exit code after all output of the program, then waits to be killed.
const LEADER: &str = r#"trap : INT QUIT TSTP; "$0" "$@"; printf '\033]777;exit=%d\a' $?; read -r _"#;
/// Runs a program once for each list of arguments, which a number precedes, and prints a line after each.
const EACH: &str = r#"while (($#)); do "$0" "${@:2:$1}"; printf -- '-- ended --\n'; shift $(($1 + 1)); done"#;
/// The line that follows the output of each command of [`Pty::agentctl_each`].
pub const ENDED: &str = "-- ended --\r\n";
/// Wider than anything that is printed: on a screen like this no line is wrapped.
const UNLIMITED: u16 = 1000;

/// A terminal that waits for its process.
pub struct Pty {
    command: CommandBuilder,
    columns: u16,
}

impl Pty {
    /// A terminal for the program with these arguments.
    pub fn agentctl(env: &TestEnv, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        Self::of(env, AGENTCTL, args)
    }

    /// A terminal for the program with each of these lists of arguments in turn. One terminal for many commands is quicker:
    /// a process is forked for each, and this one is large.
    pub fn agentctl_each(env: &TestEnv, commands: &[&[&str]]) -> Self {
        let mut args = ["--norc", "-c", EACH, AGENTCTL].map(str::to_owned).to_vec();
        for command in commands {
            args.push(command.len().to_string());
            args.extend(command.iter().map(|arg| (*arg).to_owned()));
        }
        Self::of(env, "bash", args)
    }

    /// A terminal for a bash script that finds the program as `agentctl`.
    pub fn bash(env: &TestEnv, script: &str) -> Self {
        Self::of(env, "bash", ["--norc", "-c", script])
    }

    /// A terminal for a shell that waits for what is typed.
    pub fn shell(env: &TestEnv, shell: &str, args: &[&str]) -> Self {
        Self::of(env, shell, args)
    }

    fn of(env: &TestEnv, program: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        let mut command = CommandBuilder::new("bash");
        command.args(["--norc", "-c", LEADER, program]);
        command.args(args);
        command.env_clear();
        // A terminal has columns of its own.
        env.vars().iter().filter(|(name, _)| *name != "COLUMNS").for_each(|(name, value)| command.env(name, value));
        command.env("TERM", "xterm-256color");
        command.cwd(env.home());
        Self { command, columns: 80 }
    }

    /// Sets a variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Names the server, and a key as most servers want one.
    pub fn server(self, url: &str) -> Self {
        self.env("LETTA_BASE_URL", url).env("LETTA_API_KEY", "test-key")
    }

    /// Sets the width.
    pub fn columns(mut self, columns: u16) -> Self {
        self.columns = columns;
        self
    }

    /// Starts the process.
    pub fn spawn(self) -> OnTerminal {
        let size = PtySize { rows: 24, cols: self.columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        keep_output_after_interrupt(&*pair.master);
        let leader = pair.slave.spawn_command(self.command).expect("a process on the terminal");
        drop(pair.slave);
        let captured = Arc::new(Captured::default());
        let (ours, mut reader) = (Arc::clone(&captured), pair.master.try_clone_reader().expect("a reader"));
        let reading = thread::spawn(move || {
            let mut buffer = [0; 65536];
            // Linux answers with an error once the last process has closed the terminal.
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let chunk = Chunk { at: Instant::now(), bytes: buffer[..count].to_vec() };
                ours.chunks.lock().expect("no panic").push(chunk);
                ours.more.notify_all();
            }
        });
        let keyboard = pair.master.take_writer().expect("a writer");
        let deadline = Instant::now() + LIMIT;
        OnTerminal { columns: self.columns, captured, keyboard, reading, leader, deadline, _master: pair.master }
    }
}

/// Makes the terminal keep what was printed and not read yet when Ctrl-C is typed. By default it throws that away, which
/// would make the test depend on how quickly it reads.
fn keep_output_after_interrupt(master: &dyn MasterPty) {
    let descriptor = master.as_raw_fd().expect("a descriptor");
    // SAFETY: the terminal is open for as long as `master` is borrowed.
    let terminal = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let mut modes = termios::tcgetattr(terminal).expect("a terminal");
    modes.local_modes.insert(LocalModes::NOFLSH);
    termios::tcsetattr(terminal, OptionalActions::Now, &modes).expect("a terminal");
}

#[derive(Default)]
struct Captured {
    chunks: Mutex<Vec<Chunk>>,
    more: Condvar,
}

/// Output read at once, with the time of reading.
#[derive(Clone, Debug)]
pub struct Chunk {
    pub at: Instant,
    pub bytes: Vec<u8>,
}

/// A process at work on a terminal.
pub struct OnTerminal {
    columns: u16,
    captured: Arc<Captured>,
    keyboard: Box<dyn Write + Send>,
    reading: thread::JoinHandle<()>,
    leader: Box<dyn Child + Send + Sync>,
    deadline: Instant,
    _master: Box<dyn MasterPty + Send>,
}

impl OnTerminal {
    /// Types something.
    pub fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits until `text` was printed.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |said| said.contains(text));
    }

    fn wait_until(&self, awaited: &str, found: impl Fn(&str) -> bool) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let chunks = self.captured.chunks.lock().expect("no panic");
        let waits = |chunks: &mut Vec<Chunk>| !found(&joined(chunks));
        let (chunks, timeout) = self.captured.more.wait_timeout_while(chunks, left, waits).expect("no panic");
        assert!(!timeout.timed_out(), "`{awaited}` was not printed: {:?}", joined(&chunks));
    }

    /// All that was printed so far.
    pub fn so_far(&self) -> String {
        joined(&self.captured.chunks.lock().expect("no panic"))
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Screen {
        self.wait_until("the exit code", |said| {
            said.rsplit_once(EXIT).is_some_and(|(_, report)| report.contains('\u{7}'))
        });
        self.leader.kill().expect("the leader is there");
        self.leader.wait().expect("a child can be waited for");
        drop(self._master);
        drop(self.keyboard);
        self.reading.join().expect("no panic");
        let mut chunks = self.captured.chunks.lock().expect("no panic").clone();
        let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect();
        let end = bytes.windows(EXIT.len()).rposition(|window| window == EXIT.as_bytes()).expect("the exit code");
        let report = String::from_utf8_lossy(&bytes[end + EXIT.len()..]).into_owned();
        let code = report.split('\u{7}').next().and_then(|code| code.parse().ok()).expect("a number");
        let mut left = end;
        for chunk in &mut chunks {
            chunk.bytes.truncate(left);
            left -= chunk.bytes.len();
        }
        chunks.retain(|chunk| !chunk.bytes.is_empty());
        Screen { columns: self.columns, chunks, code }
    }
}

/// The output of a process on a terminal.
pub struct Screen {
    pub columns: u16,
    pub chunks: Vec<Chunk>,
    /// The exit code as a shell sees it: 128 and the signal for a process that a signal ended.
    pub code: i32,
}

impl Screen {
    /// All that was printed, as it was printed.
    pub fn raw(&self) -> String {
        joined(&self.chunks)
    }

    /// The final lines of the screen, without blank ones.
    pub fn lines(&self) -> Vec<String> {
        let mut parser = vt100::Parser::new(24, self.columns, 0);
        parser.process(self.raw().as_bytes());
        rows(&parser)
    }

    /// Whether the cursor is left visible, at the beginning of a line.
    pub fn cursor_is_left_well(&self) -> bool {
        let mut parser = vt100::Parser::new(24, self.columns, 0);
        parser.process(self.raw().as_bytes());
        !parser.screen().hide_cursor() && parser.screen().cursor_position().1 == 0
    }

    /// The widest line with `word` in it that was ever shown, in columns.
    pub fn widest(&self, word: &str) -> usize {
        // On a wide screen nothing is wrapped, so that what is too wide can be seen.
        let mut parser = vt100::Parser::new(24, UNLIMITED, 0);
        let width = |line: &String| unicode_width::UnicodeWidthStr::width(line.as_str());
        // A display is redrawn from the beginning of its line, so each state is complete at a carriage return.
        let raw = self.raw();
        let widest = raw.split_inclusive('\r').filter_map(|piece| {
            parser.process(piece.as_bytes());
            rows(&parser).iter().filter(|line| line.contains(word)).map(width).max()
        });
        widest.max().unwrap_or(0)
    }
}

fn joined(chunks: &[Chunk]) -> String {
    let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.clone()).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn rows(parser: &vt100::Parser) -> Vec<String> {
    let screen = parser.screen();
    let columns = screen.size().1;
    screen.rows(0, columns).map(|row| row.trim_end().to_owned()).filter(|row| !row.is_empty()).collect()
}
