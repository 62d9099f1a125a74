//! Agents.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::{Value, json};

use super::payload::Payload;
use super::{Answer, agent_id, page, required};
use crate::model::AgentId;
use crate::server::answer;
use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::render;
use crate::server::store::agents;
use crate::server::validate::{self, NewAgent, Order, Params};

/// `POST /v1/agents/`
pub(super) async fn create(State(engine): State<Arc<Engine>>, payload: Payload) -> Answer {
    let new = validate::new_agent(&payload.object()?)?;
    let model = model(&new)?.to_owned();
    let id = AgentId::random();
    // The first digits of its id tell agents without a name apart.
    let name = new.name.clone().unwrap_or_else(|| format!("Agent {}", &id.as_str()[6..14]));
    let system = new.system.clone().unwrap_or_else(|| answer::SYSTEM.to_owned());
    let made = engine.db.write(move |tx| agents::create(tx, id.as_str(), &name, &model, &system, &new)).await;
    Ok(Json(render::agent(&required(made, Refusal::internal)?)))
}

/// The model that an agent gets; one without a wish gets the default.
fn model(new: &NewAgent) -> Result<&str, Refusal> {
    match new.model.as_deref() {
        None => Ok(answer::DEFAULT),
        Some(handle) if !handle.contains('/') => {
            Err(Refusal::bad_request("INVALID_ARGUMENT: The model handle should be in the format provider/model-name"))
        }
        Some(handle) if !answer::HANDLES.contains(&handle) => Err(Refusal::not_found(answer::unknown(handle))),
        Some(handle) => Ok(handle),
    }
}

/// `GET /v1/agents/`
pub(super) async fn list(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> Answer {
    let page = page(&Params::new(query.as_deref()), 50, None, Order::Descending)?;
    let found = engine.db.read(move |tx| agents::list(tx, &page)).await?;
    Ok(Json(found.iter().map(render::agent).collect()))
}

/// `GET /v1/agents/count`
pub(super) async fn count(State(engine): State<Arc<Engine>>) -> Answer {
    Ok(Json(Value::from(engine.db.read(agents::count).await?)))
}

/// `GET /v1/agents/{agent_id}`
pub(super) async fn get(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer {
    let id = agent_id(&id)?;
    let wanted = id.clone();
    let found = engine.db.read(move |tx| agents::get(tx, wanted.as_str())).await;
    Ok(Json(render::agent(&required(found, || no_such_agent(&id))?)))
}

/// `DELETE /v1/agents/{agent_id}`
pub(super) async fn delete(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Answer {
    let id = agent_id(&id)?;
    let wanted = id.clone();
    let deleted = engine.db.write(move |tx| agents::delete(tx, wanted.as_str())).await;
    let open = required(deleted, || no_such_agent(&id))?;
    open.iter().for_each(|run| engine.halt(run));
    Ok(Json(json!({"message": format!("Agent id={id} successfully deleted")})))
}

pub(super) fn no_such_agent(id: &AgentId) -> Refusal {
    Refusal::not_found(format!("Agent with ID {id} not found"))
}
