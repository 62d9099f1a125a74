//! Tool calls that wait for approval, read from the messages of a run or an agent.

use std::collections::HashSet;

use serde_json::Value;

use super::Message;
use super::message::ToolCall;

/// Returns the calls that these messages ask approval for, oldest first.
pub fn asked(messages: &[Message]) -> Vec<ToolCall> {
    requests(messages).flat_map(Message::tool_calls).collect()
}

/// Returns the calls that these messages ask approval for and do not answer, oldest first.
pub fn pending(messages: &[Message]) -> Vec<ToolCall> {
    let answered = answered(messages);
    let is_open = |message: &&Message| message.document().text("id").is_none_or(|id| !answered.contains(id));
    let calls = requests(messages).filter(is_open).flat_map(Message::tool_calls);
    calls.filter(|call| !answered.contains(call.id.as_str())).collect()
}

/// Returns whether a message asks for approval.
pub fn asks(message: &Message) -> bool {
    message.kind() == "approval_request_message"
}

fn requests(messages: &[Message]) -> impl Iterator<Item = &Message> {
    messages.iter().filter(|message| asks(message))
}

/// Returns the ids that are answered: of tool calls, or in the older form of whole requests.
fn answered(messages: &[Message]) -> HashSet<&str> {
    messages.iter().flat_map(ids).collect()
}

fn ids(message: &Message) -> Vec<&str> {
    let document = message.document();
    let list = match message.kind() {
        "approval_response_message" => "approvals",
        "tool_return_message" => "tool_returns",
        _ => return Vec::new(),
    };
    let items = document.value().get(list).and_then(Value::as_array).into_iter().flatten();
    let calls = items.filter_map(|item| item.get("tool_call_id")?.as_str());
    calls.chain(document.text("tool_call_id")).chain(document.text("approval_request_id")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Document;
    use serde_json::json;

    fn message(value: Value) -> Message {
        Message::new(Document::from_value(value))
    }

    fn request(id: &str, calls: &[&str]) -> Message {
        let calls: Vec<Value> = calls.iter().map(|call| json!({"name": "rm", "tool_call_id": call})).collect();
        message(json!({"id": id, "message_type": "approval_request_message", "tool_calls": calls}))
    }

    fn ids_of(calls: &[ToolCall]) -> Vec<&str> {
        calls.iter().map(|call| call.id.as_str()).collect()
    }

    #[test]
    fn a_call_is_pending_until_a_decision_or_a_result_names_it() {
        let mut messages = vec![request("message-1", &["call_1", "call_2", "call_3"])];
        assert_eq!(ids_of(&pending(&messages)), ["call_1", "call_2", "call_3"]);
        let decision = json!({"type": "approval", "tool_call_id": "call_1", "approve": false});
        messages.push(message(json!({"message_type": "approval_response_message", "approvals": [decision]})));
        assert_eq!(ids_of(&pending(&messages)), ["call_2", "call_3"]);
        messages.push(message(json!({"message_type": "tool_return_message", "tool_call_id": "call_2"})));
        assert_eq!(ids_of(&pending(&messages)), ["call_3"]);
        assert_eq!(ids_of(&asked(&messages)).len(), 3);
    }

    #[test]
    fn the_older_form_answers_a_whole_request() {
        let answer = json!({"message_type": "approval_response_message", "approval_request_id": "message-1"});
        let messages =
            [request("message-1", &["call_1", "call_2"]), message(answer), request("message-2", &["call_3"])];
        assert_eq!(ids_of(&pending(&messages)), ["call_3"]);
    }
}
