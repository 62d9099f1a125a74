//! Cancelling: at once, whatever the run was doing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rusqlite::Transaction;
use serde_json::{Map, Value};

use super::payload::Payload;
use super::{Answer, agent_id};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, Fault, Params};
use crate::server::store::Result as Stored;
use crate::server::store::runs::{self, Cancelled};
use crate::server::types::order::Order;

/// How many runs are cancelled in one transaction: many cost little more than one, and others want to write, too.
const AT_ONCE: usize = 250;

/// `POST /v1/agents/{agent_id}/messages/cancel`: the given runs, or all that are open.
pub async fn of_agent(State(engine): State<Arc<Engine>>, Path(agent): Path<String>, payload: Payload) -> Answer {
    let agent = agent_id(&agent)?;
    let given = validate::run_ids(&payload.optional_object()?)?;
    let ids = if given.is_empty() { open(&engine, &agent, &format!("agent {agent}")).await? } else { given };
    cancel(&engine, &agent, ids).await
}

/// `POST /v1/conversations/{conversation_id}/cancel?agent_id=…`: all open runs of the agent, whose only conversation
/// is called `default`.
pub async fn of_conversation(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::new(query.as_deref());
    match (id.as_str(), params.text("agent_id")) {
        ("default", Some(agent)) => {
            let agent = agent_id(agent)?;
            let ids = open(&engine, &agent, "conversation default").await?;
            cancel(&engine, &agent, ids).await
        }
        _ if id == "default" || is_conversation(&id) => {
            Err(ErrorResponse::missing("Conversation", &id, engine.manners))
        }
        _ => Err(Fault::conversation_id(&id).into()),
    }
}

/// Whether an id could be a conversation's, or an agent's for its conversation.
fn is_conversation(id: &str) -> bool {
    let agent = id.strip_prefix("conv-").map(|uuid| format!("agent-{uuid}"));
    agent.as_deref().unwrap_or(id).parse::<AgentId>().is_ok()
}

async fn cancel(engine: &Arc<Engine>, agent: &AgentId, ids: Vec<String>) -> Answer {
    let mut answer = Map::new();
    for some in ids.chunks(AT_ONCE) {
        for (id, cancelled) in some.iter().zip(cancel_some(engine, some).await?) {
            let word = if cancelled == Cancelled::Unknown { "failed" } else { "cancelled" };
            answer.insert(id.clone(), Value::from(word));
        }
    }
    // A callback may have become due.
    engine.adopt(agent.as_str());
    Ok(Json(Value::Object(answer)))
}

async fn open(engine: &Engine, agent: &AgentId, of: &str) -> Result<Vec<String>, ErrorResponse> {
    let wanted = agent.to_string();
    let open = engine.db.read(move |tx| runs::open_of(tx, &wanted, Order::Descending)).await?;
    if open.is_empty() {
        let words = format!("CONFLICT: No active runs to cancel for {of}");
        return Err(ErrorResponse::Detail(StatusCode::CONFLICT, words));
    }
    Ok(open)
}

/// Cancels these runs in one transaction.
async fn cancel_some(engine: &Engine, ids: &[String]) -> Result<Vec<Cancelled>, ErrorResponse> {
    let wanted: Vec<_> = ids.iter().map(|id| (id.clone(), engine.elapsed(id))).collect();
    let for_good = !engine.manners.cancels_between_steps();
    let cancel = move |tx: &Transaction<'_>| {
        wanted.iter().map(|(id, duration)| runs::cancel(tx, id, *duration, for_good)).collect::<Stored<Vec<_>>>()
    };
    let cancelled = engine.db.write(cancel).await?;
    let now = ids.iter().zip(&cancelled).filter(|(_, cancelled)| **cancelled == Cancelled::Now);
    now.for_each(|(id, _)| if for_good { engine.halt(id) } else { engine.announce(id) });
    Ok(cancelled)
}
