//! What the routes that send messages have in common: a request is checked, stored for good, and worked on.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{agent_id, required};
use crate::model::AgentId;
use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::request::SendRequest;
use crate::server::store::runs::{self, RunRow};
use crate::server::validate::{self, Route};

/// Accepts a body for an agent. `missing` says what is answered where there is no such agent.
pub(super) async fn accept(
    engine: &Arc<Engine>,
    agent: &str,
    body: &Map<String, Value>,
    route: Route,
    missing: impl FnOnce(&AgentId) -> Refusal,
) -> Result<RunRow, Refusal> {
    let at = Instant::now();
    let (agent, request) = read(engine, agent, body, route)?;
    let (owner, to) = (engine.reserves(), agent.clone());
    let accepted = engine.db.offer(move |tx| runs::accept(tx, to.as_str(), &request, owner.as_deref())).await;
    let run = required(accepted, || missing(&agent))?;
    engine.accepted(&run.id, agent.as_str(), at);
    Ok(run)
}

/// Reads what a request says, or tells all that is wrong with its path and its body.
fn read(
    engine: &Engine,
    agent: &str,
    body: &Map<String, Value>,
    route: Route,
) -> Result<(AgentId, SendRequest), Refusal> {
    match (agent_id(agent), validate::send_request(body, route, engine.manners)) {
        (Ok(agent), Ok(request)) => Ok((agent, request)),
        (agent, request) => {
            let faults = agent.err().into_iter().chain(request.err().unwrap_or_default());
            Err(Refusal::Invalid(faults.collect()))
        }
    }
}
