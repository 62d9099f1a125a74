//! A message of a run, as `GET /v1/runs/{run_id}/messages` lists it.

use jiff::Timestamp;
use serde_json::Value;

use super::{Document, time};

/// The message types that the API documents; others are kept as they are.
pub const KINDS: [&str; 11] = [
    "system_message",
    "user_message",
    "assistant_message",
    "reasoning_message",
    "hidden_reasoning_message",
    "tool_call_message",
    "tool_return_message",
    "approval_request_message",
    "approval_response_message",
    "summary_message",
    "event_message",
];

/// A message: the server's document with accessors.
#[derive(Clone, Debug, PartialEq)]
pub struct Message(Document);

/// A tool call inside a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// The arguments: JSON as text, perhaps invalid.
    pub arguments: String,
    /// The id that an approval names.
    pub id: String,
}

impl Message {
    /// Wraps a document as a message; no field is required.
    pub fn new(document: Document) -> Self {
        Self(document)
    }

    /// The document as the server sent it.
    pub fn document(&self) -> &Document {
        &self.0
    }

    /// Its type, such as `assistant_message`; empty if the server sent none.
    pub fn kind(&self) -> &str {
        self.0.text("message_type").unwrap_or_default()
    }

    /// Returns the key that is unique among listed messages: one stored message can be listed as several items with the
    /// same id.
    pub fn key(&self) -> (String, String, String) {
        let part = |name| self.0.text(name).unwrap_or_default().to_owned();
        (part("id"), part("message_type"), part("otid"))
    }

    /// Returns when it was created.
    pub fn date(&self) -> Option<Timestamp> {
        time::parse(self.0.text("date")?)
    }

    /// Returns the step that it belongs to.
    pub fn step_id(&self) -> Option<&str> {
        self.0.text("step_id")
    }

    /// Returns its text: content with its text parts joined, reasoning, or a summary. `None` if it has none.
    pub fn text(&self) -> Option<String> {
        let field = match self.kind() {
            "reasoning_message" => "reasoning",
            "hidden_reasoning_message" => "hidden_reasoning",
            "summary_message" => "summary",
            _ => "content",
        };
        self.0.present(field).map(content_text)
    }

    /// Returns the text of an `assistant_message`.
    pub fn reply(&self) -> Option<String> {
        (self.kind() == "assistant_message").then(|| self.text()).flatten()
    }

    /// The calls in a tool-call or approval-request message.
    pub fn tool_calls(&self) -> Vec<ToolCall> {
        let many = self.0.value().get("tool_calls").and_then(Value::as_array);
        match many.filter(|calls| !calls.is_empty()) {
            Some(calls) => calls.iter().map(tool_call).collect(),
            None => self.0.present("tool_call").map(tool_call).into_iter().collect(),
        }
    }

    /// Returns the status and text of each result in a tool-return message.
    pub fn tool_returns(&self) -> Vec<(String, String)> {
        let many = self.0.value().get("tool_returns").and_then(Value::as_array);
        match many.filter(|returns| !returns.is_empty()) {
            Some(returns) => returns.iter().map(tool_return).collect(),
            None => self.0.present("tool_return").map(|_| tool_return(self.0.value())).into_iter().collect(),
        }
    }
}

/// Returns the assistant's text in a list of messages, with an empty line between messages; `None` if there is none.
pub fn reply(messages: &[Message]) -> Option<String> {
    let texts: Vec<String> = messages.iter().filter_map(Message::reply).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// Returns the text of a message's content: a string, or the text parts of a list.
pub fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")?.as_str()).collect(),
        Value::Object(part) => part.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        _ => String::new(),
    }
}

fn tool_call(call: &Value) -> ToolCall {
    let text = |key: &str| call.get(key).map(plain).unwrap_or_default();
    ToolCall { name: text("name"), arguments: text("arguments"), id: text("tool_call_id") }
}

fn tool_return(item: &Value) -> (String, String) {
    let status = item.get("status").map(plain).unwrap_or_default();
    let answer =
        item.get("tool_return").map(|answer| if answer.is_array() { content_text(answer) } else { plain(answer) });
    (status, answer.unwrap_or_default())
}

/// Returns a string as it is, null as an empty string, anything else as JSON.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Message {
        Message::new(Document::parse(text).expect("an object"))
    }

    #[test]
    fn parts_are_joined_and_messages_separated_by_an_empty_line() {
        let messages = [
            message(r#"{"message_type":"user_message","content":"hi"}"#),
            message(
                r#"{"message_type":"assistant_message","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}"#,
            ),
            message(r#"{"message_type":"assistant_message","content":"c"}"#),
        ];
        assert_eq!(reply(&messages).as_deref(), Some("ab\n\nc"));
        assert_eq!(reply(&messages[..1]), None);
    }

    #[test]
    fn calls_are_read_from_the_list_or_from_the_single_one() {
        let call = r#"{"name":"f","arguments":"{}","tool_call_id":"call_1"}"#;
        for text in [format!(r#"{{"tool_calls":[{call}]}}"#), format!(r#"{{"tool_call":{call}}}"#)] {
            let calls = message(&text).tool_calls();
            assert_eq!(calls, [ToolCall { name: "f".into(), arguments: "{}".into(), id: "call_1".into() }]);
        }
    }
}
