//! Tool calls.

/// A tool call of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolCall {
    /// The tool's name.
    pub name: String,
    /// A JSON object, as text.
    pub arguments: String,
}
