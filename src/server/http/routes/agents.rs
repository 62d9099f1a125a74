//! Agents.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::payload::Payload;
use super::{Answer, agent_id, page, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::internal_error::InternalError;
use crate::server::http::validate::{self, Params};
use crate::server::models;
use crate::server::render;
use crate::server::store::agents::AgentRow;
use crate::server::store::messages::MessageRow;
use crate::server::store::{Result as Stored, agents, approvals};
use crate::server::types::order::Order;

/// What an agent can be asked to include. All but one are there in any case, or do not exist here.
const INCLUDE: &[&str] = &[
    "agent.blocks",
    "agent.identities",
    "agent.managed_group",
    PENDING,
    "agent.secrets",
    "agent.sources",
    "agent.tags",
    "agent.tools",
];
const PENDING: &str = "agent.pending_approval";

/// An agent, and what it asks for, where that is wanted.
type Shown = (AgentRow, Option<MessageRow>);

/// `POST /v1/agents/`
pub async fn create(State(engine): State<Arc<Engine>>, payload: Payload) -> Answer {
    let body = payload.object()?;
    if engine.manners.raises_over_agents() {
        raise(&body)?;
    }
    let new = validate::new_agent(&body)?;
    let model = new.model.clone().unwrap_or_else(|| models::DEFAULT.to_owned());
    known_model(&engine, &model)?;
    let id = AgentId::random();
    // The first digits of its id tell agents without a name apart.
    let name = new.name.clone().unwrap_or_else(|| format!("Agent {}", &id.as_str()[6..14]));
    let system = new.system.clone().unwrap_or_else(|| models::SYSTEM.to_owned());
    let made = engine.db.write(move |tx| agents::create(tx, id.as_str(), &name, &model, &system, &new)).await;
    let gone = || ErrorResponse::InternalError(InternalError::new("an agent that was just made is not there"));
    Ok(Json(render::agent(&required(made, gone)?, None)))
}

/// What the real server does not find in a body, and what it only notices later.
fn raise(body: &Map<String, Value>) -> Result<(), ErrorResponse> {
    let text = |key| body.get(key).and_then(Value::as_str);
    if text("model").is_none() && !body.contains_key("llm_config") {
        return Err(ErrorResponse::bad_request("INVALID_ARGUMENT: Must specify either model or llm_config in request"));
    }
    match text("name").filter(|name| !validate::is_name(name)) {
        None => Ok(()),
        Some(name) => {
            let words = format!("Export failed: {}", validate::bad_name(name));
            Err(ErrorResponse::Detail(StatusCode::INTERNAL_SERVER_ERROR, words))
        }
    }
}

/// Refuses a model that this server does not have.
fn known_model(engine: &Engine, handle: &str) -> Result<(), ErrorResponse> {
    if !handle.contains('/') {
        let words = "INVALID_ARGUMENT: The model handle should be in the format provider/model-name";
        return Err(ErrorResponse::bad_request(words));
    }
    models::model(handle, &engine.providers).map(|_| ()).map_err(|failure| ErrorResponse::not_found(failure.message))
}

/// `GET /v1/agents/`
pub async fn list(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> Answer {
    let params = Params::new(query.as_deref());
    let (page, pending) = (page(&engine, &params, 50, None, Order::Descending)?, pending(&params)?);
    let found = engine.db.read(move |tx| {
        let agents = agents::list(tx, &page)?;
        agents.into_iter().map(|agent| show(tx, agent, pending)).collect::<Stored<Vec<Shown>>>()
    });
    Ok(Json(found.await?.iter().map(|(agent, asks)| render::agent(agent, asks.as_ref())).collect()))
}

/// Whether what an agent asks for is to be included.
fn pending(params: &Params) -> Result<bool, ErrorResponse> {
    Ok(params.words("include", "literal_error", INCLUDE)?.iter().any(|word| word == PENDING))
}

fn show(tx: &Transaction<'_>, agent: AgentRow, pending: bool) -> Stored<Shown> {
    let asks = if pending { approvals::request_of(tx, &agent.id)? } else { None };
    Ok((agent, asks))
}

/// `GET /v1/agents/count`
pub async fn count(State(engine): State<Arc<Engine>>) -> Answer {
    Ok(Json(Value::from(engine.db.read(agents::count).await?)))
}

/// `GET /v1/agents/{agent_id}`
pub async fn get(State(engine): State<Arc<Engine>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Answer {
    let id = agent_id(&id)?;
    let pending = pending(&Params::new(query.as_deref()))?;
    let wanted = id.clone();
    let found =
        engine.db.read(move |tx| agents::get(tx, wanted.as_str())?.map(|row| show(tx, row, pending)).transpose());
    let (agent, asks) = required(found.await, || no_such_agent(&id))?;
    Ok(Json(render::agent(&agent, asks.as_ref())))
}

/// `PATCH /v1/agents/{agent_id}`: what the body has is changed, all else stays.
pub async fn change(State(engine): State<Arc<Engine>>, Path(id): Path<String>, payload: Payload) -> Answer {
    let id = agent_id(&id)?;
    let changes = validate::changes(&payload.object()?)?;
    if let Some(model) = &changes.model {
        known_model(&engine, model)?;
    }
    let wanted = id.clone();
    let changed = engine.db.write(move |tx| agents::change(tx, wanted.as_str(), &changes)).await;
    Ok(Json(render::agent(&required(changed, || missing(&engine, &id))?, None)))
}

/// `DELETE /v1/agents/{agent_id}`
pub async fn delete(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer {
    let id = agent_id(&id)?;
    let wanted = id.clone();
    let deleted = engine.db.write(move |tx| agents::delete(tx, wanted.as_str())).await;
    let open = required(deleted, || missing(&engine, &id))?;
    open.iter().for_each(|run| engine.halt(run));
    Ok(Json(json!({"message": format!("Agent id={id} successfully deleted")})))
}

fn missing(engine: &Engine, id: &AgentId) -> ErrorResponse {
    ErrorResponse::missing("Agent", id.as_str(), engine.manners)
}

pub fn no_such_agent(id: &AgentId) -> ErrorResponse {
    ErrorResponse::not_found(format!("Agent with ID {id} not found"))
}
