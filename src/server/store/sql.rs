//! SQL expressions and column encodings that several tables share.

use serde::Serialize;

/// An SQL expression for the number of an agent. Its one parameter is the agent's id.
pub const OF_AGENT: &str = "(SELECT seq FROM agents WHERE agents.id = ?)";

/// Encodes a value for a JSON column. It cannot fail, since the stored types have text keys only.
pub fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("keys are text")
}
