//! The `messages` of a chat completion request: the system prompt, then the conversation.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::model::message::content_text;
use crate::server::models::turn::Turn;
use crate::server::types::message::MessageRow;

/// Returns the messages of a request.
pub fn messages(turn: &Turn) -> Vec<Value> {
    let system = json!({"role": "system", "content": turn.system});
    let calls = calls(&turn.history);
    let returns = returns(&turn.history);
    // The history may begin within a step. Endpoints reject a tool call without its result, and the reverse.
    let complete: HashSet<&str> = calls.intersection(&returns).copied().collect();
    [system].into_iter().chain(turn.history.iter().filter_map(|row| message(row, &complete))).collect()
}

fn calls(history: &[MessageRow]) -> HashSet<&str> {
    history.iter().filter_map(|row| row.own.pointer("/tool_call/tool_call_id")?.as_str()).collect()
}

fn returns(history: &[MessageRow]) -> HashSet<&str> {
    history.iter().filter_map(|row| row.own.get("tool_call_id")?.as_str()).collect()
}

/// Converts a stored message; `None` for reasoning and approvals.
fn message(row: &MessageRow, complete: &HashSet<&str>) -> Option<Value> {
    let own = &row.own;
    match row.message_type.as_str() {
        "user_message" => Some(json!({"role": "user", "content": content(&own["content"])})),
        "system_message" => Some(json!({"role": "system", "content": content_text(&own["content"])})),
        "assistant_message" => Some(json!({"role": "assistant", "content": content_text(&own["content"])})),
        "tool_call_message" | "approval_request_message" => call(&own["tool_call"], complete),
        "tool_return_message" => answer(own, complete),
        _ => None,
    }
}

fn call(call: &Value, complete: &HashSet<&str>) -> Option<Value> {
    let id = call["tool_call_id"].as_str().filter(|id| complete.contains(id))?;
    let function = json!({"name": call["name"], "arguments": call["arguments"]});
    Some(json!({"role": "assistant", "tool_calls": [{"id": id, "type": "function", "function": function}]}))
}

fn answer(own: &Value, complete: &HashSet<&str>) -> Option<Value> {
    let id = own["tool_call_id"].as_str().filter(|id| complete.contains(id))?;
    Some(json!({"role": "tool", "tool_call_id": id, "content": content_text(&own["tool_return"])}))
}

/// Returns the content of a user message: text as it is, of parts those that such endpoints know.
fn content(content: &Value) -> Value {
    match content.as_array() {
        None => content.clone(),
        Some(parts) => parts.iter().filter_map(part).collect(),
    }
}

fn part(part: &Value) -> Option<Value> {
    match part["type"].as_str()? {
        "text" => Some(json!({"type": "text", "text": part["text"]})),
        "image" => Some(json!({"type": "image_url", "image_url": {"url": image(&part["source"])?}})),
        _ => None,
    }
}

/// Returns the URL of an image, or its data as a `data:` URL.
fn image(source: &Value) -> Option<String> {
    match source["url"].as_str() {
        Some(url) => Some(url.to_owned()),
        None => {
            let media_type = source["media_type"].as_str().unwrap_or("image/png");
            Some(format!("data:{media_type};base64,{}", source["data"].as_str()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(message_type: &str, own: Value) -> MessageRow {
        MessageRow {
            id: String::new(),
            run_id: None,
            step_id: None,
            date: 0,
            message_type: message_type.to_owned(),
            name: None,
            otid: None,
            sender_id: None,
            own,
        }
    }

    fn sent(history: Vec<MessageRow>) -> Vec<Value> {
        messages(&Turn { system: "be kind".to_owned(), history, ..Turn::default() })
    }

    #[test]
    fn messages_calls_and_results_are_sent_in_order() {
        let call = json!({"tool_call": {"name": "t", "arguments": "{}", "tool_call_id": "c1"}});
        let history = vec![
            row("user_message", json!({"content": "hi"})),
            row("reasoning_message", json!({"reasoning": "hm"})),
            row("tool_call_message", call),
            row("tool_return_message", json!({"tool_call_id": "c1", "tool_return": "done"})),
            row("assistant_message", json!({"content": [{"type": "text", "text": "ho"}]})),
        ];
        let function = json!({"name": "t", "arguments": "{}"});
        assert_eq!(
            sent(history),
            [
                json!({"role": "system", "content": "be kind"}),
                json!({"role": "user", "content": "hi"}),
                json!({"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": function}]}),
                json!({"role": "tool", "tool_call_id": "c1", "content": "done"}),
                json!({"role": "assistant", "content": "ho"}),
            ]
        );
    }

    #[test]
    fn a_tool_call_without_its_result_is_not_sent_nor_the_reverse() {
        let lonely = vec![
            row("tool_return_message", json!({"tool_call_id": "c1", "tool_return": "done"})),
            row("tool_call_message", json!({"tool_call": {"name": "t", "arguments": "{}", "tool_call_id": "c2"}})),
        ];
        assert_eq!(sent(lonely).len(), 1);
    }

    #[test]
    fn images_are_sent_by_url_or_as_data_url() {
        let parts = json!([
            {"type": "text", "text": "look"},
            {"type": "image", "source": {"type": "url", "url": "https://h/a.png"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0lG"}},
            {"type": "omitted_reasoning"},
        ]);
        let sent = sent(vec![row("user_message", json!({"content": parts}))]);
        assert_eq!(
            sent[1]["content"],
            json!([
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "https://h/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/gif;base64,R0lG"}},
            ])
        );
    }
}
