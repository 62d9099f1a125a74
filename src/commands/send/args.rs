//! The arguments of `send`.

use std::path::PathBuf;

use super::texts::Texts;
use crate::commands::support::follow_args::FollowArgs;
use crate::commands::support::receiver::ReceiverArgs;
use crate::model::AgentRef;
use crate::text::count;

/// Send a message to an agent and print the run
///
/// The server answers at once with a run; the agent works in the background. With --watch, --wait or
/// --reply the command waits until the run has ended, and the exit code is its outcome.
///
/// Without a message flag the request is read from standard input as JSON: an object (the whole
/// request, with agent_id if you like), an array (the messages) or a string (one user message).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl send --local -m \"hi\" --watch
  agentctl send --agent AGENT -m \"summarise this\" -F report.txt --reply
  id=$(agentctl send --agent AGENT -m \"hi\" -o id)
  echo '{\"agent_id\":\"AGENT\",\"input\":\"hi\"}' | agentctl send | agentctl watch -

Exit codes: 0 submitted, or the followed run succeeded; 9 nothing was accepted,
safe to repeat; 10 it is unknown whether the message was accepted. All of them:
`agentctl help exit-codes`.")]
pub struct Args {
    /// The agent, by id or by name [env: LETTA_AGENT_ID] [default with --local: default]
    #[arg(short, long, value_name = "AGENT")]
    pub agent: Option<AgentRef>,
    /// The messages' texts.
    #[command(flatten)]
    pub texts: Texts,
    /// Add an image, a file or a URL, to the last message
    #[arg(long, value_name = "FILE|URL", help_heading = "Message")]
    pub image: Vec<String>,
    /// The role of the messages
    #[arg(long, value_name = "ROLE", default_value = "user", value_parser = ["user", "system", "assistant"], help_heading = "Message")]
    pub role: String,
    /// Read the request from a JSON file, or from standard input with -
    #[arg(long, value_name = "FILE", help_heading = "Message")]
    pub body: Option<PathBuf>,
    /// Set any field of the request to a text; dots go into objects
    #[arg(long, value_name = "KEY=TEXT", value_parser = pair, allow_hyphen_values = true, help_heading = "Request")]
    pub set: Vec<(String, String)>,
    /// Set any field of the request to a JSON value
    #[arg(long, value_name = "KEY=JSON", value_parser = pair, allow_hyphen_values = true, help_heading = "Request")]
    pub set_json: Vec<(String, String)>,
    /// Allow the agent at most this many steps [server's default: 50]
    #[arg(long, value_name = "N", value_parser = count::parse::<u64>, allow_negative_numbers = true, help_heading = "Request")]
    pub max_steps: Option<u64>,
    /// Turn the tool call with which older agents reply into an assistant message
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Request")]
    pub use_assistant_message: Option<bool>,
    /// The name of that tool [server's default: send_message]
    #[arg(long, value_name = "NAME", help_heading = "Request")]
    pub assistant_message_tool_name: Option<String>,
    /// The argument of that tool which holds the text [server's default: message]
    #[arg(long, value_name = "NAME", help_heading = "Request")]
    pub assistant_message_tool_kwarg: Option<String>,
    /// Keep only messages of these types in the run's messages
    #[arg(long, visible_alias = "return-types", value_name = "TYPE", value_delimiter = ',', help_heading = "Request")]
    pub include_return_message_types: Vec<String>,
    /// Ask for the agent's reasoning
    #[arg(long, value_name = "VALUE", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Request")]
    pub enable_thinking: Option<String>,
    /// The URL to which the server posts the end of the run
    #[arg(long, value_name = "URL", help_heading = "Request")]
    pub callback_url: Option<String>,
    /// Use this model for this run, such as openai/gpt-4o-mini
    #[arg(long, value_name = "HANDLE", help_heading = "Request")]
    pub override_model: Option<String>,
    /// Wait until the agent has no active run, then send
    #[arg(long)]
    pub when_idle: bool,
    /// Print the request as JSON instead of sending it
    #[arg(long, conflicts_with_all = ["curl", "when_idle"])]
    pub dry_run: bool,
    /// Print the request as a curl command instead of sending it
    #[arg(long, conflicts_with_all = ["when_idle", "jq"])]
    pub curl: bool,
    /// Whether and how the run is followed.
    #[command(flatten)]
    pub follow: FollowArgs,
    /// Receive the run's callback here, to see its end at once and to poll less often
    #[arg(long, help_heading = "Callbacks", conflicts_with_all = ["callback_url", "dry_run", "curl"])]
    pub listen: bool,
    /// The address of the receiver.
    #[command(flatten)]
    pub receiver: ReceiverArgs,
}

impl Args {
    /// Whether a flag gives the message, so that standard input is not read.
    pub fn has_message(&self) -> bool {
        let sets = self.set.iter().chain(&self.set_json).any(|(key, _)| {
            let first = key.split('.').next().unwrap_or_default();
            matches!(first, "messages" | "input")
        });
        !self.texts.0.is_empty() || !self.image.is_empty() || self.body.is_some() || sets
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && key.split('.').all(|part| !part.is_empty()) => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err("write it as KEY=VALUE".to_owned()),
    }
}
