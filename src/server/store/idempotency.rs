//! Keys that make a request count once: within a day, for one agent and one route.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Result;
use crate::server::types::clock;

/// How long a key counts, in microseconds.
const KEPT: i64 = 24 * 3600 * 1_000_000;

/// How many keys that count no more go with each new one.
const SWEPT: i64 = 8;

/// A key, and what it was sent with.
#[derive(Clone, Debug)]
pub struct Key {
    /// What the client calls it.
    pub text: String,
    /// The route that it was sent to.
    pub route: &'static str,
    /// A digest of the request's body.
    pub body: [u8; 32],
}

/// What a key was used for before.
#[derive(Debug, PartialEq, Eq)]
pub enum Used {
    /// The same request, which made this run.
    Same(String),
    /// Another request.
    Other,
}

/// Looks whether a key was used.
pub fn used(tx: &Transaction<'_>, agent: &str, key: &Key) -> Result<Option<Used>> {
    let sql = "SELECT body, run_id FROM idempotency WHERE agent_id = ? AND route = ? AND key = ? AND created > ?";
    let read = |row: &rusqlite::Row<'_>| {
        let body: Vec<u8> = row.get(0)?;
        Ok(if body == key.body { Used::Same(row.get(1)?) } else { Used::Other })
    };
    let values = params![agent, key.route, key.text, clock::now() - KEPT];
    Ok(tx.prepare_cached(sql)?.query_row(values, read).optional()?)
}

/// Notes what a key was used for. A few that count no more are forgotten, so that they do not pile up.
pub fn note(tx: &Transaction<'_>, agent: &str, key: &Key, run: &str) -> Result<()> {
    let now = clock::now();
    tx.prepare_cached(
        "DELETE FROM idempotency WHERE (agent_id, route, key) IN
           (SELECT agent_id, route, key FROM idempotency WHERE created <= ? ORDER BY created LIMIT ?)",
    )?
    .execute(params![now - KEPT, SWEPT])?;
    tx.prepare_cached(
        "INSERT OR REPLACE INTO idempotency (agent_id, route, key, body, run_id, created) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![agent, key.route, key.text, key.body, run, now])?;
    Ok(())
}
