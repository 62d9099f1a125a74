//! A run's status, as `GET /v1/runs/{run_id}` reports it.

use std::fmt;

/// The status of a run. The API documents five; others are kept as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RunStatus {
    /// Accepted. The real server keeps this status until the run ends, unless the run streams.
    Created,
    /// Being executed. The real server reports it only for runs that stream.
    Running,
    /// Ended; the stop reason says whether it succeeded.
    Completed,
    /// Ended with an error.
    Failed,
    /// Ended by a cancel request.
    Cancelled,
    /// A word this program does not know, or an empty one where the server sent none.
    Unknown(String),
}

impl RunStatus {
    /// Returns the word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown(word) => word,
        }
    }

    /// Returns whether the API documents this status as an end.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl From<&str> for RunStatus {
    fn from(word: &str) -> Self {
        match word {
            "created" => Self::Created,
            "running" => Self::Running,
            "completed" => Self::Completed,
            "failed" => Self::Failed,
            "cancelled" => Self::Cancelled,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
