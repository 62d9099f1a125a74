//! What a server that stays does beside its requests: it takes up what others left behind, and callbacks that are due.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Transaction;
use tokio::time::sleep;

use super::Engine;
use crate::server::store::{Result, claims, outbox};
use crate::server::types::clock;

/// How often to look for what others left behind.
const EVERY: Duration = Duration::from_secs(2);

/// Takes things up until it is stopped. An error of the database is met by looking again.
pub async fn keep_up(engine: Arc<Engine>) {
    loop {
        let due = take_up(&engine).await.ok().flatten();
        sleep(pause(due, clock::now())).await;
    }
}

/// Sees to it that somebody works for each agent for which something is left to do. Returns when the next callback is due.
async fn take_up(engine: &Arc<Engine>) -> Result<Option<i64>> {
    let me = engine.owners.me().to_owned();
    let look = move |tx: &Transaction<'_>| {
        Ok((claims::held_by_others(tx, &me)?, outbox::agents_due(tx)?, outbox::next_due(tx)?))
    };
    let (runs, callbacks, due) = engine.db.read(look).await?;
    let held = runs.into_iter().chain(callbacks);
    let left = held.filter(|(_, owner)| !is_by_another(engine, owner.as_deref())).map(|(agent, _)| agent);
    let agents: BTreeSet<String> = left.chain(engine.given_up()).collect();
    agents.iter().for_each(|agent| engine.adopt(agent));
    Ok(due)
}

/// Whether another process that lives sees to it.
fn is_by_another(engine: &Engine, owner: Option<&str>) -> bool {
    owner.is_some_and(|owner| owner != engine.owners.me() && engine.owners.lives(owner))
}

/// How long to rest: until the next callback is due, if that is soon.
fn pause(due: Option<i64>, now: i64) -> Duration {
    let until = due.map(|due| Duration::from_micros(u64::try_from(due - now).unwrap_or(0)));
    until.unwrap_or(EVERY).min(EVERY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rests_until_the_next_callback_is_due_but_not_for_long() {
        assert_eq!(pause(Some(1_500_000), 1_000_000), Duration::from_millis(500));
        assert_eq!(pause(Some(900_000), 1_000_000), Duration::ZERO, "it came due meanwhile");
        for due in [None, Some(90_000_000)] {
            assert_eq!(pause(due, 1_000_000), EVERY, "{due:?}");
        }
    }
}
