//! Renders agents.

use serde_json::{Value, json};

use crate::server::store::agents::AgentRow;
use crate::server::types::clock;
use crate::server::types::message::MessageRow;
use crate::server::types::model_info::ModelInfo;

/// Renders an agent with every key of the API, most of them empty here; `request` is its pending approval request.
pub fn agent(row: &AgentRow, request: Option<&MessageRow>) -> Value {
    let agent_type = row.settings.agent_type.as_deref().unwrap_or("letta_v1_agent");
    let (reason, ended) = row.last_end.clone().unzip();
    json!({
        "id": row.id,
        "name": row.name,
        "system": row.system,
        "agent_type": agent_type,
        "created_at": clock::micros(row.created),
        "updated_at": clock::micros(row.updated),
        "llm_config": super::model(&ModelInfo::named(&row.model)),
        "model": row.model,
        "embedding": null,
        "embedding_config": null,
        "memory": {
            "blocks": blocks(row),
            "file_blocks": [],
            "prompt_template": "",
            "agent_type": agent_type,
            "git_enabled": false,
        },
        "blocks": blocks(row),
        "tools": [],
        "sources": [],
        "tags": row.settings.tags,
        "tool_rules": [],
        "message_ids": [],
        "description": row.settings.description,
        "metadata": row.settings.metadata,
        "identity_ids": [],
        "identities": [],
        "secrets": [],
        "pending_approval": request.cloned().map(super::message),
        "last_stop_reason": reason.flatten(),
        "last_run_completion": ended.map(clock::micros),
        "message_buffer_autoclear": false,
        "timezone": "UTC",
        "project_id": null,
        "hidden": null,
    })
}

fn blocks(row: &AgentRow) -> Vec<Value> {
    row.settings.blocks.iter().map(|(label, value)| json!({"label": label, "value": value})).collect()
}
