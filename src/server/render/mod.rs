//! Rows as the JSON of the API: every key is there, in the documented order.

mod agent;
mod frame;
mod mishap;
mod model;
mod run;
mod step;

pub(super) use agent::agent;
pub(super) use frame::{DONE, data, error, ping};
pub(super) use mishap::Mishap;
pub(super) use model::model;
pub(super) use run::{Place, RunView, callback, end_of_result, metrics, statistics, stop_reason, usage};
pub(super) use step::step;

use serde_json::{Value, json};

use super::clock;
use super::store::messages::MessageRow;

/// The organisation and the user of a server that has only one of each.
const ORGANIZATION: &str = "org-00000000-0000-4000-8000-000000000000";

/// How many times its bytes a message takes while it is read and written: as text, as a value, and as text again.
pub(super) const TIMES: usize = 3;

/// Writes a value behind a text.
pub(super) fn write(value: &Value, text: &mut Vec<u8>) {
    // Values have text keys only, and there is always room behind a vector.
    let _ = serde_json::to_writer(text, value);
}

/// A message: the common fields, then those of its type.
pub(super) fn message(row: MessageRow) -> Value {
    let mut message = json!({
        "id": row.id,
        "date": clock::seconds(row.date),
        "name": row.name,
        "message_type": row.message_type,
        "otid": row.otid,
        "sender_id": row.sender_id,
        "step_id": row.step_id,
        "is_err": null,
        "seq_id": null,
        "run_id": row.run_id,
    });
    if let (Some(message), Value::Object(own)) = (message.as_object_mut(), row.own) {
        message.extend(own);
    }
    message
}
