//! A request to send messages, after validation, and as it is kept with its run.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::message::content_text;
use crate::server::Manners;
use crate::server::models::Failure;

/// The tool, and its argument, by which an agent speaks unless a request names others.
pub const SPEAKS: &str = "send_message";
pub const SPOKEN: &str = "message";

/// What one of the routes that send messages was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendRequest {
    #[serde(default)]
    pub kind: Kind,
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

/// What stays of a request with its run, however long it was.
#[derive(Serialize)]
pub struct Kept<'a> {
    use_assistant_message: bool,
    assistant_message_tool_name: &'a str,
    assistant_message_tool_kwarg: &'a str,
    include_return_message_types: &'a Option<Vec<String>>,
    /// How many messages were sent.
    sent: usize,
}

/// Its number of messages alone.
#[derive(Deserialize)]
pub struct Sent {
    pub sent: usize,
}

/// By which route a run was sent, and how its sender listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// It does not listen.
    #[default]
    Async,
    /// It waits for the whole answer.
    Sync,
    /// It listens to a stream.
    Stream,
    /// It listens to a stream that others may join.
    BackgroundStream,
}

/// One element of `messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Something said.
    Message(InputMessage),
    /// Decisions on tool calls that wait for them.
    Decisions(Vec<Decision>),
}

/// A message of a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputMessage {
    pub role: Role,
    pub content: Value,
    pub name: Option<String>,
    pub otid: Option<String>,
    pub sender_id: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    User,
    System,
    Assistant,
}

/// What becomes of a tool call that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The call it names; the deprecated form names the request's message instead.
    pub tool_call_id: Option<String>,
    /// The message that asked, in the deprecated form.
    pub request_id: Option<String>,
    pub verdict: Verdict,
}

/// Yes, no, or the result itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Verdict {
    Approve,
    Deny { reason: Option<String> },
    Result(Returned),
}

/// What a tool answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Returned {
    pub error: bool,
    /// Text, or parts.
    pub answer: Value,
    /// Lines that it printed, or null.
    pub stdout: Value,
    pub stderr: Value,
}

impl Returned {
    /// An answer of a tool that printed nothing.
    pub fn new(error: bool, answer: impl Into<Value>) -> Self {
        Self { error, answer: answer.into(), stdout: Value::Null, stderr: Value::Null }
    }

    /// The answer to a call as messages carry it.
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

impl Kind {
    const ALL: [Self; 4] = [Self::Async, Self::Sync, Self::Stream, Self::BackgroundStream];

    /// The word under which runs are stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Stream => "stream",
            Self::BackgroundStream => "background_stream",
        }
    }

    /// The kind that is stored under a word.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or_default()
    }

    /// The words of the kinds that are in the background, or of those that are not.
    pub fn words(background: bool) -> Vec<String> {
        let kinds = Self::ALL.into_iter().filter(|kind| kind.is_background() == background);
        kinds.map(|kind| kind.as_str().to_owned()).collect()
    }

    /// Its `run_type`.
    pub fn run_type(self) -> &'static str {
        match self {
            Self::Async => "send_message_async",
            Self::Sync => "send_message",
            Self::Stream | Self::BackgroundStream => "send_message_streaming",
        }
    }

    /// Whether the run is in the background, so that its stream can be joined.
    pub fn is_background(self) -> bool {
        matches!(self, Self::Async | Self::BackgroundStream)
    }

    /// Whether its sender listens to a stream.
    pub fn streams(self) -> bool {
        matches!(self, Self::Stream | Self::BackgroundStream)
    }
}

impl SendRequest {
    /// The messages that say something.
    pub fn messages(&self) -> impl Iterator<Item = &InputMessage> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Message(message) => Some(message),
            Input::Decisions(_) => None,
        })
    }

    /// What stays of it with its run.
    pub fn kept(&self) -> Kept<'_> {
        Kept {
            use_assistant_message: self.use_assistant_message,
            assistant_message_tool_name: &self.assistant_message_tool_name,
            assistant_message_tool_kwarg: &self.assistant_message_tool_kwarg,
            include_return_message_types: &self.include_return_message_types,
            sent: self.messages().count(),
        }
    }

    /// The decisions in it.
    pub fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.inputs.iter().flat_map(|input| match input {
            Input::Decisions(decisions) => decisions.as_slice(),
            Input::Message(_) => &[],
        })
    }

    /// What the agent says by calling a tool, if that tool is its way to speak.
    pub fn spoken(&self, tool: &str, arguments: &str, manners: Manners) -> Option<String> {
        let (on, name, kwarg) = if manners.ignores_assistant_message_fields() {
            (true, SPEAKS, SPOKEN)
        } else {
            (self.use_assistant_message, &*self.assistant_message_tool_name, &*self.assistant_message_tool_kwarg)
        };
        if !on || tool != name {
            return None;
        }
        let arguments: Value = serde_json::from_str(arguments).ok()?;
        arguments.get(kwarg)?.as_str().map(str::to_owned)
    }

    /// Finds what no model can answer. Only a server that accepts such requests comes across them.
    pub fn check(&self) -> Result<(), Failure> {
        if self.inputs.is_empty() {
            return Err(Failure::new("IndexError", "list index out of range"));
        }
        match self.messages().find(|message| is_empty(&message.content)) {
            None => Ok(()),
            Some(_) => Err(Failure::new("ValueError", "Message content is empty or invalid")),
        }
    }

    /// The text that the model is to answer: the last user message, or the last message if no user spoke.
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
    /// The type under which such a message is listed.
    pub fn message_type(self) -> &'static str {
        match self {
            Self::User => "user_message",
            Self::System => "system_message",
            Self::Assistant => "assistant_message",
        }
    }
}
