//! The bodies of `POST /v1/agents/` and `PATCH /v1/agents/{agent_id}`.

use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::{Loc, ValidationError};
use crate::server::types::agent::{AgentChanges, NewAgent};

/// Reads the body that changes an agent, or returns all its errors.
pub fn agent_changes(body: &Map<String, Value>) -> Result<AgentChanges, Vec<ValidationError>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let changes = AgentChanges {
        name: name(&mut fields),
        model: fields.text("model"),
        system: fields.text("system"),
        description: body.contains_key("description").then(|| fields.text("description")),
        tags: fields.list("tags", tag),
        metadata: body.contains_key("metadata").then(|| fields.present("metadata").cloned()),
    };
    fields.finish(changes)
}

fn name(fields: &mut Fields<'_>) -> Option<String> {
    let name = fields.text("name");
    if let Some(invalid) = name.as_deref().filter(|name| !is_name(name)) {
        let at = fields.at("name");
        fields.push(ValidationError::rule(at, &invalid_name(invalid), &Value::from(invalid)));
    }
    name
}

/// The real server's message for an invalid agent name.
pub fn invalid_name(name: &str) -> String {
    format!(
        "Agent name '{name}' contains invalid characters. Only letters (any language), digits, spaces, hyphens, \
         underscores, and apostrophes are allowed. Please avoid filesystem-unsafe characters like: / \\ : * ? \" < > |"
    )
}

fn tag(value: &Value, at: Loc) -> Result<String, Vec<ValidationError>> {
    fields::text(value, at).map_err(|error| vec![error])
}

/// Reads the body that creates an agent, or returns all its errors.
pub fn new_agent(body: &Map<String, Value>) -> Result<NewAgent, Vec<ValidationError>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let agent = NewAgent {
        name: name(&mut fields),
        model: fields.text("model"),
        system: fields.text("system"),
        agent_type: fields.text("agent_type"),
        description: fields.text("description"),
        tags: fields.list("tags", tag).unwrap_or_default(),
        metadata: fields.present("metadata").cloned(),
        blocks: fields.list("memory_blocks", block).unwrap_or_default(),
    };
    fields.finish(agent)
}

/// Whether an agent may have this name.
pub fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '\''))
}

/// A memory block: its label and its value.
fn block(value: &Value, at: Loc) -> Result<(String, String), Vec<ValidationError>> {
    let Some(object) = value.as_object() else {
        return Err(vec![ValidationError::new("dict_type", at, "Input should be a valid dictionary", value)]);
    };
    let mut fields = Fields::new(object, at);
    for key in ["label", "value"].iter().filter(|key| !object.contains_key(**key)) {
        let at = fields.at(key);
        fields.push(ValidationError::missing(at, value));
    }
    let block = (fields.text_or("label", ""), fields.text_or("value", ""));
    fields.finish(block)
}
