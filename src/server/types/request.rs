//! Requests to send messages, after validation, and the part of them that is stored with the run.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::message::content_text;
use crate::server::types::behaviour::Behaviour;
use crate::server::types::run_error::{RunError, RunErrorKind};
use crate::server::types::run_kind::RunKind;

/// The default name and argument of the tool with which an agent replies.
pub const REPLY_TOOL: &str = "send_message";
pub const REPLY_ARGUMENT: &str = "message";

/// The body of a request to one of the routes that send messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendRequest {
    #[serde(default)]
    pub kind: RunKind,
    pub inputs: Vec<Input>,
    pub max_steps: i64,
    pub use_assistant_message: bool,
    pub assistant_message_tool_name: String,
    pub assistant_message_tool_kwarg: String,
    pub include_return_message_types: Option<Vec<String>>,
    pub thinking: bool,
    pub callback_url: Option<String>,
    pub override_model: Option<String>,
    pub override_system: Option<String>,
}

/// The part of a request that its run shows, as `request_config`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequestConfig {
    use_assistant_message: bool,
    assistant_message_tool_name: String,
    assistant_message_tool_kwarg: String,
    pub include_return_message_types: Option<Vec<String>>,
}

/// The part of a request that is stored with its run. It is short, however long the request is.
#[derive(Serialize)]
pub struct StoredConfig<'a> {
    use_assistant_message: bool,
    assistant_message_tool_name: &'a str,
    assistant_message_tool_kwarg: &'a str,
    include_return_message_types: &'a Option<Vec<String>>,
    /// The number of messages in the request.
    sent: usize,
}

/// The number of messages of a [`StoredConfig`].
#[derive(Deserialize)]
pub struct MessageCount {
    pub sent: usize,
}

/// One element of `messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    Message(InputMessage),
    /// Decisions on waiting tool calls.
    Decisions(Vec<Decision>),
}

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputMessage {
    pub role: Role,
    pub content: Value,
    pub name: Option<String>,
    pub otid: Option<String>,
    pub sender_id: Option<String>,
}

/// The author of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    User,
    System,
    Assistant,
}

/// A decision on a waiting tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The tool call. The deprecated form has `request_id` instead.
    pub tool_call_id: Option<String>,
    /// The message that asks for the approval.
    pub request_id: Option<String>,
    pub verdict: Verdict,
}

/// An approval, a denial, or the result of the tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Approve,
    Deny { reason: Option<String> },
    Result(ToolReturn),
}

/// The result of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolReturn {
    pub error: bool,
    /// Text, or parts.
    pub answer: Value,
    /// A list of lines, or null.
    pub stdout: Value,
    pub stderr: Value,
}

impl ToolReturn {
    /// A result without output.
    pub fn new(error: bool, answer: impl Into<Value>) -> Self {
        Self { error, answer: answer.into(), stdout: Value::Null, stderr: Value::Null }
    }

    /// Returns the result of a call as messages contain it.
    pub fn item(&self, call_id: &str) -> Value {
        json!({
            "type": "tool",
            "tool_return": self.answer,
            "status": if self.error { "error" } else { "success" },
            "tool_call_id": call_id,
            "stdout": self.stdout,
            "stderr": self.stderr,
        })
    }
}

impl SendRequest {
    /// Returns the messages, without the decisions.
    pub fn messages(&self) -> impl Iterator<Item = &InputMessage> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Message(message) => Some(message),
            Input::Decisions(_) => None,
        })
    }

    /// Returns the part that is stored with its run.
    pub fn stored_config(&self) -> StoredConfig<'_> {
        StoredConfig {
            use_assistant_message: self.use_assistant_message,
            assistant_message_tool_name: &self.assistant_message_tool_name,
            assistant_message_tool_kwarg: &self.assistant_message_tool_kwarg,
            include_return_message_types: &self.include_return_message_types,
            sent: self.messages().count(),
        }
    }

    /// Returns the decisions on tool calls.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.inputs.iter().flat_map(|input| match input {
            Input::Decisions(decisions) => decisions.as_slice(),
            Input::Message(_) => &[],
        })
    }

    /// Returns the text of a reply that the agent makes by calling the tool for replies.
    pub fn reply_of(&self, tool: &str, arguments: &str, behaviour: Behaviour) -> Option<String> {
        let with_defaults = behaviour.ignores_assistant_message_fields();
        let name = if with_defaults { REPLY_TOOL } else { &self.assistant_message_tool_name };
        let argument = if with_defaults { REPLY_ARGUMENT } else { &self.assistant_message_tool_kwarg };
        if !(with_defaults || self.use_assistant_message) || tool != name {
            return None;
        }
        let arguments: Value = serde_json::from_str(arguments).ok()?;
        arguments.get(argument)?.as_str().map(str::to_owned)
    }

    /// Checks that there is something to answer. Only a quirky server accepts other requests.
    pub fn check(&self) -> Result<(), RunError> {
        if self.inputs.is_empty() {
            return Err(RunError::new(RunErrorKind::EmptyRequest, "list index out of range"));
        }
        match self.messages().find(|message| is_empty(&message.content)) {
            None => Ok(()),
            Some(_) => Err(RunError::new(RunErrorKind::EmptyContent, "Message content is empty or invalid")),
        }
    }

    /// Returns the text to answer: the last user message, or else the last message.
    pub fn text(&self) -> String {
        let user = self.messages().filter(|message| message.role == Role::User).last();
        user.or_else(|| self.messages().last()).map(|message| content_text(&message.content)).unwrap_or_default()
    }
}

/// Whether the content of a message is empty text or an empty list of parts.
pub fn is_empty(content: &Value) -> bool {
    content.as_str().is_some_and(str::is_empty) || content.as_array().is_some_and(Vec::is_empty)
}

impl Role {
    /// Returns the `message_type` of such a message.
    pub fn message_type(self) -> &'static str {
        match self {
            Self::User => "user_message",
            Self::System => "system_message",
            Self::Assistant => "assistant_message",
        }
    }
}
