//! What following runs brings to light. Displays, streams and exit codes consume these.

use std::rc::Rc;
use std::time::Duration;

use crate::core::facts::Facts;
use crate::model::{Message, Run, RunId};
use crate::report::Failure;

/// Something that was seen while following runs.
#[derive(Clone, Debug)]
pub enum Event {
    /// This run is followed from now on. `run` is there when the command has its document already.
    Added { id: RunId, run: Option<Rc<Run>> },
    /// The first look at a run, or its status or stop reason changed.
    Status { run: Rc<Run> },
    /// A step that was not seen before has left its first message.
    Step { id: RunId, step_id: String, number: usize },
    /// A message that was not seen before.
    Message { id: RunId, message: Message },
    /// A look failed and is made again after `retry_in`. `down_for` is the time since looks began to fail.
    PollError { id: Option<RunId>, error: String, retry_in: Duration, down_for: Duration },
    /// The first look that succeeded after `down_for` of failures.
    Recovered { down_for: Duration },
    /// Something worth saying about a run that changes nothing, such as a stop reason without a status.
    Note { id: RunId, text: String },
    /// Nothing new was seen of a run for so long.
    Stalled { id: RunId, silent_for: Duration },
    /// The first look that shows that the run's callback was attempted.
    Callback { run: Rc<Run> },
    /// A run ended, and what is known about it.
    Ended(Rc<Ending>),
    /// The following of this run ended with an error; others go on.
    Lost { id: RunId, run: Option<Rc<Run>>, failure: Failure },
    /// A second passed: a display may show the time.
    Tick,
}

impl Event {
    /// The run that it is about, where it is about one.
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
pub struct Ending {
    /// The run as it was last seen.
    pub run: Rc<Run>,
    /// What this program adds to it.
    pub facts: Facts,
    /// Its messages, oldest first, where they were asked for and the server has them.
    pub messages: Option<Vec<Message>>,
}
