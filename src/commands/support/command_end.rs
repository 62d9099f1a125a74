//! How a command ends.

use crate::exit::Exit;
use crate::ui::signals::Signal;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With an exit code.
    Exit(Exit),
    /// By the signal that asked it to end.
    Signal(Signal),
    /// With the exit code of a command that it ran.
    PassedOn(u8),
}

impl End {
    /// Returns the exit code that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Exit(exit) => exit.code(),
            Self::Signal(signal) => signal.exit().code(),
            Self::PassedOn(code) => code,
        }
    }

    /// Returns the signal that asked for the end, if one did.
    pub fn signal(self) -> Option<Signal> {
        match self {
            Self::Signal(signal) => Some(signal),
            Self::Exit(_) | Self::PassedOn(_) => None,
        }
    }

    /// Returns the worse of this end and an exit. A signal and a passed-on exit code stay.
    pub fn or(self, exit: Exit) -> Self {
        match self {
            Self::Exit(own) => Self::Exit(Exit::worst([own, exit])),
            Self::Signal(_) | Self::PassedOn(_) => self,
        }
    }
}

impl From<Exit> for End {
    fn from(exit: Exit) -> Self {
        Self::Exit(exit)
    }
}

impl From<Signal> for End {
    fn from(signal: Signal) -> Self {
        Self::Signal(signal)
    }
}
