//! Events that the client reports while it works.

use std::rc::Rc;
use std::time::Duration;

use crate::model::{AgentId, RunId};

/// An event of a request, for progress messages and for `-v`.
#[derive(Clone, Debug)]
pub enum ClientEvent<'a> {
    /// The first try of a request failed; the request is retried.
    Retrying { server: &'a str, cause: String },
    /// A message may have been accepted, but its answer was lost; the client searches for its run.
    Lost { server: &'a str, agent: &'a AgentId, cause: String },
    /// The run of a lost message was found.
    Found { id: &'a RunId },
    /// A request and its result.
    Exchange { request: String, result: String, took: Duration },
    /// The body of a request or an answer, unchanged.
    Body { sent: bool, text: &'a str },
}

/// A callback for [`ClientEvent`]s.
pub type Listener = Rc<dyn Fn(ClientEvent<'_>)>;
