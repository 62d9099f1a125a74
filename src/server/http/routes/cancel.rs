//! Routes that cancel runs, queued or in progress.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rusqlite::Transaction;
use serde_json::{Map, Value};

use super::payload::Payload;
use super::{JsonResult, agent_id};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, Params, ValidationError};
use crate::server::store::Result as Stored;
use crate::server::store::cancel::{self, Cancelled};
use crate::server::store::runs;
use crate::server::types::order::SortOrder;

/// How many runs are cancelled in one transaction: a batch costs little more than one run, but delays other writes.
const BATCH: usize = 250;

/// `POST /v1/agents/{agent_id}/messages/cancel`: cancels the given runs, or all open runs.
pub async fn of_agent(State(engine): State<Arc<Engine>>, Path(agent): Path<String>, payload: Payload) -> JsonResult {
    let agent = agent_id(&agent)?;
    let given = validate::run_ids(&payload.optional_object()?)?;
    let ids = if given.is_empty() { open_runs(&engine, &agent, &format!("agent {agent}")).await? } else { given };
    cancel(&engine, &agent, ids).await
}

/// `POST /v1/conversations/{conversation_id}/cancel?agent_id=…`: cancels all open runs of the agent, whose only
/// conversation is `default`.
pub async fn of_conversation(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> JsonResult {
    let params = Params::new(query.as_deref());
    match (id.as_str(), params.text("agent_id")) {
        ("default", Some(agent)) => {
            let agent = agent_id(agent)?;
            let ids = open_runs(&engine, &agent, "conversation default").await?;
            cancel(&engine, &agent, ids).await
        }
        _ if id == "default" || is_conversation(&id) => {
            Err(ErrorResponse::missing("Conversation", &id, engine.behaviour))
        }
        _ => Err(ValidationError::conversation_id(&id).into()),
    }
}

/// Whether an id has the form of a conversation id, or of an agent id, which names the agent's conversation.
fn is_conversation(id: &str) -> bool {
    let agent = id.strip_prefix("conv-").map(|uuid| format!("agent-{uuid}"));
    agent.as_deref().unwrap_or(id).parse::<AgentId>().is_ok()
}

async fn cancel(engine: &Arc<Engine>, agent: &AgentId, ids: Vec<String>) -> JsonResult {
    let mut answer = Map::new();
    for batch in ids.chunks(BATCH) {
        for (id, cancelled) in batch.iter().zip(cancel_batch(engine, batch).await?) {
            let word = if cancelled == Cancelled::Unknown { "failed" } else { "cancelled" };
            answer.insert(id.clone(), Value::from(word));
        }
    }
    // The callbacks of the cancelled runs are due.
    engine.ensure_worker(agent.as_str());
    Ok(Json(Value::Object(answer)))
}

async fn open_runs(engine: &Engine, agent: &AgentId, of: &str) -> Result<Vec<String>, ErrorResponse> {
    let wanted = agent.to_string();
    let open = engine.db.read(move |tx| runs::open_of(tx, &wanted, SortOrder::Descending)).await?;
    if open.is_empty() {
        let detail = format!("CONFLICT: No active runs to cancel for {of}");
        return Err(ErrorResponse::Detail(StatusCode::CONFLICT, detail));
    }
    Ok(open)
}

/// Cancels runs in one transaction.
async fn cancel_batch(engine: &Engine, ids: &[String]) -> Result<Vec<Cancelled>, ErrorResponse> {
    let wanted: Vec<_> = ids.iter().map(|id| (id.clone(), engine.elapsed(id))).collect();
    let for_good = !engine.behaviour.cancels_between_steps();
    let cancel = move |tx: &Transaction<'_>| {
        wanted.iter().map(|(id, duration)| cancel::cancel(tx, id, *duration, for_good)).collect::<Stored<Vec<_>>>()
    };
    let cancelled = engine.db.write(cancel).await?;
    let now = ids.iter().zip(&cancelled).filter(|(_, cancelled)| **cancelled == Cancelled::Now);
    now.for_each(|(id, _)| if for_good { engine.abort(id) } else { engine.notify(id) });
    Ok(cancelled)
}
