//! The events of following runs, consumed by displays, event streams and exit codes.

use std::rc::Rc;
use std::time::Duration;

use crate::core::facts::Facts;
use crate::model::{Message, Run, RunId};
use crate::report::Failure;

/// An event of following runs.
#[derive(Clone, Debug)]
pub enum Event {
    /// A run is followed from now on. `run` is its document, if the command has it already.
    Added { id: RunId, run: Option<Rc<Run>> },
    /// The first poll of a run was answered, or its status or stop reason changed.
    Status { run: Rc<Run> },
    /// The first message of a new step appeared.
    Step { id: RunId, step_id: String, number: usize },
    /// A new message appeared.
    Message { id: RunId, message: Message },
    /// A poll failed, and is retried after `retry_in`. `down_for` is the time since polls began to fail.
    PollError { id: Option<RunId>, error: String, retry_in: Duration, down_for: Duration },
    /// A poll succeeded after `down_for` of failures.
    Recovered { down_for: Duration },
    /// A notice about a run, such as a stop reason although the status is open.
    Note { id: RunId, text: String },
    /// Nothing about a run changed for `silent_for`.
    Stalled { id: RunId, silent_for: Duration },
    /// The run's callback was attempted.
    Callback { run: Rc<Run> },
    /// A run ended.
    Ended(Rc<EndedRun>),
    /// A run cannot be followed any more; others go on.
    Lost { id: RunId, run: Option<Rc<Run>>, failure: Failure },
    /// A second passed, for displays that show the time.
    Tick,
}

impl Event {
    /// Returns the run that it is about; `None` if it is about all.
    pub fn run_id(&self) -> Option<&RunId> {
        match self {
            Self::Status { run } | Self::Callback { run } => Some(run.id()),
            Self::Ended(ending) => Some(ending.run.id()),
            Self::PollError { id, .. } => id.as_ref(),
            Self::Added { id, .. } | Self::Step { id, .. } | Self::Message { id, .. } => Some(id),
            Self::Note { id, .. } | Self::Lost { id, .. } | Self::Stalled { id, .. } => Some(id),
            Self::Recovered { .. } | Self::Tick => None,
        }
    }
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct EndedRun {
    /// The run's last document.
    pub run: Rc<Run>,
    /// The facts that this program adds.
    pub facts: Facts,
    /// Its messages, oldest first; `None` if they were not asked for, or the server has none.
    pub messages: Option<Vec<Message>>,
}
