//! Routes that respond with the output of a run: at its end, or as a stream of server-sent events.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::accept::AcceptedRun;
use super::agents::no_such_agent;
use super::message_list::MessageList;
use super::payload::Payload;
use super::run_stream::{self, RunStream};
use super::{accept, no_such_run, required, run_id};
use crate::model::{RunStatus, StopReason};
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::idempotency_headers::mark_replayed;
use crate::server::http::validate::{self, JoinRequest, SendRoute};
use crate::server::render;
use crate::server::store::runs::{self, RunRow};
use crate::server::store::{approvals, steps};
use crate::server::types::clock;
use crate::server::types::run_error::RunErrorKind;
use crate::server::types::run_kind::RunKind;

/// How long after its creation a run can be joined, in microseconds.
const JOIN_WINDOW: i64 = 3 * 3600 * 1_000_000;

/// `POST /v1/agents/{agent_id}/messages`: responds when the run has ended. A disconnected client does not end the run.
pub async fn send_and_wait(
    State(engine): State<Arc<Engine>>,
    Path(agent): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let body = payload.object()?;
    let pings = validate::include_pings(&body)?;
    let AcceptedRun { run, replayed } = accept(&engine, &agent, &payload, body, SendRoute::Sync).await?;
    // The request is stored: its memory is free for others while this one waits.
    drop(payload);
    let mut output = RunStream::new(Arc::clone(&engine), &run);
    if run.kind.streams() {
        return Ok(mark_replayed(
            replayed,
            events(output.resume(JoinRequest { starting_after: 0, pings }).into_body()),
        ));
    }
    let (messages, run) = output.finish().await?;
    if raised(&run) {
        return Err(error_of(&engine, &run)?);
    }
    let usage = engine.db.peek(|tx| steps::usage(tx, &run.id))?;
    let end = render::result_end(&run, usage).to_string().replacen('{', "],", 1);
    Ok(mark_replayed(
        replayed,
        MessageList::within(r#"{"messages":["#.to_owned(), engine, messages, end).respond().await?,
    ))
}

/// `POST /v1/agents/{agent_id}/messages/stream`: streams the run. A disconnected client does not end the run.
pub async fn send_and_stream(
    State(engine): State<Arc<Engine>>,
    Path(agent): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let body = payload.object()?;
    let pings = validate::include_pings(&body)?;
    let AcceptedRun { run, replayed } = accept(&engine, &agent, &payload, body, SendRoute::Stream).await?;
    let output = RunStream::new(engine, &run).resume(JoinRequest { starting_after: 0, pings });
    Ok(mark_replayed(replayed, events(output.into_body())))
}

async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    payload: &Payload,
    body: Map<String, Value>,
    route: SendRoute,
) -> Result<AcceptedRun, ErrorResponse> {
    if !engine.executes() {
        let detail = "This process executes no runs: nobody would answer. Send the message without waiting.";
        return Err(ErrorResponse::Detail(StatusCode::SERVICE_UNAVAILABLE, detail.to_owned()));
    }
    accept::accept(engine, agent, payload, body, route, no_such_agent).await
}

/// Whether a run failed with an error. Other failures have a stop reason that a response with messages carries.
fn raised(run: &RunRow) -> bool {
    let reason = run.stop_reason.as_deref().map(StopReason::from);
    let raises = [StopReason::Error, StopReason::LlmApiError, StopReason::InvalidLlmResponse];
    run.status == RunStatus::Failed && reason.is_some_and(|reason| raises.contains(&reason))
}

/// Returns the response to a run that failed with an error.
fn error_of(engine: &Engine, run: &RunRow) -> Result<ErrorResponse, ErrorResponse> {
    let Some(error) = &run.error else { return Ok(ErrorResponse::emulated_failure()) };
    if error.kind != RunErrorKind::PendingApproval {
        return Ok(ErrorResponse::Body(render::error_status(error.kind), render::error_body(error)));
    }
    let asks = engine.db.peek(|tx| approvals::request_of(tx, &run.agent_id))?;
    let id = asks.map(|message| message.id);
    let detail = json!({"code": "PENDING_APPROVAL", "message": error.message, "pending_request_id": id});
    Ok(ErrorResponse::Body(StatusCode::CONFLICT, json!({"detail": detail})))
}

/// `POST /v1/runs/{run_id}/stream`: streams a background run, from its beginning or after a frame.
pub async fn join_stream(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    payload: Payload,
) -> Result<Response, ErrorResponse> {
    let id = run_id(&id)?;
    if payload.is_empty() && engine.behaviour.async_streams_send_only_pings() {
        return Err(ErrorResponse::emulated_failure());
    }
    let join = validate::join_request(&payload.optional_object()?)?;
    let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(&engine, &id))?;
    check_joinable(&run)?;
    if run.kind == RunKind::Async && engine.behaviour.async_streams_send_only_pings() {
        return Ok(events(Body::from_stream(run_stream::pings_only(id))));
    }
    Ok(events(RunStream::new(engine, &run).resume(join).into_body()))
}

fn check_joinable(run: &RunRow) -> Result<(), ErrorResponse> {
    if !run.kind.is_background() {
        let detail = "INVALID_ARGUMENT: Run was not created in background mode, so it cannot be retrieved.";
        return Err(ErrorResponse::bad_request(detail));
    }
    if clock::now() - run.created > JOIN_WINDOW {
        let detail = "EXPIRED: Run was created more than 3 hours ago, and is now expired.";
        return Err(ErrorResponse::Detail(StatusCode::GONE, detail.to_owned()));
    }
    Ok(())
}

/// A response of server-sent events.
fn events(body: Body) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, body).into_response()
}
