//! Renders the frames of a stream of server-sent events.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::server::types::clock;

/// The end marker.
pub const DONE: &str = "data: [DONE]\n\n";

/// A frame with a JSON value.
pub fn data(value: &Value) -> String {
    begin_data(&value.to_string()) + END_OF_DATA
}

/// The beginning of a frame whose value follows in pieces.
pub fn begin_data(beginning: &str) -> String {
    format!("data: {beginning}")
}

/// The end of a frame that was begun with [`begin_data`].
pub const END_OF_DATA: &str = "\n\n";

/// An `error` event, which makes SDK clients raise an exception.
pub fn error(value: &Value) -> String {
    format!("event: error\n{}", data(value))
}

/// A ping, which keeps an idle connection open.
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
