//! Renders models, for `GET /v1/models/` and within agents.

use serde_json::{Value, json};

use crate::server::types::model_info::ModelInfo;

/// Renders a model.
pub fn model(model: &ModelInfo) -> Value {
    let (provider, name) = model.handle.split_once('/').unwrap_or(("agentctl", &model.handle));
    json!({
        "handle": model.handle,
        "name": name,
        "display_name": name,
        "model": name,
        "model_type": "llm",
        "provider_name": provider,
        "provider_type": "openai",
        "provider_category": "base",
        "model_endpoint_type": "openai",
        "model_endpoint": model.endpoint,
        "context_window": model.context_window,
        "max_context_window": model.context_window,
    })
}
