//! Decides how a model answers: finds the model of a handle, and takes its next step in a turn. The models are `echo`,
//! `script` and those of chat completion endpoints. A model sees a turn and a position in it, and keeps no state between
//! steps. It stores nothing itself.

mod chat;
mod directive;
mod echo;
pub mod providers;
mod script;
pub mod turn;

use chat::Chat;
use providers::Providers;
use turn::Model;

use crate::server::types::agent::DEFAULT_MODEL;
use crate::server::types::run_error::{RunError, RunErrorKind};
use crate::server::types::tool_call::ToolCall;

/// The handles of the built-in models.
pub const HANDLES: &[&str] = &[DEFAULT_MODEL, "agentctl/script"];

/// Finds a model by its handle. Whether a provider has the model is known only once it is called.
pub fn model(handle: &str, providers: &Providers) -> Result<Box<dyn Model>, RunError> {
    match handle {
        "agentctl/echo" => return Ok(Box::new(echo::Echo)),
        "agentctl/script" => return Ok(Box::new(script::Script)),
        _ => {}
    }
    match providers.find(handle) {
        Some((provider, name)) => Ok(Box::new(Chat { provider: provider.clone(), name: name.to_owned() })),
        None => Err(RunError::new(RunErrorKind::UnknownModel, unknown(handle, providers))),
    }
}

fn unknown(handle: &str, providers: &Providers) -> String {
    let endpoints = providers.all().iter().map(|provider| format!("{}/…", provider.name));
    let known: Vec<String> = HANDLES.iter().map(|handle| (*handle).to_owned()).chain(endpoints).collect();
    let missing = providers.missing_variable(handle).map(|name| format!("; {name} is not set")).unwrap_or_default();
    format!("NOT_FOUND: Handle {handle} not found, must be one of [{}]{missing}", known.join(", "))
}

/// Returns the result of a tool call: its arguments, since this server has no tools.
pub fn tool_return(call: &ToolCall) -> String {
    call.arguments.clone()
}

/// Returns the result of a call of a tool that does not exist.
pub fn no_such_tool(call: &ToolCall) -> String {
    format!("Error: there is no tool named {}", call.name)
}

/// Estimates the number of tokens of a text: one for four characters.
pub fn estimate_tokens(text: &str) -> i64 {
    i64::try_from(text.chars().count().div_ceil(4)).unwrap_or(i64::MAX)
}

/// Returns the number of steps of a script, or `None` for a text that is not one.
pub fn script_steps(text: &str) -> Result<Option<usize>, String> {
    directive::script(text).map(|parts| parts.map(|parts| parts.len()))
}
