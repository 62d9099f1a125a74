//! The sweeper: at intervals, takes over the runs and callbacks of dead processes, and the callbacks that are due.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;
use tokio::time::sleep;

use super::state::Engine;
use crate::server::store::{Result, claims, outbox};
use crate::server::types::clock;

/// The interval between two sweeps.
const INTERVAL: Duration = Duration::from_secs(2);

/// Sweeps until it is aborted. After a database error it tries again at the next interval.
pub async fn sweep_forever(engine: Arc<Engine>) {
    loop {
        let due = sweep(&engine).await.ok().flatten();
        sleep(pause(due, clock::now())).await;
    }
}

/// Starts a worker for each agent with work that no living process does. Returns when the next callback is due.
async fn sweep(engine: &Arc<Engine>) -> Result<Option<i64>> {
    let me = engine.owners.me().to_owned();
    let query = move |tx: &Transaction<'_>| {
        Ok((claims::held_by_others(tx, &me)?, outbox::agents_due(tx)?, outbox::next_due(tx)?))
    };
    let (runs, callbacks, due) = engine.db.read(query).await?;
    let abandoned = runs.into_iter().chain(callbacks).filter(|(_, owner)| !is_alive(engine, owner.as_deref()));
    let agents: BTreeSet<String> = abandoned.map(|(agent, _)| agent).chain(engine.agents_with_errors()).collect();
    agents.iter().for_each(|agent| engine.ensure_worker(agent));
    Ok(due)
}

/// Whether the owner is another process that is alive.
fn is_alive(engine: &Engine, owner: Option<&str>) -> bool {
    owner.is_some_and(|owner| owner != engine.owners.me() && engine.owners.is_alive(owner))
}

/// Returns the pause before the next sweep: until the next callback is due, at most the interval.
fn pause(due: Option<i64>, now: i64) -> Duration {
    let until = due.map(|due| Duration::from_micros(u64::try_from(due - now).unwrap_or(0)));
    until.unwrap_or(INTERVAL).min(INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_lasts_until_the_next_callback_is_due_at_most_the_interval() {
        assert_eq!(pause(Some(1_500_000), 1_000_000), Duration::from_millis(500));
        assert_eq!(pause(Some(900_000), 1_000_000), Duration::ZERO, "already due");
        for due in [None, Some(90_000_000)] {
            assert_eq!(pause(due, 1_000_000), INTERVAL, "{due:?}");
        }
    }
}
