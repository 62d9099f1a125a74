//! Renders rows of the store as JSON documents of the API: every key is present, in the documented order. Used by the
//! routes and by callbacks, which carry the same documents. Decides no status codes except those of run errors.

mod agent;
mod frame;
mod model;
mod run;
mod run_error;
mod step;

pub use agent::agent;
pub use frame::{DONE, END_OF_DATA, begin_data, data, error, ping};
pub use model::model;
pub use run::{RunView, callback, metrics, result_end, statistics, stop_reason, usage};
pub use run_error::{error_body, error_message, error_status};
pub use step::step;

use serde_json::{Value, json};

use crate::server::types::clock;
use crate::server::types::message::MessageRow;

/// The only organization of a server.
const ORGANIZATION: &str = "org-00000000-0000-4000-8000-000000000000";

/// The memory that a message takes while it is rendered, as a multiple of its size: text, value, and text again.
pub const TIMES: usize = 3;

/// Appends a value as JSON.
pub fn write(value: &Value, text: &mut Vec<u8>) {
    // Cannot fail: the keys of a `Value` are strings, and a vector grows.
    let _ = serde_json::to_writer(text, value);
}

/// Renders a message: the common fields, then those of its type.
pub fn message(row: MessageRow) -> Value {
    let mut message = common(&row, None);
    if let (Some(message), Value::Object(own)) = (message.as_object_mut(), row.own) {
        message.extend(own);
    }
    message
}

/// Renders a message up to the fields of its type, as the beginning of its JSON text.
pub fn message_start(row: &MessageRow, number: Option<i64>) -> String {
    let common = common(row, number).to_string();
    common.strip_suffix('}').map(|common| format!("{common},")).unwrap_or_default()
}

fn common(row: &MessageRow, number: Option<i64>) -> Value {
    json!({
        "id": row.id,
        "date": clock::seconds(row.date),
        "name": row.name,
        "message_type": row.message_type,
        "otid": row.otid,
        "sender_id": row.sender_id,
        "step_id": row.step_id,
        "is_err": null,
        "seq_id": number,
        "run_id": row.run_id,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_in_pieces_equals_the_message_in_one() {
        let own = json!({"content": "x", "tool_returns": [{"status": "error"}]});
        let row = MessageRow {
            id: "message-1".to_owned(),
            run_id: Some("run-1".to_owned()),
            step_id: None,
            date: 7,
            message_type: "user_message".to_owned(),
            name: None,
            otid: Some("o".to_owned()),
            sender_id: None,
            own: own.clone(),
        };
        assert_eq!(message_start(&row, None) + &own.to_string()[1..], message(row.clone()).to_string());
        assert!(message_start(&row, Some(3)).contains(r#""seq_id":3,"#));
    }
}
