//! Tool calls that wait for an approval.

use super::tool_call::ToolCall;

/// A tool call that waits for an approval.
#[derive(Clone, Debug)]
pub struct PendingApproval {
    /// The message that asks for the approval.
    pub message_id: String,
    pub tool_call_id: String,
    pub call: ToolCall,
    pub resume: Resume,
}

/// The point at which a turn resumes after the approval.
#[derive(Clone, Debug)]
pub struct Resume {
    /// The model's handle.
    pub model: String,
    /// The text of the turn.
    pub text: String,
    /// The number of steps taken before.
    pub position: i64,
}
