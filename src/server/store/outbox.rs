//! Callbacks that are still to be delivered. A row is written with the end of its run.

use rusqlite::{Transaction, params};

use super::Result;
use super::runs::RunRow;
use crate::server::owner::Owners;

/// An agent's callbacks that are still to be delivered.
#[derive(Debug, Default)]
pub(in crate::server) struct Collected {
    /// Those that are now this process's to deliver, by run.
    pub(in crate::server) ours: Vec<String>,
    /// Whether another living process is delivering one.
    pub(in crate::server) elsewhere: bool,
}

/// Notes that a run's callback is to be delivered, if it has one.
pub(super) fn add(tx: &Transaction<'_>, run: &RunRow, owner: Option<&str>) -> Result<()> {
    if run.callback_url.is_some() {
        tx.prepare_cached("INSERT OR IGNORE INTO outbox (run_id, owner) VALUES (?, ?)")?
            .execute(params![run.id, owner])?;
    }
    Ok(())
}

/// Takes over what nobody alive is delivering. `busy` are the runs whose delivery is under way here.
pub(in crate::server) fn collect(
    tx: &Transaction<'_>,
    agent: &str,
    owners: &Owners,
    busy: &[String],
) -> Result<Collected> {
    let sql = "SELECT run_id, outbox.owner FROM outbox JOIN runs ON runs.id = run_id WHERE agent_id = ? ORDER BY seq";
    let mut statement = tx.prepare_cached(sql)?;
    let rows = statement.query_map([agent], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut collected = Collected::default();
    for row in rows {
        let (run, owner): (String, Option<String>) = row?;
        if owner.as_deref().is_some_and(|owner| owner != owners.me() && owners.lives(owner)) {
            collected.elsewhere = true;
        } else if !busy.contains(&run) {
            tx.prepare_cached("UPDATE outbox SET owner = ? WHERE run_id = ?")?.execute(params![owners.me(), run])?;
            collected.ours.push(run);
        }
    }
    Ok(collected)
}

/// Records what became of a delivery, which is over with that.
pub(in crate::server) fn record(
    tx: &Transaction<'_>,
    run: &str,
    sent: i64,
    status: Option<u16>,
    error: Option<&str>,
) -> Result<()> {
    tx.prepare_cached("UPDATE runs SET callback_sent = ?, callback_status = ?, callback_error = ? WHERE id = ?")?
        .execute(params![sent, status, error, run])?;
    tx.prepare_cached("DELETE FROM outbox WHERE run_id = ?")?.execute([run])?;
    Ok(())
}
