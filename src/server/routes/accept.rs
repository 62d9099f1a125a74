//! What the routes that send messages have in common: a request is checked, stored for good, and worked on.

use std::sync::Arc;

use rusqlite::Transaction;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::payload::Payload;
use super::{agent_id, no_such_run, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::request::SendRequest;
use crate::server::store::runs::{self, RunRow};
use crate::server::validate::{self, Fault, Route};

/// A request that is stored, as a run.
pub(super) struct Accepted {
    /// The run; where the request came before, as it is now.
    pub(super) run: RunRow,
    /// Whether a request with this key came before.
    pub(super) replayed: bool,
}

/// Accepts a request for an agent, whose body is this, and lets go of it as soon as it was read. `missing` says what is answered where there is no such agent.
pub(super) async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    payload: &Payload,
    body: Map<String, Value>,
    route: Route,
    missing: impl FnOnce(&AgentId) -> Refusal,
) -> Result<Accepted, Refusal> {
    let at = Instant::now();
    let (agent, request) = read(engine, agent, &body, route)?;
    drop(body);
    let key = if engine.manners.ignores_keys() { None } else { payload.key(route)? };
    let (owner, to) = (engine.reserves(), agent.clone());
    let accept = move |tx: &Transaction<'_>| runs::accept(tx, to.as_str(), &request, owner.as_deref(), key.as_ref());
    match engine.db.offer(accept).await? {
        runs::Accepted::Now(run) => {
            engine.accepted(&run.id, agent.as_str(), at);
            Ok(Accepted { run: *run, replayed: false })
        }
        runs::Accepted::Before(id) => {
            let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(engine, &id))?;
            Ok(Accepted { run, replayed: true })
        }
        runs::Accepted::OtherBody => Err(Refusal::other_body()),
        runs::Accepted::Full => Err(Refusal::Busy),
        runs::Accepted::NoAgent => Err(missing(&agent)),
    }
}

/// Reads what a request says, or tells all that is wrong with its path and its body.
fn read(
    engine: &Engine,
    agent: &str,
    body: &Map<String, Value>,
    route: Route,
) -> Result<(AgentId, SendRequest), Refusal> {
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
            Err(Refusal::Invalid(faults.collect()))
        }
    }
}
