//! Runs: accepted, found, cancelled, deleted.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::agents::{self, Character, OF_AGENT};
use super::claims::{self, Claim};
use super::idempotency::{self, Key, Used};
use super::messages::{self, NewMessage};
use super::{Result, approvals, outbox};
use crate::model::RunStatus;
use crate::server::types::order::Order;
use crate::server::types::request::{Kind, RequestConfig, SendRequest, Sent};
use crate::server::types::{clock, ids};

/// A run as it is stored.
#[derive(Clone, Debug)]
pub struct RunRow {
    pub seq: i64,
    pub id: String,
    pub agent_id: String,
    /// The agent's number.
    pub agent: i64,
    pub kind: Kind,
    pub status: RunStatus,
    pub stop_reason: Option<String>,
    pub error: Option<String>,
    pub created: i64,
    pub completed: Option<i64>,
    /// The handle of the model that answers: the one that the request asks for, else the agent's.
    pub model: String,
    /// What stays of its request; see [`Kept`](crate::server::types::request::Kept).
    kept: String,
    pub callback_url: Option<String>,
    pub callback_sent: Option<i64>,
    pub callback_status: Option<i64>,
    pub callback_error: Option<String>,
    pub ttft_ns: Option<i64>,
    pub duration_ns: Option<i64>,
}

/// The columns of a run, in the order in which [`RunRow::read`] takes them.
pub const COLUMNS: &str = "seq, id, (SELECT agents.id FROM agents WHERE agents.seq = agent), kind, status,
    stop_reason, error, created, completed, model, kept, callback_url, callback_sent, callback_status, callback_error,
    ttft_ns, duration_ns, agent";

/// What a cancel request found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// No such run.
    Unknown,
    /// It had ended; nothing changed.
    Before,
    /// It is cancelled now.
    Now,
}

impl RunRow {
    /// Reads a row that begins with [`COLUMNS`]. By their places, since runs are read all the time, and a name is looked
    /// for among all columns.
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            id: row.get(1)?,
            agent_id: row.get(2)?,
            kind: Kind::from_word(row.get_ref(3)?.as_str()?),
            status: RunStatus::from(row.get_ref(4)?.as_str()?),
            stop_reason: row.get(5)?,
            error: row.get(6)?,
            created: row.get(7)?,
            completed: row.get(8)?,
            model: row.get(9)?,
            kept: row.get(10)?,
            callback_url: row.get(11)?,
            callback_sent: row.get(12)?,
            callback_status: row.get(13)?,
            callback_error: row.get(14)?,
            ttft_ns: row.get(15)?,
            duration_ns: row.get(16)?,
            agent: row.get(17)?,
        })
    }

    /// The run as it was when it was accepted.
    pub fn when_accepted(self) -> Self {
        let status = RunStatus::Created;
        let (stop_reason, error, completed, ttft_ns, duration_ns) = (None, None, None, None, None);
        let (callback_sent, callback_status, callback_error) = (None, None, None);
        Self {
            status,
            stop_reason,
            error,
            completed,
            ttft_ns,
            duration_ns,
            callback_sent,
            callback_status,
            callback_error,
            ..self
        }
    }

    /// What the run shows of its request; none only if the row was written by something else.
    pub fn request_config(&self) -> Option<RequestConfig> {
        serde_json::from_str(&self.kept).ok()
    }

    /// The types of messages that its sender asked for; all, if there are none.
    pub fn wanted_types(&self) -> Vec<String> {
        self.request_config().and_then(|config| config.include_return_message_types).unwrap_or_default()
    }

    /// How many messages were sent.
    pub fn sent(&self) -> usize {
        serde_json::from_str(&self.kept).map_or(0, |Sent { sent }| sent)
    }
}

/// Text for a column that holds JSON. The types stored here have text keys only, so it cannot fail.
pub fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("keys are text")
}

/// What became of a request.
#[derive(Debug)]
pub enum Accepted {
    /// It is stored, as this run; with its claim, if it was begun with.
    Now(Box<RunRow>, Option<Box<Claim>>),
    /// It was stored before, as the run with this id.
    Before(String),
    /// Its key belongs to another request.
    OtherBody,
    /// So many runs are open that no more are taken in.
    Full,
    /// There is no such agent.
    NoAgent,
}

/// A request as it is stored. It is put into words beforehand: what a write takes, all who wait for it take.
#[derive(Debug)]
pub struct Written {
    request: Arc<SendRequest>,
    kept: String,
    body: String,
    messages: Vec<NewMessage>,
}

impl Written {
    pub fn new(request: SendRequest) -> Self {
        let messages = request.messages().map(NewMessage::input).collect();
        Self { kept: as_json(&request.kept()), body: as_json(&request), messages, request: Arc::new(request) }
    }
}

/// How many runs may be open at once.
const MOST_OPEN: i64 = 100_000;

/// Who takes a request in.
#[derive(Clone, Copy, Debug)]
pub enum Taker<'a> {
    /// A process that executes no runs: they are anybody's.
    Clerk,
    /// A process that executes runs. It reserves this one, so that no other takes it while that process lives.
    Owner(&'a str),
    /// The same, where nobody works for the agent yet: if nothing else waits, the run is begun in the same breath.
    Worker(&'a str),
}

/// Accepts a request: the run and its messages, once for each key.
pub fn accept(
    tx: &Transaction<'_>,
    agent: &str,
    written: &Written,
    taker: Taker<'_>,
    key: Option<&Key>,
) -> Result<Accepted> {
    let Some(character) = agents::character(tx, agent)? else { return Ok(Accepted::NoAgent) };
    match key.map(|key| idempotency::used(tx, agent, key)).transpose()?.flatten() {
        Some(Used::Same(run)) => return Ok(Accepted::Before(run)),
        Some(Used::Other) => return Ok(Accepted::OtherBody),
        None => {}
    }
    if !count(tx)? {
        return Ok(Accepted::Full);
    }
    let taker = taker.at(tx, character.seq)?;
    let run = insert(tx, (agent, &character), written, taker)?;
    if let Some(key) = key {
        idempotency::note(tx, agent, key, &run.id)?;
    }
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-insert");
    let claim = match taker {
        Taker::Worker(me) => Some(Box::new(claims::begin(tx, &run, Arc::clone(&written.request), character, me)?)),
        Taker::Owner(_) | Taker::Clerk => None,
    };
    Ok(Accepted::Now(Box::new(run), claim))
}

impl<'a> Taker<'a> {
    /// Who it is to an agent: one with runs that wait is not begun with at once.
    fn at(self, tx: &Transaction<'_>, agent: i64) -> Result<Self> {
        Ok(match self {
            Self::Worker(me) if !is_idle(tx, agent)? => Self::Owner(me),
            other => other,
        })
    }

    fn owner(self) -> Option<&'a str> {
        match self {
            Self::Clerk => None,
            Self::Owner(me) | Self::Worker(me) => Some(me),
        }
    }

    /// How a run begins: its status, and how often it was claimed.
    fn beginning(self) -> (RunStatus, i64) {
        match self {
            Self::Clerk | Self::Owner(_) => (RunStatus::Created, 0),
            Self::Worker(_) => (RunStatus::Running, claims::FIRST),
        }
    }
}

/// Whether an agent has no open run.
fn is_idle(tx: &Transaction<'_>, agent: i64) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM runs WHERE agent = ? AND status IN ('created', 'running'))";
    Ok(tx.prepare_cached(sql)?.query_row([agent], |row| row.get(0))?)
}

/// Counts one more open run, unless there are as many as may be. Whoever ends one, the database counts that itself.
fn count(tx: &Transaction<'_>) -> Result<bool> {
    Ok(tx.prepare_cached("UPDATE gauge SET open = open + 1 WHERE open < ?")?.execute([MOST_OPEN])? > 0)
}

fn insert(
    tx: &Transaction<'_>,
    (agent, character): (&str, &Character),
    written: &Written,
    taker: Taker<'_>,
) -> Result<RunRow> {
    let request = &written.request;
    let (now, (status, attempt)) = (clock::now(), taker.beginning());
    let run = RunRow {
        seq: 0,
        id: format!("run-{}", ids::uuid()),
        agent_id: agent.to_owned(),
        agent: character.seq,
        kind: request.kind,
        status,
        stop_reason: None,
        error: None,
        created: now,
        completed: None,
        model: request.override_model.as_deref().unwrap_or(&character.model).to_owned(),
        kept: written.kept.clone(),
        callback_url: request.callback_url.clone(),
        callback_sent: None,
        callback_status: None,
        callback_error: None,
        ttft_ns: None,
        duration_ns: None,
    };
    tx.prepare_cached(
        "INSERT INTO runs
           (id, agent, kind, status, created, model, kept, callback_url, owner, lease_until, attempt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        run.id,
        run.agent,
        run.kind.as_str(),
        run.status.as_str(),
        run.created,
        run.model,
        run.kept,
        run.callback_url,
        taker.owner(),
        taker.owner().map(|_| now + claims::LEASE),
        attempt
    ])?;
    let run = RunRow { seq: tx.last_insert_rowid(), ..run };
    tx.prepare_cached("INSERT INTO requests (run_seq, body) VALUES (?, ?)")?.execute(params![run.seq, written.body])?;
    for message in &written.messages {
        messages::insert(tx, &run, None, message)?;
    }
    Ok(run)
}

/// Finds a run.
pub fn get(connection: &Connection, id: &str) -> Result<Option<RunRow>> {
    Ok(connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM runs WHERE id = ?"))?
        .query_row([id], RunRow::read)
        .optional()?)
}

/// The request of a run that is open; none only if the row was written by something else.
pub fn request(tx: &Transaction<'_>, run: &RunRow) -> Result<Option<SendRequest>> {
    let sql = "SELECT body FROM requests WHERE run_seq = ?";
    let read = |row: &Row<'_>| Ok(serde_json::from_str(row.get_ref(0)?.as_str()?).ok());
    Ok(tx.prepare_cached(sql)?.query_row([run.seq], read).optional()?.flatten())
}

/// The ids of an agent's runs that have not ended.
pub fn open_of(tx: &Transaction<'_>, agent: &str, order: Order) -> Result<Vec<String>> {
    let word = if order == Order::Ascending { "ASC" } else { "DESC" };
    let sql = format!(
        "SELECT id FROM runs WHERE agent = {OF_AGENT} AND status IN ('created', 'running') ORDER BY seq {word}"
    );
    let mut statement = tx.prepare_cached(&sql)?;
    let ids = statement.query_map([agent], |row| row.get(0))?;
    Ok(ids.collect::<rusqlite::Result<_>>()?)
}

/// Whether nothing is left to be done for a run: it ended and its callback was attempted, or it is not there.
pub fn settled(tx: &Transaction<'_>, id: &str) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND status IN ('created', 'running'))
                  AND NOT EXISTS (SELECT 1 FROM outbox WHERE run_id = ?1 AND attempts = 0)";
    Ok(tx.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

/// Cancels a run, at once. One that waits for a decision is denied it. With `for_good` it also is taken from whoever
/// works on it; otherwise the step that is under way may still end it otherwise.
pub fn cancel(tx: &Transaction<'_>, id: &str, duration_ns: Option<i64>, for_good: bool) -> Result<Cancelled> {
    let Some(run) = get(tx, id)? else { return Ok(Cancelled::Unknown) };
    let waits = approvals::of_run(tx, id)?;
    if run.status.is_terminal() && waits.is_none() {
        return Ok(Cancelled::Before);
    }
    let now = clock::now();
    tx.prepare_cached(
        "UPDATE runs SET status = 'cancelled', stop_reason = 'cancelled', owner = iif(?4, NULL, owner),
           lease_until = NULL, completed = coalesce(completed, ?2), duration_ns = coalesce(duration_ns, ?3)
         WHERE id = ?1",
    )?
    .execute(params![id, now, duration_ns.unwrap_or((now - run.created).max(0) * 1000), for_good])?;
    match waits {
        Some(waits) => approvals::deny(tx, &run, &waits, "the run was cancelled")?,
        None => outbox::add(tx, &run, None)?,
    }
    Ok(Cancelled::Now)
}

/// Deletes a run. Its messages stay in the agent's history.
pub fn delete(tx: &Transaction<'_>, id: &str) -> Result<Option<RunRow>> {
    let run = get(tx, id)?;
    tx.prepare_cached("DELETE FROM runs WHERE id = ?")?.execute([id])?;
    Ok(run)
}
