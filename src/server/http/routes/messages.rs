//! Routes of messages: send without waiting, and list those of an agent or of a run.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};

use super::accept::AcceptedRun;
use super::message_list::MessageList;
use super::payload::Payload;
use super::{accept, agent_id, check_cursor, no_such_run, page, required, run_id};
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::idempotency_headers::mark_replayed;
use crate::server::http::validate::{MESSAGE_TYPES, Params, SendRoute};
use crate::server::render::RunView;
use crate::server::store::messages::{self, MessageFilter, Scope};
use crate::server::store::{agents, runs};
use crate::server::types::order::SortOrder;

/// `POST /v1/agents/{agent_id}/messages/async`: responds once the run is stored durably.
pub async fn send_async(
    State(engine): State<Arc<Engine>>,
    Path(agent): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let missing = |_: &_| ErrorResponse::not_found("Agent not found");
    let body = payload.object()?;
    let AcceptedRun { run, replayed } =
        accept::accept(&engine, &agent, &payload, body, SendRoute::Async, missing).await?;
    let run = run.when_accepted();
    let run = Json(RunView::single(&run, engine.behaviour));
    Ok(mark_replayed(replayed, run.into_response()))
}

/// `GET /v1/agents/{agent_id}/messages`
pub async fn of_agent(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    let id = agent_id(&id)?;
    let params = Params::new(query.as_deref());
    let page = page(&engine, &params, 100, None, SortOrder::Descending)?;
    let types = params.words("include_return_message_types", "enum", MESSAGE_TYPES)?;
    let is_reversed = page.order == SortOrder::Descending && engine.behaviour.turns_agent_messages();
    let of_steps = engine.behaviour.hides_input_until_a_step();
    let by_time = engine.behaviour.reads_message_cursors_by_time();
    let wanted = id.clone();
    let found = engine.db.read(move |tx| {
        if !agents::exists(tx, wanted.as_str())? {
            return Ok(None);
        }
        messages::list(tx, Scope::Agent(wanted.as_str()), MessageFilter { types: &types, of_steps, by_time }, &page)
            .map(Some)
    });
    let found = required(found.await, || ErrorResponse::not_found("Agent not found"))?;
    let mut refs = check_cursor(found, "message", id.as_str())?;
    if is_reversed {
        refs.reverse();
    }
    MessageList::new(engine, refs).respond().await
}

/// `GET /v1/runs/{run_id}/messages`: filtered by the message types that the request of the run names.
pub async fn of_run(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ErrorResponse> {
    let id = run_id(&id)?;
    let page = page(&engine, &Params::new(query.as_deref()), 100, None, SortOrder::Ascending)?;
    let of_steps = engine.behaviour.hides_input_until_a_step();
    let by_time = engine.behaviour.reads_message_cursors_by_time();
    let wanted = id.clone();
    let found = engine.db.read(move |tx| {
        let Some(run) = runs::get(tx, &wanted)? else { return Ok(None) };
        let types = run.wanted_types();
        messages::list(tx, Scope::Run(&wanted), MessageFilter { types: &types, of_steps, by_time }, &page).map(Some)
    });
    let refs = check_cursor(required(found.await, || no_such_run(&engine, &id))?, "message", "None")?;
    MessageList::new(engine, refs).respond().await
}
