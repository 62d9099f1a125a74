//! Routes of agents: create, list, count, get, change, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use rusqlite::Transaction;
use serde_json::{Map, Value, json};

use super::payload::Payload;
use super::{JsonResult, agent_id, page, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::internal_error::InternalError;
use crate::server::http::validate::{self, Params};
use crate::server::models;
use crate::server::render;
use crate::server::store::agents::AgentRow;
use crate::server::store::{Result as Stored, agents, approvals};
use crate::server::types::agent::{DEFAULT_MODEL, DEFAULT_SYSTEM};
use crate::server::types::message::MessageRow;
use crate::server::types::order::SortOrder;

/// The values of `include`. Only [`PENDING`] has an effect: the other fields are always included, or do not exist here.
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

/// An agent, and its pending approval request if it has one and the client asked for it.
type AgentWithRequest = (AgentRow, Option<MessageRow>);

/// `POST /v1/agents/`
pub async fn create(State(engine): State<Arc<Engine>>, payload: Payload) -> JsonResult {
    let body = payload.object()?;
    if engine.behaviour.emulates_agent_errors() {
        emulate_exceptions(&body)?;
    }
    let settings = validate::new_agent(&body)?;
    let model = settings.model.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    check_model(&engine, &model)?;
    let id = AgentId::random();
    // Agents without a name are told apart by the first digits of their ids.
    let name = settings.name.clone().unwrap_or_else(|| format!("Agent {}", &id.as_str()[6..14]));
    let system = settings.system.clone().unwrap_or_else(|| DEFAULT_SYSTEM.to_owned());
    let created = engine.db.write(move |tx| agents::create(tx, id.as_str(), &name, &model, &system, &settings)).await;
    let gone = || ErrorResponse::InternalError(InternalError::new("an agent that was just created does not exist"));
    Ok(Json(render::agent(&required(created, gone)?, None)))
}

/// Fails as the real server does for a missing model and for a bad name, which it finds only after validation.
fn emulate_exceptions(body: &Map<String, Value>) -> Result<(), ErrorResponse> {
    let text = |key| body.get(key).and_then(Value::as_str);
    if text("model").is_none() && !body.contains_key("llm_config") {
        return Err(ErrorResponse::bad_request("INVALID_ARGUMENT: Must specify either model or llm_config in request"));
    }
    match text("name").filter(|name| !validate::is_name(name)) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("Export failed: {}", validate::invalid_name(name));
            Err(ErrorResponse::Detail(StatusCode::INTERNAL_SERVER_ERROR, detail))
        }
    }
}

/// Rejects a model that this server does not have.
fn check_model(engine: &Engine, handle: &str) -> Result<(), ErrorResponse> {
    if !handle.contains('/') {
        let detail = "INVALID_ARGUMENT: The model handle should be in the format provider/model-name";
        return Err(ErrorResponse::bad_request(detail));
    }
    models::model(handle, &engine.providers).map(|_| ()).map_err(|failure| ErrorResponse::not_found(failure.message))
}

/// `GET /v1/agents/`
pub async fn list(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> JsonResult {
    let params = Params::new(query.as_deref());
    let page = page(&engine, &params, 50, None, SortOrder::Descending)?;
    let pending = includes_pending(&params)?;
    let found = engine.db.read(move |tx| {
        let agents = agents::list(tx, &page)?;
        agents.into_iter().map(|agent| with_request(tx, agent, pending)).collect::<Stored<Vec<AgentWithRequest>>>()
    });
    Ok(Json(found.await?.iter().map(|(agent, request)| render::agent(agent, request.as_ref())).collect()))
}

/// Whether the pending approval request is to be included.
fn includes_pending(params: &Params) -> Result<bool, ErrorResponse> {
    Ok(params.words("include", "literal_error", INCLUDE)?.iter().any(|word| word == PENDING))
}

fn with_request(tx: &Transaction<'_>, agent: AgentRow, pending: bool) -> Stored<AgentWithRequest> {
    let request = if pending { approvals::request_of(tx, &agent.id)? } else { None };
    Ok((agent, request))
}

/// `GET /v1/agents/count`
pub async fn count(State(engine): State<Arc<Engine>>) -> JsonResult {
    Ok(Json(Value::from(engine.db.read(agents::count).await?)))
}

/// `GET /v1/agents/{agent_id}`
pub async fn get(State(engine): State<Arc<Engine>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> JsonResult {
    let id = agent_id(&id)?;
    let pending = includes_pending(&Params::new(query.as_deref()))?;
    let wanted = id.clone();
    let found = engine
        .db
        .read(move |tx| agents::get(tx, wanted.as_str())?.map(|row| with_request(tx, row, pending)).transpose());
    let (agent, request) = required(found.await, || no_such_agent(&id))?;
    Ok(Json(render::agent(&agent, request.as_ref())))
}

/// `PATCH /v1/agents/{agent_id}`: changes only the fields in the body.
pub async fn change(State(engine): State<Arc<Engine>>, Path(id): Path<String>, payload: Payload) -> JsonResult {
    let id = agent_id(&id)?;
    let changes = validate::agent_changes(&payload.object()?)?;
    if let Some(model) = &changes.model {
        check_model(&engine, model)?;
    }
    let wanted = id.clone();
    let changed = engine.db.write(move |tx| agents::change(tx, wanted.as_str(), &changes)).await;
    Ok(Json(render::agent(&required(changed, || missing(&engine, &id))?, None)))
}

/// `DELETE /v1/agents/{agent_id}`
pub async fn delete(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> JsonResult {
    let id = agent_id(&id)?;
    let wanted = id.clone();
    let deleted = engine.db.write(move |tx| agents::delete(tx, wanted.as_str())).await;
    let open = required(deleted, || missing(&engine, &id))?;
    open.iter().for_each(|run| engine.abort(run));
    Ok(Json(json!({"message": format!("Agent id={id} successfully deleted")})))
}

fn missing(engine: &Engine, id: &AgentId) -> ErrorResponse {
    ErrorResponse::missing("Agent", id.as_str(), engine.behaviour)
}

pub fn no_such_agent(id: &AgentId) -> ErrorResponse {
    ErrorResponse::not_found(format!("Agent with ID {id} not found"))
}
