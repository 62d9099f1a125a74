//! How a command ends: by an exit code, or by the signal that asked for its end.

use crate::exit::Exit;
use crate::ui::signals::Signal;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The exit code.
    pub exit: Exit,
    /// The signal to end by, where one asked for the end.
    pub signal: Option<Signal>,
}

impl End {
    /// The worse of this end and an exit; a signal stays what it is.
    pub fn or(self, exit: Exit) -> Self {
        Self { exit: Exit::worst([self.exit, exit]), ..self }
    }
}

impl From<Exit> for End {
    fn from(exit: Exit) -> Self {
        Self { exit, signal: None }
    }
}

impl From<Signal> for End {
    fn from(signal: Signal) -> Self {
        Self { exit: signal.exit(), signal: Some(signal) }
    }
}
