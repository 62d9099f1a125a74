//! The only poller: runs in at any time, [`Event`]s out. Nothing else in this program waits for a run.
//!
//! [`follower`] is the loop, [`poll`] makes the requests, `results` turns their results into events, and `delays`
//! decides when to poll again. [`tracked`] is the state of one run, with its `phase`, `schedule` and `transcript`.
//! [`outage`] is the backoff while the server does not answer, [`details`] fetches metrics and messages at the end.

mod delays;
pub mod details;
pub mod event;
pub mod follower;
pub mod outage;
mod phase;
pub mod poll;
mod results;
mod schedule;
pub mod tracked;
mod transcript;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use event::{EndedRun, Event};
pub use follower::follow;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::model::{Run, RunId};

/// A run to follow.
#[derive(Clone, Debug)]
pub struct FollowTarget {
    /// Its id.
    pub id: RunId,
    /// Its document, if the command has it.
    pub run: Option<Run>,
    /// Whether this command sent it. If so, an early 404 is not final: a replica may not know the run yet.
    pub sent_here: bool,
}

/// The messages to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// No messages.
    Never,
    /// All messages of a run, once it has ended.
    AtEnd,
    /// Each message as it appears.
    Live,
}

/// How runs are followed.
#[derive(Clone, Debug)]
pub struct FollowOptions {
    /// A fixed delay between polls, instead of one that grows with the run's age.
    pub interval: Option<Duration>,
    /// The time limit for all runs together.
    pub timeout: Option<Duration>,
    /// The longest outage of the server that following survives.
    pub max_outage: Duration,
    /// Stop at the first run that ended.
    pub any: bool,
    /// Stop at the first run whose exit is not 0.
    pub fail_fast: bool,
    /// A truncated run counts as failed.
    pub strict: bool,
    /// How long polls must show a run ended before its end is reported. A step at work can complete a cancelled run.
    pub confirm_end_for: Duration,
    /// The messages to fetch.
    pub messages: Messages,
    /// Fetch steps, tokens and the duration of each run that ended: two requests a run.
    pub figures: bool,
    /// Emit [`Event::Tick`] every second.
    pub ticks: bool,
    /// When a run counts as stalled; `None` for never.
    pub stall: Option<Stall>,
    /// Report the end of a run that has a callback only after the callback was attempted.
    pub wait_callback: bool,
    /// Poll less often: a hint is expected when a run ends.
    pub relaxed: bool,
}

/// When a run counts as stalled: neither its status nor its messages changed for some time.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    /// The time without a change.
    pub after: Duration,
    /// Stop following the run then, instead of reporting it only.
    pub ends: bool,
}

/// The channels that following reads from.
pub struct Inputs {
    /// Runs to follow. Following ends when this is closed and all runs have ended.
    pub targets: UnboundedReceiver<FollowTarget>,
    /// Runs that may have ended, from an untrusted source: each is polled at once.
    pub hints: Option<UnboundedReceiver<RunId>>,
}

impl From<UnboundedReceiver<FollowTarget>> for Inputs {
    fn from(targets: UnboundedReceiver<FollowTarget>) -> Self {
        Self { targets, hints: None }
    }
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self {
            interval: None,
            timeout: None,
            max_outage: Duration::from_secs(300),
            any: false,
            fail_fast: false,
            strict: false,
            confirm_end_for: Duration::ZERO,
            messages: Messages::Never,
            figures: true,
            ticks: false,
            stall: None,
            wait_callback: false,
            relaxed: false,
        }
    }
}

impl From<Run> for FollowTarget {
    fn from(run: Run) -> Self {
        Self { id: run.id().clone(), run: Some(run), sent_here: false }
    }
}
