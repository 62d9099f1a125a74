//! A turn of a conversation, and the steps that a model takes in it.

use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::model::StopReason;
use crate::server::types::message::MessageRow;
use crate::server::types::run_error::RunError;
use crate::server::types::tool_call::ToolCall;

/// A model.
///
/// It keeps no state between steps, so that another process can continue after the last step that was stored.
pub trait Model: Send + Sync {
    /// Returns the step that follows the first `position` steps of the turn.
    fn step<'a>(&'a self, turn: &'a Turn, position: usize) -> BoxFuture<'a, Result<Step, RunError>>;

    /// Whether it reads [`Turn::history`], and not only [`Turn::text`].
    fn reads_history(&self) -> bool {
        false
    }
}

/// The input of a model.
#[derive(Debug, Default)]
pub struct Turn {
    /// The text to answer.
    pub text: String,
    /// The system prompt and the agent's memory.
    pub system: String,
    /// The conversation so far; empty unless the model reads it.
    pub history: Vec<MessageRow>,
    /// Whether reasoning is to be returned.
    pub thinking: bool,
    /// Set by the model at its first output.
    pub first_output: FirstOutput,
}

/// The moment of the first output, once there is one.
#[derive(Debug, Default)]
pub struct FirstOutput(OnceLock<Instant>);

/// The output of a model in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Its reasoning, in order.
    pub thoughts: Vec<String>,
    /// Its replies and tool calls, in order.
    pub acts: Vec<Act>,
    /// The stop reason, if the turn ends with this step.
    pub stop: Option<StopReason>,
    /// The tokens that the provider counted, if it did.
    pub tokens: Option<TokenCount>,
}

/// The tokens of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenCount {
    pub prompt: i64,
    pub completion: i64,
}

/// A reply or a tool call.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    Reply(String),
    Tool(ToolCall),
    /// A tool call that needs an approval.
    Ask(ToolCall),
    /// A call of a tool that does not exist.
    Unknown(ToolCall),
}

impl FirstOutput {
    /// Records the current time, the first time it is called.
    pub fn mark(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// Returns the time of the first [`mark`](Self::mark).
    pub fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}
