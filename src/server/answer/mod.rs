//! What answers a step of a run: the models of this server.
//!
//! A model sees a turn and a position in it and gives the step that follows. It keeps nothing
//! between steps, so that another process can go on behind the last one that was stored.

mod directive;
mod echo;
mod script;

use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::model::StopReason;

/// The model of an agent that was made without one.
pub(super) const DEFAULT: &str = "agentctl/echo";

/// What an agent is told that is made without a system prompt.
pub(super) const SYSTEM: &str = "You are a helpful assistant.";

/// Every model's handle.
pub(super) const HANDLES: &[&str] = &[DEFAULT, "agentctl/script"];

/// One that answers.
pub(super) trait Model: Send + Sync {
    /// Returns the step that follows the first `position` steps of the turn.
    fn step<'a>(&'a self, turn: &'a Turn, position: usize) -> BoxFuture<'a, Result<Step, Failure>>;
}

/// What a model is to answer.
#[derive(Debug)]
pub(super) struct Turn {
    /// The text that it was sent.
    pub(super) text: String,
    /// Whether it shall show its thoughts.
    pub(super) thinking: bool,
    /// When it gave its first output.
    pub(super) first_output: FirstOutput,
}

/// The moment of the first output, once there is one.
#[derive(Debug, Default)]
pub(super) struct FirstOutput(OnceLock<Instant>);

/// What a model said or did in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    /// Its thoughts, in order.
    pub(super) thoughts: Vec<String>,
    /// What it did; nothing if the turn ends without another act.
    pub(super) act: Option<Act>,
    /// Why the turn ends here; none if there is more to do.
    pub(super) stop: Option<StopReason>,
}

/// The visible part of a step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Act {
    /// It says something.
    Reply(String),
    /// It calls a tool.
    Tool(Call),
    /// It calls a tool that a person must allow first.
    Ask(Call),
}

/// A tool call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// The tool.
    pub(super) name: String,
    /// JSON as text.
    pub(super) arguments: String,
}

/// Why a step raised instead of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// The kind of error, as steps list it.
    pub(super) kind: &'static str,
    /// Why the step stopped.
    pub(super) reason: StopReason,
    /// What went wrong.
    pub(super) message: String,
}

impl Failure {
    /// An exception of this server.
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason: StopReason::Error, message: message.into() }
    }
}

impl FirstOutput {
    /// Output begins now, unless it began before.
    pub(super) fn mark(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// When it began.
    pub(super) fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}

/// Finds a model by its handle.
pub(super) fn model(handle: &str) -> Result<&'static dyn Model, Failure> {
    match handle {
        "agentctl/echo" => Ok(&echo::Echo),
        "agentctl/script" => Ok(&script::Script),
        other => Err(Failure::new("NotFoundError", unknown(other))),
    }
}

/// What is said of a handle that no model has.
pub(super) fn unknown(handle: &str) -> String {
    format!("NOT_FOUND: Handle {handle} not found, must be one of [{}]", HANDLES.join(", "))
}

/// What a tool answers: its arguments, since nothing stands behind a tool of this server.
pub(super) fn tool_return(call: &Call) -> String {
    call.arguments.clone()
}

/// Roughly how many tokens a text has.
pub(super) fn tokens(text: &str) -> i64 {
    i64::try_from(text.chars().count().div_ceil(4)).unwrap_or(i64::MAX)
}
