//! The command that `serve` runs, and all processes that end below this one.
//!
//! As process 1 of a container, this one inherits what others leave behind, and has to take note of its end.

use std::ffi::OsString;
use std::io;
use std::process::Command;

use url::Url;

use super::ready;
use crate::config::Secret;
use crate::exit::Exit;
use crate::model::AgentId;
use crate::report::Failure;
use crate::ui::signals::Signal;

/// What a command is told about the server.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// `LETTA_BASE_URL`
    pub base: &'a Url,
    /// `LETTA_API_KEY`; without one, a key for another server must not come here.
    pub key: Option<&'a Secret>,
    /// `LETTA_AGENT_ID`
    pub agent: &'a AgentId,
}

/// Starts a command with the streams of this process.
pub fn start(words: &[OsString], around: &Surroundings<'_>) -> Result<Child, Failure> {
    let (program, args) = words.split_first().ok_or_else(|| Failure::usage("no command is given"))?;
    let mut command = Command::new(program);
    command.args(args).env("LETTA_BASE_URL", ready::text(around.base)).env("LETTA_AGENT_ID", around.agent.as_str());
    match around.key {
        Some(key) => command.env("LETTA_API_KEY", key.expose()),
        None => command.env_remove("LETTA_API_KEY"),
    };
    command.spawn().map(Child).map_err(|error| {
        let message = format!("cannot run the command `{}`", program.display());
        let hint = "write it word by word, as in `agentctl serve -- pytest tests/`; a shell's line needs `sh -c`";
        Failure::new(Exit::Local, "command", message).cause(error).hint(hint)
    })
}

/// A command that runs.
#[derive(Debug)]
pub struct Child(std::process::Child);

#[cfg(unix)]
impl Child {
    /// Whether an ended process is this one.
    pub fn is(&self, ended: &Ended) -> bool {
        ended.pid == i32::try_from(self.0.id()).unwrap_or_default()
    }

    /// Passes a signal on.
    pub fn forward(&self, signal: Signal) {
        let signal = match signal {
            Signal::Interrupt => rustix::process::Signal::INT,
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Hangup => rustix::process::Signal::HUP,
        };
        // It may just have ended, which is noticed next.
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.0), signal);
    }
}

/// A process that ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Which one.
    #[cfg(unix)]
    pid: i32,
    /// Its exit code; 128 + N where signal N ended it.
    pub code: u8,
}

/// Takes note of the ends of processes.
#[cfg(unix)]
#[derive(Debug)]
pub struct Reaper(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Reaper {
    /// Begins to listen; no end is missed from here on.
    pub fn new() -> io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::child()).map(Self)
    }

    /// The next process that ends. Without any it waits for ever.
    pub async fn next(&mut self) -> Ended {
        use rustix::process::{WaitOptions, wait};
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => {
                    let signal = status.terminating_signal().map(|signal| 128 + signal);
                    let code = status.exit_status().or(signal).and_then(|code| u8::try_from(code).ok());
                    return Ended { pid: pid.as_raw_pid(), code: code.unwrap_or(u8::MAX) };
                }
                Ok(None) | Err(_) => drop(self.0.recv().await),
            }
        }
    }
}
