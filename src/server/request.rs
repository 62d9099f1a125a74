//! A request to send messages, after validation, and as it is kept with its run.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::message::content_text;

/// What `POST /v1/agents/{agent_id}/messages/async` asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SendRequest {
    pub(super) inputs: Vec<Input>,
    pub(super) max_steps: i64,
    pub(super) use_assistant_message: bool,
    pub(super) assistant_message_tool_name: String,
    pub(super) assistant_message_tool_kwarg: String,
    pub(super) include_return_message_types: Option<Vec<String>>,
    pub(super) thinking: bool,
    pub(super) callback_url: Option<String>,
    pub(super) override_model: Option<String>,
    pub(super) override_system: Option<String>,
}

/// One element of `messages`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Input {
    /// Something said.
    Message(InputMessage),
    /// Decisions on tool calls that wait for them.
    Decisions(Vec<Decision>),
}

/// A message of a role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct InputMessage {
    pub(super) role: Role,
    pub(super) content: Value,
    pub(super) name: Option<String>,
    pub(super) otid: Option<String>,
    pub(super) sender_id: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Role {
    User,
    System,
    Assistant,
}

/// What becomes of a tool call that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Decision {
    /// The call it names; the deprecated form names the request's message instead.
    pub(super) tool_call_id: Option<String>,
    /// The message that asked, in the deprecated form.
    pub(super) request_id: Option<String>,
    pub(super) verdict: Verdict,
}

/// Yes, no, or the result itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Verdict {
    Approve,
    Deny { reason: Option<String> },
    Result { error: bool, tool_return: Value },
}

impl SendRequest {
    /// The messages that say something.
    pub(super) fn messages(&self) -> impl Iterator<Item = &InputMessage> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Message(message) => Some(message),
            Input::Decisions(_) => None,
        })
    }

    /// The decisions in it.
    pub(super) fn decisions(&self) -> impl Iterator<Item = &Decision> {
        self.inputs.iter().flat_map(|input| match input {
            Input::Decisions(decisions) => decisions.as_slice(),
            Input::Message(_) => &[],
        })
    }

    /// What the agent says by calling a tool, if that tool is its way to speak.
    pub(super) fn spoken(&self, tool: &str, arguments: &str) -> Option<String> {
        if !self.use_assistant_message || tool != self.assistant_message_tool_name {
            return None;
        }
        let arguments: Value = serde_json::from_str(arguments).ok()?;
        arguments.get(&self.assistant_message_tool_kwarg)?.as_str().map(str::to_owned)
    }

    /// The text that the model is to answer: the last user message, or the last message if no user spoke.
    pub(super) fn text(&self) -> String {
        let user = self.messages().filter(|message| message.role == Role::User).last();
        user.or_else(|| self.messages().last()).map(|message| content_text(&message.content)).unwrap_or_default()
    }
}

impl Role {
    /// The type under which such a message is listed.
    pub(super) fn message_type(self) -> &'static str {
        match self {
            Self::User => "user_message",
            Self::System => "system_message",
            Self::Assistant => "assistant_message",
        }
    }
}
