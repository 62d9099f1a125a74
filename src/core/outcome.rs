//! Decides from the status and the stop reason of a run whether it has ended, and with which outcome.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use crate::exit::Exit;
use crate::model::{Run, RunStatus, StopReason};

/// The time after which a stop reason counts as the end of a run, even if the status says that the run continues.
pub const STOP_REASON_GRACE: Duration = Duration::from_secs(10);

/// The outcome of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The agent finished its answer.
    Succeeded,
    /// A limit on steps or tokens ended the run early. The messages until then are kept.
    Truncated,
    /// A tool call waits for approval.
    NeedsApproval,
    /// The run was cancelled.
    Cancelled,
    /// The run failed.
    Failed,
    /// The run has not ended.
    Open,
    /// The run ended with a status that this program does not know.
    Unknown,
}

impl Outcome {
    /// Returns the value in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Truncated => "truncated",
            Self::NeedsApproval => "needs_approval",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Open => "open",
            Self::Unknown => "unknown",
        }
    }

    /// Returns the text for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::NeedsApproval => "needs approval",
            other => other.as_str(),
        }
    }

    /// Returns the exit code of a command that followed a run with this outcome.
    pub fn exit(self, strict: bool) -> Exit {
        match self {
            Self::Succeeded => Exit::Done,
            Self::Truncated if strict => Exit::RunFailed,
            Self::Truncated => Exit::Done,
            Self::NeedsApproval => Exit::NeedsApproval,
            Self::Cancelled => Exit::Cancelled,
            Self::Failed | Self::Unknown => Exit::RunFailed,
            Self::Open => Exit::StillOpen,
        }
    }
}

/// Returns the outcome of a run. `reason_age` is the time since its stop reason was first seen.
pub fn outcome(run: &Run, reason_age: Duration) -> Outcome {
    let reason = run.stop_reason();
    match run.status() {
        RunStatus::Completed => completed(reason.as_ref()),
        RunStatus::Failed => Outcome::Failed,
        RunStatus::Cancelled => Outcome::Cancelled,
        open => unfinished(run, &open, reason.as_ref(), reason_age),
    }
}

fn completed(reason: Option<&StopReason>) -> Outcome {
    match reason {
        None | Some(StopReason::EndTurn | StopReason::ToolRule | StopReason::Unknown(_)) => Outcome::Succeeded,
        Some(StopReason::MaxSteps | StopReason::MaxTokensExceeded) => Outcome::Truncated,
        Some(StopReason::RequiresApproval) => Outcome::NeedsApproval,
        Some(StopReason::Cancelled) => Outcome::Cancelled,
        Some(_) => Outcome::Failed,
    }
}

/// Returns the outcome of a run whose status is not an end. Some servers set the stop reason but not the status.
fn unfinished(run: &Run, status: &RunStatus, reason: Option<&StopReason>, reason_age: Duration) -> Outcome {
    match reason {
        Some(reason) if reason_age >= STOP_REASON_GRACE => by_mapping(reason),
        _ if matches!(status, RunStatus::Unknown(word) if !word.is_empty()) && run.completed_at().is_some() => {
            Outcome::Unknown
        }
        _ => Outcome::Open,
    }
}

/// Returns the outcome of the status that the API documents for a stop reason.
fn by_mapping(reason: &StopReason) -> Outcome {
    match reason.status() {
        Some(RunStatus::Completed) => completed(Some(reason)),
        Some(RunStatus::Cancelled) => Outcome::Cancelled,
        Some(_) => Outcome::Failed,
        None => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: &str, reason: &str, reason_age: u64) -> Outcome {
        let quoted = |word: &str| if word.is_empty() { "null".to_owned() } else { format!("\"{word}\"") };
        let text = format!(r#"{{"id":"run-12345678","status":{},"stop_reason":{}}}"#, quoted(status), quoted(reason));
        outcome(&Run::parse(&text).expect("a run"), Duration::from_secs(reason_age))
    }

    #[test]
    fn success_is_decided_from_status_and_stop_reason_together() {
        for (status, reason, expected) in [
            ("completed", "end_turn", Outcome::Succeeded),
            ("completed", "tool_rule", Outcome::Succeeded),
            ("completed", "", Outcome::Succeeded),
            ("completed", "tomorrow", Outcome::Succeeded),
            ("completed", "max_steps", Outcome::Truncated),
            ("completed", "max_tokens_exceeded", Outcome::Truncated),
            ("completed", "requires_approval", Outcome::NeedsApproval),
            ("completed", "insufficient_credits", Outcome::Failed),
            ("completed", "error", Outcome::Failed),
            ("failed", "error", Outcome::Failed),
            ("failed", "end_turn", Outcome::Failed),
            ("cancelled", "cancelled", Outcome::Cancelled),
            ("created", "", Outcome::Open),
            ("running", "", Outcome::Open),
            ("expired", "", Outcome::Open),
            ("", "", Outcome::Open),
        ] {
            assert_eq!(of(status, reason, 0), expected, "{status} {reason}");
        }
    }

    #[test]
    fn a_stop_reason_counts_as_an_end_after_ten_seconds() {
        for (reason, expected) in [
            ("end_turn", Outcome::Succeeded),
            ("max_steps", Outcome::Truncated),
            ("requires_approval", Outcome::NeedsApproval),
            ("error", Outcome::Failed),
            ("max_tokens_exceeded", Outcome::Failed),
            ("cancelled", Outcome::Cancelled),
        ] {
            assert_eq!(of("running", reason, 9), Outcome::Open);
            assert_eq!(of("running", reason, 10), expected, "{reason}");
        }
    }

    #[test]
    fn an_unknown_status_is_an_end_only_with_a_time_of_completion() {
        let text = r#"{"id":"run-12345678","status":"expired","completed_at":"2026-11-23T14:56:09.670795"}"#;
        let run = Run::parse(text).expect("a run");
        assert_eq!(outcome(&run, Duration::ZERO), Outcome::Unknown);
        assert_eq!(Outcome::Unknown.exit(false), Exit::RunFailed);
    }

    #[test]
    fn strict_makes_truncated_a_failure() {
        assert_eq!(Outcome::Truncated.exit(false), Exit::Done);
        assert_eq!(Outcome::Truncated.exit(true), Exit::RunFailed);
    }
}
