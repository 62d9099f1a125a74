//! Where any process below this one may end, and has to be taken note of.

use std::io;
use std::process::Command;

use rustix::process::{self, Pid, WaitOptions, WaitStatus};
use tokio::signal::unix::{self, SignalKind};

use super::Ended;
use crate::ui::signals::Signal;

/// A command that runs.
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
        // It may just have ended, which is noticed next.
        let _ = process::kill_process(self.pid(), signal);
    }

    /// Ends it at once.
    pub fn kill(&self) {
        let _ = process::kill_process(self.pid(), process::Signal::KILL);
    }
}

/// Takes note of the ends of processes.
#[derive(Debug)]
pub struct Reaper(unix::Signal);

impl Reaper {
    /// Begins to listen; no end is missed from here on.
    pub fn new() -> io::Result<Self> {
        unix::signal(SignalKind::child()).map(Self)
    }

    /// The end of a command. Without one it waits for ever; of all other ends it takes note meanwhile.
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
