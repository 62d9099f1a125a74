//! Stored messages.

use serde_json::Value;

/// A stored message: one item of a list of messages.
#[derive(Clone, Debug)]
pub struct MessageRow {
    pub id: String,
    pub run_id: Option<String>,
    pub step_id: Option<String>,
    /// In microseconds since 1970.
    pub date: i64,
    pub message_type: String,
    pub name: Option<String>,
    pub otid: Option<String>,
    pub sender_id: Option<String>,
    /// The fields of its type, as an object.
    pub own: Value,
}
