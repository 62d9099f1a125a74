//! The only poller: runs in at any time, [`Event`]s out. Nothing else in this program waits for a run.
//!
//! [`follower`] decides what is due, [`look`] makes the requests, `intake` takes in what they bring, `pace`
//! says when to look again;
//! [`tracked`] is what is known of one run, [`outage`] what is known of the server's silence, [`details`] what is asked once a run has ended.

pub mod details;
pub mod event;
pub mod follower;
mod intake;
pub mod look;
pub mod outage;
mod pace;
pub mod tracked;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use event::{Ending, Event};
pub use follower::follow;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::model::{Run, RunId};

/// A run to be followed.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its id.
    pub id: RunId,
    /// Its document, where the command has it.
    pub run: Option<Run>,
    /// This command sent it: the server knows it, whatever the first look says.
    pub ours: bool,
}

/// Which messages are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Messages {
    /// None.
    Never,
    /// Those of each run that ended.
    AtEnd,
    /// As they appear.
    Live,
}

/// How runs are followed.
#[derive(Clone, Debug)]
pub struct Options {
    /// A fixed delay between looks instead of one that grows with the run's age.
    pub interval: Option<Duration>,
    /// How long following may take in all.
    pub timeout: Option<Duration>,
    /// How long the server may fail to answer, in a row.
    pub max_outage: Duration,
    /// Stop at the first run that ended.
    pub any: bool,
    /// Stop at the first run whose exit is not 0.
    pub fail_fast: bool,
    /// A truncated run counts as failed.
    pub strict: bool,
    /// How long a run must stay ended: a run that was cancelled in mid-step can come back.
    pub stays: Duration,
    /// Which messages are asked for.
    pub messages: Messages,
    /// Ask for steps, tokens and the duration of each run that ended: two requests a run.
    pub figures: bool,
    /// Emit [`Event::Tick`] every second.
    pub ticks: bool,
    /// What to do about a run of which nothing is heard.
    pub stall: Option<Stall>,
    /// A run that has a callback ends for us only when that was attempted.
    pub wait_callback: bool,
    /// Somebody will hint at the end: looks are only there to be sure.
    pub relaxed: bool,
}

/// A run stalls when neither its status nor its messages have changed for some time.
#[derive(Clone, Copy, Debug)]
pub struct Stall {
    /// After how long.
    pub after: Duration,
    /// Whether that ends the following of the run, or is only said.
    pub ends: bool,
}

/// What is fed into following.
pub struct Inputs {
    /// The runs. Following goes on until all that came in have ended and no more can come.
    pub targets: UnboundedReceiver<Target>,
    /// Runs that may have ended, says somebody who is not believed: each is looked at at once.
    pub hints: Option<UnboundedReceiver<RunId>>,
}

impl From<UnboundedReceiver<Target>> for Inputs {
    fn from(targets: UnboundedReceiver<Target>) -> Self {
        Self { targets, hints: None }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            interval: None,
            timeout: None,
            max_outage: Duration::from_secs(300),
            any: false,
            fail_fast: false,
            strict: false,
            stays: Duration::ZERO,
            messages: Messages::Never,
            figures: true,
            ticks: false,
            stall: None,
            wait_callback: false,
            relaxed: false,
        }
    }
}

impl From<Run> for Target {
    fn from(run: Run) -> Self {
        Self { id: run.id().clone(), run: Some(run), ours: false }
    }
}
