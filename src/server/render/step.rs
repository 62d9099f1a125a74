//! Renders steps.

use serde_json::{Value, json};

use super::ORGANIZATION;
use crate::server::store::steps::StepRow;
use crate::server::types::model_info::CONTEXT_WINDOW;

/// Renders a step. Its counts of cached tokens and of reasoning tokens are always null or zero.
pub fn step(row: &StepRow) -> Value {
    let (provider, model) = row.model.split_once('/').unwrap_or(("agentctl", &row.model));
    let succeeded = row.error_type.is_none();
    let error = row.error.as_ref().map(|message| json!({"message": message, "traceback": null, "details": null}));
    json!({
        "id": row.id,
        "origin": null,
        "organization_id": ORGANIZATION,
        "provider_id": null,
        "run_id": row.run_id,
        "agent_id": row.agent_id,
        "provider_name": provider,
        "provider_category": "base",
        "model": model,
        "model_handle": row.model,
        "model_endpoint": null,
        "context_window_limit": CONTEXT_WINDOW,
        "completion_tokens": row.completion_tokens,
        "prompt_tokens": row.prompt_tokens,
        "total_tokens": row.prompt_tokens + row.completion_tokens,
        "cached_input_tokens": null,
        "cache_write_tokens": null,
        "reasoning_tokens": null,
        "completion_tokens_details": succeeded.then(|| json!({"reasoning_tokens": 0})),
        "prompt_tokens_details": succeeded.then(no_cached_tokens),
        "stop_reason": row.stop_reason,
        "tags": [],
        "tid": null,
        "trace_id": null,
        "request_id": null,
        "messages": [],
        "feedback": null,
        "project_id": null,
        "error_type": row.error_type,
        "error_data": error,
        "status": if succeeded { "success" } else { "failed" },
    })
}

fn no_cached_tokens() -> Value {
    json!({"cached_tokens": 0, "cache_read_tokens": 0, "cache_creation_tokens": 0})
}
