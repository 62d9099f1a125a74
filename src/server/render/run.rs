//! Renders runs, their usage and metrics, and the body of their callbacks.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{ORGANIZATION, error_message};
use crate::model::RunStatus;
use crate::server::Behaviour;
use crate::server::store::runs::RunRow;
use crate::server::store::steps::Usage;
use crate::server::types::clock;
use crate::server::types::message::MessageRow;
use crate::server::types::request::RequestConfig;
use crate::server::types::run_kind::RunKind;

/// The document of a run, with its seventeen keys in order. Serialized from the row without a `Value` between, since runs
/// are polled more often than anything else.
#[derive(Debug, Serialize)]
pub struct RunView<'a> {
    id: &'a str,
    #[serde(serialize_with = "serialize_status")]
    status: RunStatus,
    created_at: String,
    completed_at: Option<String>,
    agent_id: &'a str,
    conversation_id: Option<()>,
    base_template_id: Option<()>,
    background: bool,
    metadata: Value,
    request_config: Option<RequestConfig>,
    stop_reason: Option<&'a str>,
    callback_url: Option<&'a str>,
    callback_sent_at: Option<String>,
    callback_status_code: Option<i64>,
    callback_error: Option<&'a str>,
    ttft_ns: Option<i64>,
    total_duration_ns: Option<i64>,
}

impl<'a> RunView<'a> {
    /// The document of a single run.
    pub fn single(row: &'a RunRow, behaviour: Behaviour) -> Self {
        let duration = row.duration_ns.filter(|_| !behaviour.hides_duration());
        Self { total_duration_ns: duration, ..Self::in_list(row, behaviour) }
    }

    /// The document of a run in a list.
    pub fn in_list(row: &'a RunRow, behaviour: Behaviour) -> Self {
        Self {
            id: &row.id,
            status: behaviour.status(&row.status, row.kind),
            created_at: clock::micros(row.created),
            completed_at: row.completed.map(|time| end_time(time, behaviour)),
            agent_id: &row.agent_id,
            conversation_id: None,
            base_template_id: None,
            background: row.kind.is_background(),
            metadata: metadata(row, behaviour),
            request_config: row.request_config(),
            stop_reason: row.stop_reason.as_deref(),
            callback_url: row.callback_url.as_deref(),
            callback_sent_at: row.callback_sent.map(|time| end_time(time, behaviour)),
            callback_status_code: row.callback_status,
            callback_error: row.callback_error.as_deref(),
            ttft_ns: row.ttft_ns.filter(|_| !behaviour.hides_ttft()),
            total_duration_ns: row.duration_ns,
        }
    }
}

fn serialize_status<S: Serializer>(status: &RunStatus, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.as_str())
}

/// Renders the time at which something ended.
fn end_time(time: i64, behaviour: Behaviour) -> String {
    if behaviour.times_are_naive() { clock::naive(time) } else { clock::micros(time) }
}

fn metadata(row: &RunRow, behaviour: Behaviour) -> Value {
    let mut metadata = json!({"run_type": row.kind.run_type()});
    if row.kind == RunKind::Async {
        metadata["lettuce"] = Value::Null;
    }
    if behaviour.shows_model() {
        metadata["model"] = json!(row.model);
    }
    if let Some(error) = &row.error {
        metadata["error"] = if row.kind.streams() { error_message(error, &row.id, None) } else { json!(error.message) };
    }
    metadata
}

/// Renders the usage of a run, for its own route.
pub fn usage(usage: Usage) -> Value {
    json!({
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": null,
        "completion_tokens_details": null,
    })
}

/// Renders the metrics of a run.
pub fn metrics(row: &RunRow, usage: Usage) -> Value {
    json!({
        "id": row.id,
        "organization_id": ORGANIZATION,
        "agent_id": row.agent_id,
        "project_id": null,
        "run_start_ns": row.created * 1000,
        "run_ns": row.duration_ns,
        "num_steps": row.status.is_terminal().then_some(usage.steps),
        "tools_used": null,
        "template_id": null,
        "base_template_id": null,
    })
}

/// Renders the body of a callback.
pub fn callback(row: &RunRow, messages: Vec<MessageRow>, usage: Usage, behaviour: Behaviour) -> Value {
    let mut metadata = metadata(row, behaviour);
    metadata["result"] = result(row, messages, usage);
    json!({
        "run_id": row.id,
        "status": row.status.as_str(),
        "completed_at": end_time(clock::now(), behaviour),
        "metadata": metadata,
    })
}

/// Renders the output of a run with its end.
fn result(row: &RunRow, messages: Vec<MessageRow>, usage: Usage) -> Value {
    let mut result = json!({"messages": messages.into_iter().map(super::message).collect::<Vec<_>>()});
    if let (Some(result), Value::Object(end)) = (result.as_object_mut(), result_end(row, usage)) {
        result.extend(end);
    }
    result
}

/// Renders the fields of a result that follow its messages.
pub fn result_end(row: &RunRow, usage: Usage) -> Value {
    json!({
        "stop_reason": stop_reason(row),
        "usage": statistics(usage),
        "logprobs": null,
        "turns": null,
    })
}

/// Renders the stop reason of a run, as in streams.
pub fn stop_reason(row: &RunRow) -> Value {
    json!({"message_type": "stop_reason", "stop_reason": row.stop_reason})
}

/// Renders the usage of a run, as in streams.
pub fn statistics(usage: Usage) -> Value {
    json!({
        "message_type": "usage_statistics",
        "completion_tokens": usage.completion_tokens,
        "prompt_tokens": usage.prompt_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "step_count": usage.steps,
        "run_ids": null,
        "cached_input_tokens": null,
        "cache_write_tokens": null,
        "reasoning_tokens": null,
        "context_tokens": null,
    })
}
