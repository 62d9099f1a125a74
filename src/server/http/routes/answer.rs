//! The routes that answer with what a run brings: at its end, or while it brings it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::accept::Accepted;
use super::agents::no_such_agent;
use super::listening::{self, Listening};
use super::listing::Listing;
use super::payload::Payload;
use super::{accept, no_such_run, required, run_id};
use crate::model::{RunStatus, StopReason};
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::idempotency_headers::mark;
use crate::server::http::validate::{self, Join, Route};
use crate::server::render::{self, Mishap};
use crate::server::store::runs::{self, RunRow};
use crate::server::store::{approvals, steps};
use crate::server::types::clock;
use crate::server::types::request::Kind;

/// How long a stream can be joined, in microseconds.
const JOINABLE: i64 = 3 * 3600 * 1_000_000;

/// `POST /v1/agents/{agent_id}/messages`: answered when the run has ended. It goes on if the sender does not wait.
pub async fn wait(
    State(engine): State<Arc<Engine>>,
    Path(agent): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let body = payload.object()?;
    let pings = validate::include_pings(&body)?;
    let Accepted { run, replayed } = accept(&engine, &agent, &payload, body, Route::Sync).await?;
    // It was understood and stored; who waits keeps no room.
    drop(payload);
    let mut listening = Listening::new(Arc::clone(&engine), &run);
    if run.kind.streams() {
        return Ok(mark(replayed, events(listening.from(Join { starting_after: 0, pings }).into_body())));
    }
    let (brought, run) = listening.until_the_end().await?;
    if raised(&run) {
        return Err(refused(&engine, &run)?);
    }
    let usage = engine.db.peek(|tx| steps::usage(tx, &run.id))?;
    let end = render::end_of_result(&run, usage).to_string().replacen('{', "],", 1);
    Ok(mark(replayed, Listing::within(r#"{"messages":["#.to_owned(), engine, brought, end).answer().await?))
}

/// `POST /v1/agents/{agent_id}/messages/stream`: answered as the run goes on. It goes on if nobody listens.
pub async fn stream(
    State(engine): State<Arc<Engine>>,
    Path(agent): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let body = payload.object()?;
    let pings = validate::include_pings(&body)?;
    let Accepted { run, replayed } = accept(&engine, &agent, &payload, body, Route::Stream).await?;
    let listening = Listening::new(engine, &run).from(Join { starting_after: 0, pings });
    Ok(mark(replayed, events(listening.into_body())))
}

async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    payload: &Payload,
    body: Map<String, Value>,
    route: Route,
) -> Result<Accepted, ErrorResponse> {
    if !engine.executes() {
        let words = "This process executes no runs: nobody would answer. Send the message without waiting.";
        return Err(ErrorResponse::Detail(StatusCode::SERVICE_UNAVAILABLE, words.to_owned()));
    }
    accept::accept(engine, agent, payload, body, route, no_such_agent).await
}

/// Whether a run ended by an exception, and not for a reason that its answer can carry.
fn raised(run: &RunRow) -> bool {
    let reason = run.stop_reason.as_deref().map(StopReason::from);
    let raises = [StopReason::Error, StopReason::LlmApiError, StopReason::InvalidLlmResponse];
    run.status == RunStatus::Failed && reason.is_some_and(|reason| raises.contains(&reason))
}

/// What those are answered who waited for a run that raised.
fn refused(engine: &Engine, run: &RunRow) -> Result<ErrorResponse, ErrorResponse> {
    let error = run.error.as_deref().unwrap_or_default();
    if !error.starts_with("CONFLICT: ") {
        let mishap = Mishap::of(error);
        return Ok(ErrorResponse::Body(mishap.status, mishap.body()));
    }
    let asks = engine.db.peek(|tx| approvals::request_of(tx, &run.agent_id))?;
    let id = asks.map(|message| message.id);
    let detail = json!({"code": "PENDING_APPROVAL", "message": error, "pending_request_id": id});
    Ok(ErrorResponse::Body(StatusCode::CONFLICT, json!({"detail": detail})))
}

/// `POST /v1/runs/{run_id}/stream`: the stream of a run in the background, from its beginning or from a frame on.
pub async fn join(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let id = run_id(&id)?;
    if payload.is_empty() && engine.manners.streams_are_mute() {
        return Err(ErrorResponse::internal());
    }
    let join = validate::join(&payload.optional_object()?)?;
    let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(&engine, &id))?;
    joinable(&run)?;
    if run.kind == Kind::Async && engine.manners.streams_are_mute() {
        return Ok(events(Body::from_stream(listening::pings_only(id))));
    }
    Ok(events(Listening::new(engine, &run).from(join).into_body()))
}

fn joinable(run: &RunRow) -> Result<(), ErrorResponse> {
    if !run.kind.is_background() {
        let words = "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved.";
        return Err(ErrorResponse::bad_request(words));
    }
    if clock::now() - run.created > JOINABLE {
        let words = "EXPIRED: Run was created more than 3 hours ago, and is now expired.";
        return Err(ErrorResponse::Detail(StatusCode::GONE, words.to_owned()));
    }
    Ok(())
}

fn events(body: Body) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, body).into_response()
}
