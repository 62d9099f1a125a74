//! Frames of an event stream.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::types::clock;

/// The last frame.
pub const DONE: &str = "data: [DONE]\n\n";

/// A frame with a value.
pub fn data(value: &Value) -> String {
    begin_data(&value.to_string()) + END_OF_DATA
}

/// The beginning of a frame with a value, of which this is the beginning.
pub fn begin_data(beginning: &str) -> String {
    format!("data: {beginning}")
}

/// The end of such a frame.
pub const END_OF_DATA: &str = "\n\n";

/// A frame that makes clients raise.
pub fn error(value: &Value) -> String {
    format!("event: error\n{}", data(value))
}

/// A sign of life.
pub fn ping(run: &str, number: Option<i64>) -> String {
    data(&json!({
        "id": format!("ping-{}", Uuid::new_v4()),
        "date": clock::seconds(clock::now()),
        "name": null,
        "message_type": "ping",
        "otid": null,
        "sender_id": null,
        "step_id": null,
        "is_err": null,
        "seq_id": number,
        "run_id": run,
    }))
}
