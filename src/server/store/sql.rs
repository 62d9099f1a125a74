//! Terms of SQL and encodings of columns that several tables share.

use serde::Serialize;

/// The number of an agent by its id, as a term of SQL that takes one parameter.
pub const OF_AGENT: &str = "(SELECT seq FROM agents WHERE agents.id = ?)";

/// Text for a column that holds JSON. The types stored here have text keys only, so it cannot fail.
pub fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("keys are text")
}
