//! Child processes on Unix, where orphans have to be reaped, too.

use std::io;
use std::process::Command;

use rustix::process::{self, Pid, WaitOptions, WaitStatus};
use tokio::signal::unix::{self, SignalKind};

use super::Ended;
use crate::ui::signals::Signal;

/// A running command.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    pub(super) fn spawn(mut command: Command) -> io::Result<Self> {
        command.spawn().map(Self)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Passes a signal on.
    pub fn forward(&self, signal: Signal) {
        let signal = match signal {
            Signal::Interrupt => process::Signal::INT,
            Signal::Terminate => process::Signal::TERM,
            Signal::Hangup => process::Signal::HUP,
        };
        // This fails if the command has just ended, which the reaper notices.
        let _ = process::kill_process(self.pid(), signal);
    }

    /// Kills the command.
    pub fn kill(&self) {
        let _ = process::kill_process(self.pid(), process::Signal::KILL);
    }
}

/// Reaps child processes.
#[derive(Debug)]
pub struct Reaper(unix::Signal);

impl Reaper {
    /// Starts to listen for SIGCHLD.
    pub fn new() -> io::Result<Self> {
        unix::signal(SignalKind::child()).map(Self)
    }

    /// Waits until the command ends, and reaps all other processes. Without a command it never returns.
    pub async fn end_of(&mut self, command: Option<&mut Child>) -> Ended {
        let command = command.map(|command| command.pid());
        loop {
            match process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if Some(pid) == command => return Ended { code: code(status) },
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => drop(self.0.recv().await),
            }
        }
    }
}

fn code(status: WaitStatus) -> u8 {
    let signal = status.terminating_signal().map(|signal| 128 + signal);
    status.exit_status().or(signal).and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
