//! The differences between the API's documentation and the real server 0.16.8, and which of the two this server follows.
//!
//! Each difference is a method of [`Behaviour`]. Behaviour that both share is not here.

use super::run_kind::RunKind;
use crate::model::{RunStatus, StopReason};

/// The behaviour of a server where the documentation and the real server differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// As documented.
    #[default]
    Documented,
    /// As the real server 0.16.8, faults included, so that clients can be tested against them.
    Quirky,
}

impl Behaviour {
    fn quirky(self) -> bool {
        self == Self::Quirky
    }

    /// The status that is shown: an async run never says that it is `running`, it stays `created` to its end.
    pub fn status(self, status: &RunStatus, kind: RunKind) -> RunStatus {
        let running = *status == RunStatus::Running && !kind.streams();
        if self.quirky() && running { RunStatus::Created } else { status.clone() }
    }

    /// Whether `completed_at` and `callback_sent_at` lack their `Z`. They are UTC all the same.
    pub fn times_are_naive(self) -> bool {
        self.quirky()
    }

    /// Whether `ttft_ns` is null for every run.
    pub fn hides_ttft(self) -> bool {
        self.quirky()
    }

    /// Whether `total_duration_ns` is null wherever one run is looked at; only lists have it.
    pub fn hides_duration(self) -> bool {
        self.quirky()
    }

    /// Whether a run's `metadata` says which model answers. It is this server's own addition.
    pub fn shows_model(self) -> bool {
        !self.quirky()
    }

    /// Whether `after` and `before` of `GET /v1/runs/` are swapped.
    pub fn swaps_run_cursors(self) -> bool {
        self.quirky()
    }

    /// Whether `after` means newer messages and `before` older ones, whatever their order is.
    pub fn reads_message_cursors_by_time(self) -> bool {
        self.quirky()
    }

    /// Whether `order=desc` of an agent's messages gives the newest page, but the oldest of it first.
    pub fn turns_agent_messages(self) -> bool {
        self.quirky()
    }

    /// Whether what was sent is listed only once the first step has ended well, and is lost if that fails.
    pub fn hides_input_until_a_step(self) -> bool {
        self.quirky()
    }

    /// Whether a callback is attempted only once. Otherwise a failed attempt is retried.
    pub fn calls_back_once(self) -> bool {
        self.quirky()
    }

    /// Whether empty `messages` and empty content are accepted, to fail the run.
    pub fn accepts_empty(self) -> bool {
        self.quirky()
    }

    /// Whether `use_assistant_message` and its kin are repeated in the run, and otherwise passed over.
    pub fn ignores_assistant_message_fields(self) -> bool {
        self.quirky()
    }

    /// Whether a run that may take no step has done its turn; otherwise it has used up its steps.
    pub fn no_step_is_a_turn(self) -> bool {
        self.quirky()
    }

    /// The status of a run that ended for a reason: as documented, or `completed` for all that did not raise.
    pub fn ends_as(self, reason: &StopReason) -> RunStatus {
        match reason {
            StopReason::Error => RunStatus::Failed,
            _ if self.quirky() => RunStatus::Completed,
            reason => reason.status().unwrap_or(RunStatus::Completed),
        }
    }

    /// The stop reason of a run that raised: its step's own, or `error` whatever it was, unless it streams.
    pub fn raised(self, reason: &StopReason, kind: RunKind) -> StopReason {
        if self.quirky() && !kind.streams() { StopReason::Error } else { reason.clone() }
    }

    /// Whether a step that is under way when its run is cancelled goes on to its end, and may complete the run yet.
    pub fn cancels_between_steps(self) -> bool {
        self.quirky()
    }

    /// Whether `DELETE /v1/runs/{run_id}` calls a method that does not exist.
    pub fn cannot_delete_runs(self) -> bool {
        self.quirky()
    }

    /// Whether the stream of an async run sends only pings, and a stream request without a body gets a 500.
    pub fn streams_are_mute(self) -> bool {
        self.quirky()
    }

    /// Whether a stream in the background that fails just ends, without the end marker.
    pub fn cuts_failed_streams(self) -> bool {
        self.quirky()
    }

    /// Whether any text will do as a `callback_url`, to fail when it is to be called.
    pub fn accepts_any_callback(self) -> bool {
        self.quirky()
    }

    /// Whether `Idempotency-Key` is ignored.
    pub fn ignores_keys(self) -> bool {
        self.quirky()
    }

    /// Whether a 404 names the actor.
    pub fn tells_the_actor(self) -> bool {
        self.quirky()
    }

    /// Whether the wrong form of a path, with or without a slash at its end, is redirected.
    pub fn redirects_slashes(self) -> bool {
        self.quirky()
    }

    /// Whether agents must name a model, and a bad name is an exception.
    pub fn raises_over_agents(self) -> bool {
        self.quirky()
    }

    /// Whether a negative limit of a list without bounds is an exception.
    pub fn raises_over_limits(self) -> bool {
        self.quirky()
    }
}
