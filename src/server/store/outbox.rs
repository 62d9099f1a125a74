//! The outbox: callbacks to deliver. A row is added with the end of its run, and deleted with the last attempt.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Result;
use super::owner::Owners;
use super::runs::RunRow;
use crate::server::types::clock;

/// The number of callbacks of one agent in delivery at once.
pub const MOST_AT_ONCE: usize = 16;

/// An agent's callbacks that are due.
#[derive(Debug, Default)]
pub struct Collected {
    /// The runs whose callbacks this process delivers now.
    pub to_deliver: Vec<String>,
    /// Whether another living process is delivering one.
    pub elsewhere: bool,
}

/// The outcome of an attempt.
#[derive(Debug)]
pub struct Attempt {
    /// When it began, in microseconds since 1970.
    pub sent: i64,
    /// The status of the response.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<String>,
    /// When the next attempt is due, if there is one.
    pub again: Option<i64>,
}

/// Adds a run's callback, if it has one.
pub fn add(tx: &Transaction<'_>, run: &RunRow, owner: Option<&str>) -> Result<()> {
    if run.callback_url.is_some() {
        tx.prepare_cached("INSERT OR IGNORE INTO outbox (run_id, agent_id, owner, due) VALUES (?, ?, ?, ?)")?
            .execute(params![run.id, run.agent_id, owner, clock::now()])?;
    }
    Ok(())
}

/// Takes over the callbacks that are due and that no living process delivers. `busy` lists the runs in delivery here.
pub fn collect(tx: &Transaction<'_>, agent: &str, owners: &Owners, busy: &[String]) -> Result<Collected> {
    let sql = "SELECT run_id, owner FROM outbox WHERE agent_id = ? AND due <= ? ORDER BY due";
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(params![agent, clock::now()])?;
    let mut collected = Collected::default();
    while let Some(row) = rows.next()?
        && busy.len() + collected.to_deliver.len() < MOST_AT_ONCE
    {
        let run: String = row.get(0)?;
        let owner: Option<String> = row.get(1)?;
        if owner.as_deref().is_some_and(|owner| owner != owners.me() && owners.is_alive(owner)) {
            collected.elsewhere = true;
        } else if !busy.contains(&run) {
            collected.to_deliver.push(run);
        }
    }
    for run in &collected.to_deliver {
        let sql = "UPDATE outbox SET owner = ?1 WHERE run_id = ?2 AND owner IS NOT ?1";
        tx.prepare_cached(sql)?.execute(params![owners.me(), run])?;
    }
    Ok(collected)
}

/// Returns the number of attempts made for a run's callback; `None` once it is no longer in the outbox.
pub fn attempts(tx: &Transaction<'_>, run: &str) -> Result<Option<u32>> {
    let sql = "SELECT attempts FROM outbox WHERE run_id = ?";
    Ok(tx.prepare_cached(sql)?.query_row([run], |row| row.get(0)).optional()?)
}

/// Records an attempt, and when the next one is due.
pub fn record(tx: &Transaction<'_>, run: &str, attempt: &Attempt) -> Result<()> {
    tx.prepare_cached("UPDATE runs SET callback_sent = ?, callback_status = ?, callback_error = ? WHERE id = ?")?
        .execute(params![attempt.sent, attempt.status, attempt.error, run])?;
    match attempt.again {
        Some(due) => tx
            .prepare_cached("UPDATE outbox SET attempts = attempts + 1, due = ? WHERE run_id = ?")?
            .execute(params![due, run])?,
        None => tx.prepare_cached("DELETE FROM outbox WHERE run_id = ?")?.execute([run])?,
    };
    Ok(())
}

/// Returns when the next callback becomes due, in microseconds since 1970.
pub fn next_due(tx: &Transaction<'_>) -> Result<Option<i64>> {
    let sql = "SELECT min(due) FROM outbox WHERE due > ?";
    Ok(tx.prepare_cached(sql)?.query_row([clock::now()], |row| row.get(0))?)
}

/// Returns the agents with a callback that is due, and its owner.
pub fn agents_due(tx: &Transaction<'_>) -> Result<Vec<(String, Option<String>)>> {
    let mut statement = tx.prepare_cached("SELECT DISTINCT agent_id, owner FROM outbox WHERE due <= ?")?;
    let rows = statement.query_map([clock::now()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
