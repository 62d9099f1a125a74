//! Where the system takes note of the ends of all processes but the command.

use std::io;
use std::process::Command;

use super::Ended;
use crate::ui::signals::Signal;

/// A command that runs.
#[derive(Debug)]
pub struct Child(tokio::process::Child);

impl Child {
    pub(super) fn spawn(command: Command) -> io::Result<Self> {
        tokio::process::Command::from(command).spawn().map(Self)
    }

    /// The console has passed Ctrl-C on, and there are no other signals.
    pub fn forward(&self, _: Signal) {}

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may just have ended.
        let _ = self.0.start_kill();
    }
}

/// Takes note of the end of the command.
#[derive(Debug)]
pub struct Reaper;

impl Reaper {
    /// Begins to listen.
    pub fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The end of a command. Without one it waits for ever.
    pub async fn end_of(&mut self, command: Option<&mut Child>) -> Ended {
        let Some(command) = command else { return std::future::pending().await };
        let code = command.0.wait().await.ok().and_then(|status| status.code());
        Ended { code: code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX) }
    }
}
