//! The body of `POST /v1/agents/`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{self, Fields};
use super::{Fault, Loc};

/// What an agent is made from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::server) struct NewAgent {
    pub(in crate::server) name: Option<String>,
    pub(in crate::server) model: Option<String>,
    pub(in crate::server) system: Option<String>,
    pub(in crate::server) agent_type: Option<String>,
    pub(in crate::server) description: Option<String>,
    pub(in crate::server) tags: Vec<String>,
    pub(in crate::server) metadata: Option<Value>,
    pub(in crate::server) blocks: Vec<(String, String)>,
}

/// Reads the body, or says all that is wrong with it.
pub(in crate::server) fn new_agent(body: &Map<String, Value>) -> Result<NewAgent, Vec<Fault>> {
    let mut fields = Fields::new(body, Loc::new("body"));
    let name = fields.text("name");
    if let Some(bad) = name.as_deref().filter(|name| !is_name(name)) {
        let words = "Agent name may hold letters, digits, spaces, hyphens, underscores and apostrophes only";
        let at = fields.at("name");
        fields.blame(Fault::rule(at, words, &Value::from(bad)));
    }
    let agent = NewAgent {
        name,
        model: fields.text("model"),
        system: fields.text("system"),
        agent_type: fields.text("agent_type"),
        description: fields.text("description"),
        tags: fields.list("tags", |value, at| fields::text(value, at).map_err(|fault| vec![fault])).unwrap_or_default(),
        metadata: fields.present("metadata").cloned(),
        blocks: fields.list("memory_blocks", block).unwrap_or_default(),
    };
    fields.finish(agent)
}

fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '\''))
}

fn block(value: &Value, at: Loc) -> Result<(String, String), Vec<Fault>> {
    let Some(object) = value.as_object() else {
        return Err(vec![Fault::new("dict_type", at, "Input should be a valid dictionary", value)]);
    };
    let mut fields = Fields::new(object, at);
    for key in ["label", "value"].iter().filter(|key| !object.contains_key(**key)) {
        let at = fields.at(key);
        fields.blame(Fault::missing(at, value));
    }
    let block = (fields.text_or("label", ""), fields.text_or("value", ""));
    fields.finish(block)
}
