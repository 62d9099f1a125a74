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
    /// The exit code of a command that this one ran, which is passed on.
    pub passed_on: Option<u8>,
}

impl End {
    /// Ends with the exit code of a command that this one ran.
    pub fn passed_on(code: u8) -> Self {
        Self { exit: Exit::Done, signal: None, passed_on: Some(code) }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        self.passed_on.unwrap_or(self.exit.code())
    }

    /// The worse of this end and an exit; a signal stays what it is.
    pub fn or(self, exit: Exit) -> Self {
        Self { exit: Exit::worst([self.exit, exit]), ..self }
    }
}

impl From<Exit> for End {
    fn from(exit: Exit) -> Self {
        Self { exit, signal: None, passed_on: None }
    }
}

impl From<Signal> for End {
    fn from(signal: Signal) -> Self {
        Self { exit: signal.exit(), signal: Some(signal), passed_on: None }
    }
}
