//! Messages to be stored.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::types::ids;
use crate::server::types::request::{InputMessage, ToolReturn, Verdict};
use crate::server::types::tool_call::ToolCall;

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    id: Uuid,
    pub message_type: &'static str,
    pub name: Option<String>,
    pub otid: Option<String>,
    pub sender_id: Option<String>,
    /// Its own fields, as JSON.
    own: String,
}

impl NewMessage {
    /// A message that the server makes. Its otid is its own id with the lowest bits as the item's number.
    fn made(message_type: &'static str, own: Value) -> Self {
        let own = own.to_string();
        let id = ids::uuid();
        let otid = Uuid::from_u128(id.as_u128() & !0x7f).to_string();
        Self { id, message_type, name: None, otid: Some(otid), sender_id: None, own }
    }

    /// A message that was sent. A content of one text part is listed as its text.
    pub fn input(message: &InputMessage) -> Self {
        let content = match message.content.as_array().map(Vec::as_slice) {
            Some([part]) if part["type"] == "text" => part["text"].clone(),
            _ => message.content.clone(),
        };
        Self {
            name: message.name.clone(),
            otid: Some(message.otid.clone().unwrap_or_else(|| Uuid::new_v4().to_string())),
            sender_id: message.sender_id.clone(),
            ..Self::made(message.role.message_type(), json!({"content": content}))
        }
    }

    /// Reasoning of the agent.
    pub fn thought(text: &str) -> Self {
        let own = json!({"reasoning": text, "source": "reasoner_model", "signature": null});
        Self::made("reasoning_message", own)
    }

    /// A reply of the agent.
    pub fn reply(text: &str) -> Self {
        Self::made("assistant_message", json!({"content": text}))
    }

    /// A tool call.
    pub fn call(call: &ToolCall, call_id: &str) -> Self {
        Self::made("tool_call_message", calls(call, call_id))
    }

    /// A tool call that waits for a decision.
    pub fn request(call: &ToolCall, call_id: &str) -> Self {
        let message = Self::made("approval_request_message", calls(call, call_id));
        Self { otid: Some(format!("message-{}", message.id)), ..message }
    }

    /// A decision on a call, or the tool's result, which a client may send instead of a decision.
    pub fn response(call_id: &str, verdict: &Verdict) -> Self {
        let decision = |approve: bool, reason: Option<&str>| {
            let approval = json!({"type": "approval", "tool_call_id": call_id, "approve": approve, "reason": reason});
            (approval, json!(approve), json!(reason))
        };
        let (item, approve, reason) = match verdict {
            Verdict::Approve => decision(true, None),
            Verdict::Deny { reason } => decision(false, reason.as_deref()),
            Verdict::Result(returned) => (returned.item(call_id), Value::Null, Value::Null),
        };
        let own = json!({"approvals": [item], "approve": approve, "approval_request_id": null, "reason": reason});
        Self { otid: None, ..Self::made("approval_response_message", own) }
    }

    /// The result of a tool call.
    pub fn tool_return(name: &str, call_id: &str, returned: &ToolReturn) -> Self {
        let item = returned.item(call_id);
        let mut own = item.clone();
        if let Some(own) = own.as_object_mut() {
            own.remove("type");
            own.insert("tool_returns".to_owned(), json!([item]));
        }
        Self { name: Some(name.to_owned()), ..Self::made("tool_return_message", own) }
    }

    /// Its id on the wire.
    pub fn id(&self) -> String {
        format!("message-{}", self.id)
    }

    /// Its own fields as text, from which its tokens are counted.
    pub fn text(&self) -> &str {
        &self.own
    }
}

fn calls(call: &ToolCall, call_id: &str) -> Value {
    let call = json!({"name": call.name, "arguments": call.arguments, "tool_call_id": call_id});
    json!({"tool_call": call, "tool_calls": [call]})
}
