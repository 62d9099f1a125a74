//! Child processes on systems other than Unix, where only the command has to be waited for.

use std::io;
use std::process::Command;

use super::Ended;
use crate::ui::signals::Signal;

/// A running command.
#[derive(Debug)]
pub struct Child(tokio::process::Child);

impl Child {
    pub(super) fn spawn(command: Command) -> io::Result<Self> {
        tokio::process::Command::from(command).spawn().map(Self)
    }

    /// Does nothing: the console sends Ctrl-C to the command itself, and there are no other signals.
    pub fn forward(&self, _: Signal) {}

    /// Kills the command.
    pub fn kill(&mut self) {
        // It may just have ended.
        let _ = self.0.start_kill();
    }
}

/// Waits for the end of the command.
#[derive(Debug)]
pub struct Reaper;

impl Reaper {
    /// Creates the reaper.
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits until the command ends; without a command it never returns.
    pub async fn end_of(&mut self, command: Option<&mut Child>) -> Ended {
        let Some(command) = command else { return std::future::pending().await };
        let code = command.0.wait().await.ok().and_then(|status| status.code());
        Ended { code: code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX) }
    }
}
