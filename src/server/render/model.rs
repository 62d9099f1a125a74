//! The models of this server, as `GET /v1/models/` lists them and agents carry them.

use serde_json::{Value, json};

use super::CONTEXT_WINDOW;
use crate::server::answer::HANDLES;

/// Every model.
pub(in crate::server) fn models() -> Value {
    HANDLES.iter().map(|handle| config(handle)).collect()
}

/// One model.
pub(super) fn config(handle: &str) -> Value {
    let (provider, name) = handle.split_once('/').unwrap_or(("agentctl", handle));
    json!({
        "handle": handle,
        "name": name,
        "display_name": name,
        "model": name,
        "model_type": "llm",
        "provider_name": provider,
        "provider_type": "base",
        "model_endpoint_type": "openai",
        "model_endpoint": null,
        "context_window": CONTEXT_WINDOW,
        "max_context_window": CONTEXT_WINDOW,
    })
}
