//! The settings of an agent: on creation, and changed later.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The model of an agent that was created without one.
pub const DEFAULT_MODEL: &str = "agentctl/echo";

/// The system prompt of an agent that was created without one.
pub const DEFAULT_SYSTEM: &str = "You are a helpful assistant.";

/// The settings of a new agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewAgent {
    pub name: Option<String>,
    pub model: Option<String>,
    pub system: Option<String>,
    pub agent_type: Option<String>,
    pub description: Option<String>,
    pub tags: Vec<String>,
    pub metadata: Option<Value>,
    pub blocks: Vec<(String, String)>,
}

/// Changes to an agent. `None` leaves a setting as it is; `Some(None)` clears it.
#[derive(Clone, Debug, Default)]
pub struct AgentChanges {
    pub name: Option<String>,
    pub model: Option<String>,
    pub system: Option<String>,
    pub description: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
    pub metadata: Option<Option<Value>>,
}

impl AgentChanges {
    /// Changes the settings of an agent.
    pub fn apply(&self, to: &mut NewAgent) {
        let Self { description, tags, metadata, .. } = self.clone();
        to.description = description.unwrap_or_else(|| to.description.take());
        to.tags = tags.unwrap_or_else(|| std::mem::take(&mut to.tags));
        to.metadata = metadata.unwrap_or_else(|| to.metadata.take());
    }
}
