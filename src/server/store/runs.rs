//! Runs: the stored row, queries by id and by agent, deletion.

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::error::Result;
use super::sql::OF_AGENT;
use crate::model::RunStatus;
use crate::server::types::order::SortOrder;
use crate::server::types::request::{MessageCount, RequestConfig, SendRequest};
use crate::server::types::run_error::RunError;
use crate::server::types::run_kind::RunKind;

/// A run as it is stored.
#[derive(Clone, Debug)]
pub struct RunRow {
    pub seq: i64,
    pub id: String,
    pub agent_id: String,
    /// The `seq` of the agent.
    pub agent: i64,
    pub kind: RunKind,
    pub status: RunStatus,
    pub stop_reason: Option<String>,
    pub error: Option<RunError>,
    pub created: i64,
    pub completed: Option<i64>,
    /// The handle of the model: the one that the request names, else the agent's.
    pub model: String,
    /// The stored part of the request: a [`StoredConfig`](crate::server::types::request::StoredConfig), as JSON.
    pub config: String,
    pub callback_url: Option<String>,
    pub callback_sent: Option<i64>,
    pub callback_status: Option<i64>,
    pub callback_error: Option<String>,
    pub ttft_ns: Option<i64>,
    pub duration_ns: Option<i64>,
}

/// The columns of a run, in the order that [`RunRow::read`] expects.
pub const COLUMNS: &str = "seq, id, (SELECT agents.id FROM agents WHERE agents.seq = agent), kind, status,
    stop_reason, error, created, completed, model, config, callback_url, callback_sent, callback_status, callback_error,
    ttft_ns, duration_ns, agent";

impl RunRow {
    /// Reads a row that begins with [`COLUMNS`]. Columns are read by index: finding one by name compares it with all names,
    /// and runs are read often.
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            agent_id: row.get(2)?,
            kind: RunKind::from_word(row.get_ref(3)?.as_str()?),
            status: RunStatus::from(row.get_ref(4)?.as_str()?),
            stop_reason: row.get(5)?,
            error: row.get_ref(6)?.as_str_or_null()?.map(run_error).transpose()?,
            created: row.get(7)?,
            completed: row.get(8)?,
            model: row.get(9)?,
            config: row.get(10)?,
            callback_url: row.get(11)?,
            callback_sent: row.get(12)?,
            callback_status: row.get(13)?,
            callback_error: row.get(14)?,
            ttft_ns: row.get(15)?,
            duration_ns: row.get(16)?,
            agent: row.get(17)?,
        })
    }

    /// Returns the run as it was when it was accepted.
    pub fn when_accepted(self) -> Self {
        Self {
            status: RunStatus::Created,
            stop_reason: None,
            error: None,
            completed: None,
            ttft_ns: None,
            duration_ns: None,
            callback_sent: None,
            callback_status: None,
            callback_error: None,
            ..self
        }
    }

    /// Returns the part of the request that the run shows; `None` only if another program wrote the row.
    pub fn request_config(&self) -> Option<RequestConfig> {
        serde_json::from_str(&self.config).ok()
    }

    /// Returns the message types that the request asked for; an empty list means all types.
    pub fn wanted_types(&self) -> Vec<String> {
        self.request_config().and_then(|config| config.include_return_message_types).unwrap_or_default()
    }

    /// Returns the number of messages in the request.
    pub fn sent(&self) -> usize {
        serde_json::from_str(&self.config).map_or(0, |MessageCount { sent }| sent)
    }
}

/// Parses the stored error of a run.
fn run_error(text: &str) -> rusqlite::Result<RunError> {
    serde_json::from_str(text).map_err(|error| FromSqlError::Other(error.into()).into())
}

/// Returns a run by its id.
pub fn get(connection: &Connection, id: &str) -> Result<Option<RunRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?"))?
        .query_row([id], RunRow::read)
        .optional()?)
}

/// Returns the request of an open run; `None` only if another program wrote the row.
pub fn request(tx: &Transaction<'_>, run: &RunRow) -> Result<Option<SendRequest>> {
    let sql = "SELECT body FROM requests WHERE run_seq = ?";
    let read = |row: &Row<'_>| Ok(serde_json::from_str(row.get_ref(0)?.as_str()?).ok());
    Ok(tx.prepare_cached(sql)?.query_row([run.seq], read).optional()?.flatten())
}

/// Returns the ids of an agent's open runs.
pub fn open_of(tx: &Transaction<'_>, agent: &str, order: SortOrder) -> Result<Vec<String>> {
    let word = if order == SortOrder::Ascending { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT id FROM runs WHERE agent = {OF_AGENT} AND status IN ('created', 'running') ORDER BY seq {word}"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let ids = statement.query_map([agent], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Returns whether no work is left for a run: it was deleted, or it has ended and its callback was attempted.
pub fn settled(tx: &Transaction<'_>, id: &str) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND status IN ('created', 'running'))
                  AND NOT EXISTS (SELECT 1 FROM outbox WHERE run_id = ?1 AND attempts = 0)";
    Ok(tx.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Deletes a run and returns it. Its messages stay in the agent's history.
pub fn delete(tx: &Transaction<'_>, id: &str) -> Result<Option<RunRow>> {
    let run = get(tx, id)?;
    tx.prepare_cached("DELETE FROM runs WHERE id = ?")?.execute([id])?;
    Ok(run)
}
