//! The exit codes, which are part of the public interface.

/// The exit codes. Scripts may rely on the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Exit {
    /// Success: submitted, or every followed run succeeded or was truncated.
    Done,
    /// A run failed.
    RunFailed,
    /// Usage or bad input; nothing was sent.
    Usage,
    /// A run was cancelled.
    Cancelled,
    /// No key, or the server rejected the key or account (401, 402, 403).
    NotAllowed,
    /// No such agent or run.
    NotFound,
    /// A run waits for approval.
    NeedsApproval,
    /// A run has not ended.
    StillOpen,
    /// Server unreachable or overloaded after retries; nothing was accepted.
    Unreachable,
    /// It is unknown whether the message was accepted.
    Unknown,
    /// The response is not from this API.
    NotThisApi,
    /// The server rejected the request (other 4xx).
    Refused,
    /// Local error: file, disk, lock, port, database.
    Local,
    /// Refused for safety: redirect, plain HTTP with a key, invalid certificate.
    Unsafe,
    /// A bug in agentctl.
    Bug,
    /// `--timeout` or `--max-outage` expired; as far as is known, the run continues.
    TimedOut,
    /// SIGINT.
    Interrupted,
    /// SIGTERM or SIGHUP.
    Terminated,
}

impl Exit {
    /// All exit codes, in the order of the table in the README.
    pub const ALL: [Self; 18] = [
        Self::Done,
        Self::RunFailed,
        Self::Usage,
        Self::Cancelled,
        Self::NotAllowed,
        Self::NotFound,
        Self::NeedsApproval,
        Self::StillOpen,
        Self::Unreachable,
        Self::Unknown,
        Self::NotThisApi,
        Self::Refused,
        Self::Local,
        Self::Unsafe,
        Self::Bug,
        Self::TimedOut,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The precedence of exit codes: a command with several runs exits with the first that applies.
    pub const WORST_FIRST: [Self; 16] = [
        Self::Bug,
        Self::Interrupted,
        Self::Terminated,
        Self::Local,
        Self::Unsafe,
        Self::NotAllowed,
        Self::Unknown,
        Self::NotThisApi,
        Self::Refused,
        Self::NotFound,
        Self::Unreachable,
        Self::RunFailed,
        Self::NeedsApproval,
        Self::Cancelled,
        Self::TimedOut,
        Self::StillOpen,
    ];

    /// Returns the number of the exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::RunFailed => 1,
            Self::Usage => 2,
            Self::Cancelled => 3,
            Self::NotAllowed => 4,
            Self::NotFound => 5,
            Self::NeedsApproval => 6,
            Self::StillOpen => 8,
            Self::Unreachable => 9,
            Self::Unknown => 10,
            Self::NotThisApi => 11,
            Self::Refused => 12,
            Self::Local => 13,
            Self::Unsafe => 14,
            Self::Bug => 70,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// Returns the meaning of the code, for the README and the help.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => {
                "success: submitted, or every followed run succeeded or was truncated (with `--strict`, truncated is 1)"
            }
            Self::RunFailed => "a run failed",
            Self::Usage => "usage or bad input; nothing was sent",
            Self::Cancelled => "a run was cancelled",
            Self::NotAllowed => "no key, or the server answered 401, 402 or 403",
            Self::NotFound => "no such agent or run",
            Self::NeedsApproval => "a run waits for approval",
            Self::StillOpen => "still open (`status --exit-status`, `cancel`)",
            Self::Unreachable => "server unreachable or overloaded after retries; nothing was accepted: safe to repeat",
            Self::Unknown => "it is unknown whether the message was accepted: do not repeat blindly",
            Self::NotThisApi => "the response is not from this API (HTML, invalid JSON, too large)",
            Self::Refused => "the server rejected the request (other 4xx)",
            Self::Local => "local error: file, disk, lock, port, database, a `--jq` filter that fails on real data",
            Self::Unsafe => {
                "refused for safety: redirect, plain HTTP with a key, invalid certificate, credentials readable by others"
            }
            Self::Bug => "a bug in agentctl",
            Self::TimedOut => "`--timeout` or `--max-outage` expired; as far as is known, the run continues",
            Self::Interrupted => "interrupted (SIGINT)",
            Self::Terminated => "terminated (SIGTERM, SIGHUP)",
        }
    }

    /// Returns the exit code of a command that followed several runs.
    pub fn worst(exits: impl IntoIterator<Item = Self>) -> Self {
        let exits: Vec<Self> = exits.into_iter().collect();
        let first = Self::WORST_FIRST.into_iter().find(|exit| exits.contains(exit));
        first.or_else(|| exits.into_iter().find(|exit| *exit != Self::Done)).unwrap_or(Self::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_exits_share_a_code() {
        let codes: std::collections::BTreeSet<u8> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert_eq!(codes.len(), Exit::ALL.len());
    }

    #[test]
    fn the_exit_of_several_runs_follows_the_documented_precedence() {
        assert_eq!(Exit::worst([]), Exit::Done);
        assert_eq!(Exit::worst([Exit::Done, Exit::StillOpen, Exit::RunFailed]), Exit::RunFailed);
        assert_eq!(Exit::worst([Exit::RunFailed, Exit::NotFound]), Exit::NotFound);
        assert_eq!(Exit::worst([Exit::TimedOut, Exit::Cancelled]), Exit::Cancelled);
        assert_eq!(Exit::worst([Exit::Done, Exit::Usage]), Exit::Usage);
        let order: Vec<u8> = Exit::WORST_FIRST.iter().map(|exit| exit.code()).collect();
        assert_eq!(order, [70, 130, 143, 13, 14, 4, 10, 11, 12, 5, 9, 1, 6, 3, 124, 8]);
    }
}
