//! Messages: sent to an agent, and read back from it or from one of its runs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use tokio::time::Instant;

use super::agents::no_such_agent;
use super::payload::Payload;
use super::{Answer, agent_id, known, no_such_run, page, required, run_id};
use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::render;
use crate::server::store::messages::{self, Of};
use crate::server::store::{agents, runs};
use crate::server::validate::{self, Order, Params};

/// `POST /v1/agents/{agent_id}/messages/async`: answered once the run is stored for good.
pub(super) async fn send(State(engine): State<Arc<Engine>>, Path(agent): Path<String>, payload: Payload) -> Answer {
    let at = Instant::now();
    let body = payload.object()?;
    let (agent, request) = match (agent_id(&agent), validate::send_request(&body)) {
        (Ok(agent), Ok(request)) => (agent, request),
        (agent, request) => {
            let faults = agent.err().into_iter().chain(request.err().unwrap_or_default());
            return Err(Refusal::Invalid(faults.collect()));
        }
    };
    let (owner, to) = (engine.reserves(), agent.clone());
    let accepted = engine.db.offer(move |tx| runs::accept(tx, to.as_str(), &request, owner.as_deref())).await;
    let run = required(accepted, || Refusal::not_found("Agent not found"))?;
    engine.accepted(&run.id, agent.as_str(), at);
    Ok(Json(render::run(&run)))
}

/// `GET /v1/agents/{agent_id}/messages`
pub(super) async fn of_agent(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = agent_id(&id)?;
    let params = Params::new(query.as_deref());
    let page = page(&params, 100, None, Order::Descending)?;
    let types: Vec<String> = params.all("include_return_message_types").map(str::to_owned).collect();
    let wanted = id.clone();
    let found = engine.db.read(move |tx| {
        if !agents::exists(tx, wanted.as_str())? {
            return Ok(None);
        }
        messages::list(tx, Of::Agent(wanted.as_str()), Some(&types), &page).map(Some)
    });
    let rows = known(required(found.await, || no_such_agent(&id))?, "message")?;
    Ok(Json(rows.iter().map(render::message).collect()))
}

/// `GET /v1/runs/{run_id}/messages`: filtered as the run's request asked for.
pub(super) async fn of_run(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer {
    let id = run_id(&id)?;
    let page = page(&Params::new(query.as_deref()), 100, None, Order::Ascending)?;
    let wanted = id.clone();
    let found = engine.db.read(move |tx| {
        let Some(run) = runs::get(tx, &wanted)? else { return Ok(None) };
        let types = run.request().and_then(|request| request.include_return_message_types);
        messages::list(tx, Of::Run(&wanted), types.as_deref(), &page).map(Some)
    });
    let rows = known(required(found.await, || no_such_run(&id))?, "message")?;
    Ok(Json(rows.iter().map(render::message).collect()))
}
