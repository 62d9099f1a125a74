//! What the routes that send messages have in common: a request is checked, stored for good, and worked on.

use std::sync::Arc;

use rusqlite::Transaction;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::payload::Payload;
use super::{agent_id, no_such_run, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, Fault, Route};
use crate::server::store::idempotency::Key;
use crate::server::store::runs::{self, RunRow, Taker, Written};
use crate::server::store::{self, StoreError};
use crate::server::types::request::SendRequest;

/// A request that is stored, as a run.
pub struct Accepted {
    /// The run; where the request came before, as it is now.
    pub run: RunRow,
    /// Whether a request with this key came before.
    pub replayed: bool,
}

/// Accepts a request for an agent, whose body is this, and lets go of it as soon as it was read. `missing` says what is
/// answered where there is no such agent.
pub async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    payload: &Payload,
    body: Map<String, Value>,
    route: Route,
    missing: impl FnOnce(&AgentId) -> ErrorResponse,
) -> Result<Accepted, ErrorResponse> {
    let at = Instant::now();
    let (agent, request) = read(engine, agent, &body, route)?;
    drop(body);
    let key = if engine.manners.ignores_keys() { None } else { payload.key(route)? };
    // In a task of its own: a sender who goes away meanwhile must not leave a run behind that nobody works on.
    let stored = tokio::spawn(store(Arc::clone(engine), agent.clone(), request, key, at));
    match stored.await.unwrap_or(Err(StoreError::Panicked))? {
        runs::Accepted::Now(run, _) => Ok(Accepted { run: *run, replayed: false }),
        runs::Accepted::Before(id) => {
            let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(engine, &id))?;
            Ok(Accepted { run, replayed: true })
        }
        runs::Accepted::OtherBody => Err(ErrorResponse::other_body()),
        runs::Accepted::Full => Err(ErrorResponse::Busy),
        runs::Accepted::NoAgent => Err(missing(&agent)),
    }
}

/// Stores a request, and sees to it that its run is worked on.
async fn store(
    engine: Arc<Engine>,
    agent: AgentId,
    request: SendRequest,
    key: Option<Key>,
    at: Instant,
) -> store::Result<runs::Accepted> {
    let vacancy = engine.vacancy(agent.as_str());
    let (of, to, vacant) = (Arc::clone(&engine), agent.clone(), vacancy.is_some());
    let accept = move || {
        let written = Written::new(request);
        move |tx: &Transaction<'_>| {
            let me = of.owners.me();
            let taker = match of.executes() {
                false => Taker::Clerk,
                true if vacant && of.takes_work() => Taker::Worker(me),
                true => Taker::Owner(me),
            };
            runs::accept(tx, to.as_str(), &written, taker, key.as_ref())
        }
    };
    let mut accepted = engine.db.offer(accept).await?;
    if let runs::Accepted::Now(run, claim) = &mut accepted {
        engine.accepted(&run.id, at);
        match vacancy {
            Some(vacancy) => vacancy.fill(claim.take()),
            None => engine.adopt(agent.as_str()),
        }
    }
    Ok(accepted)
}

/// Reads what a request says, or tells all that is wrong with its path and its body.
fn read(
    engine: &Engine,
    agent: &str,
    body: &Map<String, Value>,
    route: Route,
) -> Result<(AgentId, SendRequest), ErrorResponse> {
    match (agent_id(agent), validate::send_request(body, route, engine.manners)) {
        (Ok(agent), Ok(request)) => {
            let url = request.callback_url.as_deref().filter(|_| !engine.manners.accepts_any_callback());
            match url.map(|url| (url, engine.targets.check(url))) {
                Some((url, Err(denied))) => Err(Fault::callback_url(url, &denied.to_string()).into()),
                _ => Ok((agent, request)),
            }
        }
        (agent, request) => {
            let faults = agent.err().into_iter().chain(request.err().unwrap_or_default());
            Err(ErrorResponse::Invalid(faults.collect()))
        }
    }
}
