//! What answers a step of a run: the models of this server.
//!
//! A model sees a turn and a position in it and gives the step that follows. It keeps nothing
//! between steps, so that another process can go on behind the last one that was stored.

mod chat;
mod directive;
mod echo;
pub mod providers;
mod script;

use std::sync::OnceLock;

use chat::Chat;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use crate::model::StopReason;
use crate::server::Providers;
use crate::server::store::messages::MessageRow;

/// The model of an agent that was made without one.
pub const DEFAULT: &str = "agentctl/echo";

/// What an agent is told that is made without a system prompt.
pub const SYSTEM: &str = "You are a helpful assistant.";

/// The handles of the models that are built in.
pub const HANDLES: &[&str] = &[DEFAULT, "agentctl/script"];

/// One that answers.
pub trait Model: Send + Sync {
    /// Returns the step that follows the first `position` steps of the turn.
    fn step<'a>(&'a self, turn: &'a Turn, position: usize) -> BoxFuture<'a, Result<Step, Failure>>;

    /// Whether it answers to the whole conversation, and not to the text alone.
    fn remembers(&self) -> bool {
        false
    }
}

/// What a model is to answer.
#[derive(Debug, Default)]
pub struct Turn {
    /// The text that it was sent.
    pub text: String,
    /// What it is told about itself: the system prompt and the agent's memory.
    pub system: String,
    /// The conversation up to here, for a model that remembers.
    pub history: Vec<MessageRow>,
    /// Whether it shall show its thoughts.
    pub thinking: bool,
    /// When it gave its first output.
    pub first_output: FirstOutput,
}

/// The moment of the first output, once there is one.
#[derive(Debug, Default)]
pub struct FirstOutput(OnceLock<Instant>);

/// What a model said or did in one step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Its thoughts, in order.
    pub thoughts: Vec<String>,
    /// What it did; nothing if the turn ends without another act.
    pub acts: Vec<Act>,
    /// Why the turn ends here; none if there is more to do.
    pub stop: Option<StopReason>,
    /// What it used, where somebody counted.
    pub used: Option<Used>,
}

/// The tokens of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// What the model was sent.
    pub prompt: i64,
    /// What it answered.
    pub completion: i64,
}

/// The visible part of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// It says something.
    Reply(String),
    /// It calls a tool.
    Tool(Call),
    /// It calls a tool that a person must allow first.
    Ask(Call),
    /// It calls a tool that nobody offered.
    Unknown(Call),
}

/// A tool call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Call {
    /// The tool.
    pub name: String,
    /// JSON as text.
    pub arguments: String,
}

/// Why a step raised instead of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The kind of error, as steps list it.
    pub kind: &'static str,
    /// Why the step stopped.
    pub reason: StopReason,
    /// What went wrong.
    pub message: String,
}

impl Failure {
    /// An exception of this server.
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason: StopReason::Error, message: message.into() }
    }
}

impl FirstOutput {
    /// Output begins now, unless it began before.
    pub fn mark(&self) {
        self.0.get_or_init(Instant::now);
    }

    /// When it began.
    pub fn at(&self) -> Option<Instant> {
        self.0.get().copied()
    }
}

/// Finds a model by its handle. Whether an endpoint really has it turns out when it is called.
pub fn model(handle: &str, providers: &Providers) -> Result<Box<dyn Model>, Failure> {
    match (handle, providers.find(handle)) {
        ("agentctl/echo", _) => Ok(Box::new(echo::Echo)),
        ("agentctl/script", _) => Ok(Box::new(script::Script)),
        (_, Some((provider, name))) => Ok(Box::new(Chat { provider: provider.clone(), name: name.to_owned() })),
        (other, None) => Err(Failure::new("NotFoundError", unknown(other, providers))),
    }
}

/// What is said of a handle that no model has.
fn unknown(handle: &str, providers: &Providers) -> String {
    let endpoints = providers.all().iter().map(|provider| format!("{}/…", provider.name));
    let known: Vec<String> = HANDLES.iter().map(|handle| (*handle).to_owned()).chain(endpoints).collect();
    let wanting = providers.wanting(handle).map(|name| format!("; {name} is not set")).unwrap_or_default();
    format!("NOT_FOUND: Handle {handle} not found, must be one of [{}]{wanting}", known.join(", "))
}

/// What a tool answers: its arguments, since nothing stands behind a tool of this server.
pub fn tool_return(call: &Call) -> String {
    call.arguments.clone()
}

/// What a tool answers that nobody offered.
pub fn no_such_tool(call: &Call) -> String {
    format!("Error: there is no tool named {}", call.name)
}

/// Roughly how many tokens a text has.
pub fn tokens(text: &str) -> i64 {
    i64::try_from(text.chars().count().div_ceil(4)).unwrap_or(i64::MAX)
}
/// How many steps a script has; none where a text is no script.
pub fn script_steps(text: &str) -> Result<Option<usize>, String> {
    directive::script(text).map(|beats| beats.map(|beats| beats.len()))
}
