//! Accepts a request to send messages, for the three routes that do: validates it, stores it durably as a run, and hands
//! the run to a worker.

use std::sync::Arc;

use rusqlite::Transaction;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::payload::Payload;
use super::{agent_id, no_such_run, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, SendRoute, ValidationError};
use crate::server::store::accept::{self, Acceptor, Written};
use crate::server::store::idempotency::IdempotencyKey;
use crate::server::store::runs::{self, RunRow};
use crate::server::store::{self, StoreError};
use crate::server::types::request::SendRequest;

/// An accepted request.
pub struct AcceptedRun {
    /// The run. For a repeated request, the run as it is now.
    pub run: RunRow,
    /// Whether a request with this `Idempotency-Key` was accepted before.
    pub replayed: bool,
}

/// Validates a request to send messages, stores it as a run and starts the reserved worker. The parsed body may be large, so
/// it is dropped before the run is stored. `missing` makes the response if the agent is unknown.
pub async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    payload: &Payload,
    body: Map<String, Value>,
    route: SendRoute,
    missing: impl FnOnce(&AgentId) -> ErrorResponse,
) -> Result<AcceptedRun, ErrorResponse> {
    let accepted_at = Instant::now();
    let (agent, request) = validate_request(engine, agent, &body, route)?;
    drop(body);
    let key = if engine.behaviour.ignores_keys() { None } else { payload.idempotency_key(route)? };
    // In its own task: if the client disconnects, this future is dropped, and a stored run would have no worker.
    let stored = tokio::spawn(store(Arc::clone(engine), agent.clone(), request, key, accepted_at));
    match stored.await.unwrap_or(Err(StoreError::Panicked))? {
        accept::Accepted::Now(run, _) => Ok(AcceptedRun { run: *run, replayed: false }),
        accept::Accepted::Before(id) => {
            let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(engine, &id))?;
            Ok(AcceptedRun { run, replayed: true })
        }
        accept::Accepted::OtherBody => Err(ErrorResponse::other_body()),
        accept::Accepted::Full => Err(ErrorResponse::Busy),
        accept::Accepted::NoAgent => Err(missing(&agent)),
    }
}

/// Stores a request and starts a worker for its run.
async fn store(
    engine: Arc<Engine>,
    agent: AgentId,
    request: SendRequest,
    key: Option<IdempotencyKey>,
    accepted_at: Instant,
) -> store::Result<accept::Accepted> {
    let reservation = engine.reserve_worker(agent.as_str());
    let shared = Arc::clone(&engine);
    let agent_id = agent.clone();
    let is_reserved = reservation.is_some();
    let accept = move || {
        let written = Written::new(request);
        move |tx: &Transaction<'_>| {
            let me = shared.owners.me();
            let acceptor = match shared.executes() {
                false => Acceptor::Unclaimed,
                true if is_reserved && shared.accepts_work() => Acceptor::Worker(me),
                true => Acceptor::Owner(me),
            };
            accept::accept(tx, agent_id.as_str(), &written, acceptor, key.as_ref())
        }
    };
    let mut accepted = engine.db.offer(accept).await?;
    if let accept::Accepted::Now(run, claim) = &mut accepted {
        engine.record_accepted(&run.id, accepted_at);
        match reservation {
            Some(reservation) => reservation.start(claim.take()),
            None => engine.ensure_worker(agent.as_str()),
        }
    }
    Ok(accepted)
}

/// Validates the path and the body, and returns all errors of both.
fn validate_request(
    engine: &Engine,
    agent: &str,
    body: &Map<String, Value>,
    route: SendRoute,
) -> Result<(AgentId, SendRequest), ErrorResponse> {
    match (agent_id(agent), validate::send_request(body, route, engine.behaviour)) {
        (Ok(agent), Ok(request)) => {
            let url = request.callback_url.as_deref().filter(|_| !engine.behaviour.accepts_any_callback());
            match url.map(|url| (url, engine.targets.check(url))) {
                Some((url, Err(denied))) => Err(ValidationError::callback_url(url, &denied.to_string()).into()),
                _ => Ok((agent, request)),
            }
        }
        (agent, request) => {
            let errors = agent.err().into_iter().chain(request.err().unwrap_or_default());
            Err(ErrorResponse::Invalid(errors.collect()))
        }
    }
}
