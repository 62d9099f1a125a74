//! Idempotency keys: each is valid for a day, for one agent and one route.

use rusqlite::{OptionalExtension, Transaction, params};

use super::error::Result;
use crate::server::types::clock;

/// The lifetime of a key, in microseconds.
const KEPT: i64 = 24 * 3600 * 1_000_000;

/// The number of expired keys that are deleted with each new one.
const SWEPT: i64 = 8;

/// A key of a request.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The value of the header.
    pub text: String,
    /// The name of the route.
    pub route: &'static str,
    /// The SHA-256 of the request's body.
    pub body: [u8; 32],
}

/// The earlier use of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Used {
    /// The same request, which made this run.
    Same(String),
    /// Another request.
    Other,
}

/// Returns the earlier use of a key.
pub fn used(tx: &Transaction<'_>, agent: &str, key: &IdempotencyKey) -> Result<Option<Used>> {
    let sql = "SELECT body, run_id FROM idempotency WHERE agent_id = ? AND route = ? AND key = ? AND created > ?";
    let read = |row: &rusqlite::Row<'_>| {
        let body: Vec<u8> = row.get(0)?;
        Ok(if body == key.body { Used::Same(row.get(1)?) } else { Used::Other })
    };
    let values = params![agent, key.route, key.text, clock::now() - KEPT];
    Ok(tx.prepare_cached(sql)?.query_row(values, read).optional()?)
}

/// Stores a key, and deletes a few expired ones.
pub fn note(tx: &Transaction<'_>, agent: &str, key: &IdempotencyKey, run: &str) -> Result<()> {
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
