//! Cancelling: at once and for good, whatever the run was doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::payload::Payload;
use super::{Answer, agent_id};
use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::store::runs::{self, Cancelled};
use crate::server::validate::{self, Order};

/// `POST /v1/agents/{agent_id}/messages/cancel`: the given runs, or all that are open.
pub(super) async fn cancel(State(engine): State<Arc<Engine>>, Path(agent): Path<String>, payload: Payload) -> Answer {
    let agent = agent_id(&agent)?;
    let given = validate::run_ids(&payload.optional_object()?)?;
    let ids = if given.is_empty() { open(&engine, agent.as_str()).await? } else { given };
    let mut answer = Map::new();
    for id in ids {
        let word = if cancel_one(&engine, &id).await? == Cancelled::Unknown { "failed" } else { "cancelled" };
        answer.insert(id, Value::from(word));
    }
    // A callback may have become due.
    engine.adopt(agent.as_str());
    Ok(Json(Value::Object(answer)))
}

async fn open(engine: &Engine, agent: &str) -> Result<Vec<String>, Refusal> {
    let wanted = agent.to_owned();
    let open = engine.db.read(move |tx| runs::open_of(tx, &wanted, Order::Descending)).await?;
    if open.is_empty() {
        let words = format!("CONFLICT: No active runs to cancel for agent {agent}");
        return Err(Refusal::Detail(StatusCode::CONFLICT, words));
    }
    Ok(open)
}

async fn cancel_one(engine: &Engine, id: &str) -> Result<Cancelled, Refusal> {
    let (wanted, duration) = (id.to_owned(), engine.elapsed(id));
    let cancelled = engine.db.write(move |tx| runs::cancel(tx, &wanted, duration)).await?;
    if cancelled == Cancelled::Now {
        engine.halt(id);
    }
    Ok(cancelled)
}
