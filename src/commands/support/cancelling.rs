//! Asks a server to cancel runs, and says how to wait for them to end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::session::Session;
use crate::model::{AgentId, Run, RunId};
use crate::report::Failure;

/// How long a cancelled run must stay ended. A step that is still under way may set it back to running.
pub const SETTLE_TIME: Duration = Duration::from_secs(2);

/// How long to wait for cancelled runs to end.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often to poll a cancelled run. Its age says nothing about how soon it ends.
pub const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Asks the server to cancel runs, with one request per agent. Returns the runs that it was asked for, and the requests
/// that failed.
pub async fn request(session: &Session, runs: Vec<(AgentId, Run)>) -> (Vec<Run>, Vec<Failure>) {
    let mut by_agent = BTreeMap::<AgentId, Vec<Run>>::new();
    for (agent, run) in runs {
        by_agent.entry(agent).or_default().push(run);
    }
    let mut asked = Vec::new();
    let mut failures = Vec::new();
    for (agent, runs) in by_agent {
        let ids: Vec<RunId> = runs.iter().map(|run| run.id().clone()).collect();
        match session.api.cancel(&agent, &ids).await {
            Ok(()) => asked.extend(runs),
            // Nothing is left to cancel. The caller still has to read how the runs ended.
            Err(error) if error.status == Some(409) => asked.extend(runs),
            Err(error) => failures.push(error.failure().run(&ids[0])),
        }
    }
    (asked, failures)
}
