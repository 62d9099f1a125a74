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

    /// Returns the status that is shown. Quirky: a run that does not stream stays `created` until it ends.
    pub fn status(self, status: &RunStatus, kind: RunKind) -> RunStatus {
        let running = *status == RunStatus::Running && !kind.streams();
        if self.quirky() && running { RunStatus::Created } else { status.clone() }
    }

    /// Whether `completed_at` and `callback_sent_at` are written without `Z`. They are UTC in both cases.
    pub fn times_are_naive(self) -> bool {
        self.quirky()
    }

    /// Whether `ttft_ns` is null for every run.
    pub fn hides_ttft(self) -> bool {
        self.quirky()
    }

    /// Whether `total_duration_ns` is null except in lists of runs.
    pub fn hides_duration(self) -> bool {
        self.quirky()
    }

    /// Whether a run's `metadata` names its model, which is an addition of this server.
    pub fn shows_model(self) -> bool {
        !self.quirky()
    }

    /// Whether `after` and `before` of `GET /v1/runs/` are swapped.
    pub fn swaps_run_cursors(self) -> bool {
        self.quirky()
    }

    /// Whether `after` means newer and `before` means older messages in both orders.
    pub fn reads_message_cursors_by_time(self) -> bool {
        self.quirky()
    }

    /// Whether `order=desc` of an agent's messages returns the newest page in ascending order.
    pub fn turns_agent_messages(self) -> bool {
        self.quirky()
    }

    /// Whether input messages are listed only after the first step has succeeded; if it fails, they are lost.
    pub fn hides_input_until_a_step(self) -> bool {
        self.quirky()
    }

    /// Whether a callback is attempted only once. Otherwise a failed attempt is retried.
    pub fn calls_back_once(self) -> bool {
        self.quirky()
    }

    /// Whether empty `messages` and empty content are accepted. Their run fails.
    pub fn accepts_empty(self) -> bool {
        self.quirky()
    }

    /// Whether `use_assistant_message`, `assistant_message_tool_name` and `assistant_message_tool_kwarg` are shown in the run
    /// but have no effect: their defaults apply.
    pub fn ignores_assistant_message_fields(self) -> bool {
        self.quirky()
    }

    /// Whether a run whose `max_steps` is 0 or less stops with `end_turn`; otherwise with `max_steps`.
    pub fn zero_steps_end_the_turn(self) -> bool {
        self.quirky()
    }

    /// Returns the status of a run that ended for a reason. Quirky: `completed` for all reasons but `error`.
    pub fn ends_as(self, reason: &StopReason) -> RunStatus {
        match reason {
            StopReason::Error => RunStatus::Failed,
            _ if self.quirky() => RunStatus::Completed,
            reason => reason.status().unwrap_or(RunStatus::Completed),
        }
    }

    /// Returns the stop reason of a run that failed with this reason. Quirky: `error`, unless the run streams.
    pub fn failure_stop_reason(self, reason: &StopReason, kind: RunKind) -> StopReason {
        if self.quirky() && !kind.streams() { StopReason::Error } else { reason.clone() }
    }

    /// Whether a cancelled run finishes its current step, which may still complete it.
    pub fn cancels_between_steps(self) -> bool {
        self.quirky()
    }

    /// Whether `DELETE /v1/runs/{run_id}` fails, since the real server calls a method that does not exist.
    pub fn cannot_delete_runs(self) -> bool {
        self.quirky()
    }

    /// Whether the stream of an async run sends only pings, and a stream request without a body gets a 500.
    pub fn async_streams_send_only_pings(self) -> bool {
        self.quirky()
    }

    /// Whether a background stream whose run fails ends without the end marker.
    pub fn cuts_failed_streams(self) -> bool {
        self.quirky()
    }

    /// Whether any text is accepted as a `callback_url`. An invalid one fails when the callback is delivered.
    pub fn accepts_any_callback(self) -> bool {
        self.quirky()
    }

    /// Whether `Idempotency-Key` is ignored.
    pub fn ignores_keys(self) -> bool {
        self.quirky()
    }

    /// Whether the text of a 404 contains the actor's id.
    pub fn not_found_names_the_actor(self) -> bool {
        self.quirky()
    }

    /// Whether a path with a missing or an extra slash at its end is redirected.
    pub fn redirects_slashes(self) -> bool {
        self.quirky()
    }

    /// Whether a new agent needs `model` or `llm_config`, and an invalid name is an internal error.
    pub fn emulates_agent_errors(self) -> bool {
        self.quirky()
    }

    /// Whether a negative `limit` is an internal error, for lists without a maximum.
    pub fn negative_limit_is_internal_error(self) -> bool {
        self.quirky()
    }
}
