//! Accepts requests: stores a run with its messages, once for each idempotency key.

use std::sync::Arc;

use rusqlite::{Transaction, params};

use super::agents::{self, AgentProfile};
use super::claims;
use super::error::Result;
use super::fence::Claim;
use super::idempotency::{self, IdempotencyKey, Used};
use super::messages;
use super::new_message::NewMessage;
use super::runs::RunRow;
use super::sql::as_json;
use crate::model::RunStatus;
use crate::server::types::request::SendRequest;
use crate::server::types::{clock, ids};

/// The result of accepting a request.
#[derive(Debug)]
pub enum Accepted {
    /// It is stored as this run; with a claim, if the run was started.
    Now(Box<RunRow>, Option<Box<Claim>>),
    /// It was accepted before, as the run with this id.
    Before(String),
    /// Its idempotency key was used for another body.
    OtherBody,
    /// Too many runs are open.
    Full,
    /// There is no such agent.
    NoAgent,
}

/// A request, serialized for the write. It is serialized beforehand, since all writes of a batch wait for each other.
#[derive(Debug)]
pub struct Written {
    request: Arc<SendRequest>,
    config: String,
    body: String,
    messages: Vec<NewMessage>,
}

impl Written {
    pub fn new(request: SendRequest) -> Self {
        let messages = request.messages().map(NewMessage::input).collect();
        Self {
            config: as_json(&request.stored_config()),
            body: as_json(&request),
            messages,
            request: Arc::new(request),
        }
    }
}

/// The largest number of open runs.
const MOST_OPEN: i64 = 100_000;

/// The role of the process that accepts a request.
#[derive(Clone, Copy, Debug)]
pub enum Acceptor<'a> {
    /// It executes no runs, so it takes no lease.
    Unclaimed,
    /// It executes runs, and takes the lease on this one.
    Owner(&'a str),
    /// The agent has no worker yet: if the agent has no open run, this one is started in the same transaction.
    Worker(&'a str),
}

/// Accepts a request: stores its run and its messages, once for each idempotency key.
pub fn accept(
    tx: &Transaction<'_>,
    agent: &str,
    written: &Written,
    acceptor: Acceptor<'_>,
    key: Option<&IdempotencyKey>,
) -> Result<Accepted> {
    let Some(profile) = agents::profile(tx, agent)? else { return Ok(Accepted::NoAgent) };
    match key.map(|key| idempotency::used(tx, agent, key)).transpose()?.flatten() {
        Some(Used::Same(run)) => return Ok(Accepted::Before(run)),
        Some(Used::Other) => return Ok(Accepted::OtherBody),
        None => {}
    }
    if !count(tx)? {
        return Ok(Accepted::Full);
    }
    let acceptor = acceptor.at(tx, profile.seq)?;
    let run = insert(tx, (agent, &profile), written, acceptor)?;
    if let Some(key) = key {
        idempotency::note(tx, agent, key, &run.id)?;
    }
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-insert");
    let claim = match acceptor {
        Acceptor::Worker(me) => Some(Box::new(claims::claim_new(tx, &run, Arc::clone(&written.request), profile, me)?)),
        Acceptor::Owner(_) | Acceptor::Unclaimed => None,
    };
    Ok(Accepted::Now(Box::new(run), claim))
}

impl<'a> Acceptor<'a> {
    /// Downgrades `Worker` to `Owner` if the agent has open runs.
    fn at(self, tx: &Transaction<'_>, agent: i64) -> Result<Self> {
        Ok(match self {
            Self::Worker(me) if !is_idle(tx, agent)? => Self::Owner(me),
            other => other,
        })
    }

    fn owner(self) -> Option<&'a str> {
        match self {
            Self::Unclaimed => None,
            Self::Owner(me) | Self::Worker(me) => Some(me),
        }
    }

    /// Returns the initial status of a run, and its number of claims.
    fn beginning(self) -> (RunStatus, i64) {
        match self {
            Self::Unclaimed | Self::Owner(_) => (RunStatus::Created, 0),
            Self::Worker(_) => (RunStatus::Running, claims::FIRST),
        }
    }
}

/// Whether an agent has no open run.
fn is_idle(tx: &Transaction<'_>, agent: i64) -> Result<bool> {
    let sql = "SELECT NOT EXISTS (SELECT 1 FROM runs WHERE agent = ? AND status IN ('created', 'running'))";
    Ok(tx.prepare_cached(sql)?.query_row([agent], |row| row.get(0))?)
}

/// Increments the number of open runs; `false` at the limit. Triggers decrement it.
fn count(tx: &Transaction<'_>) -> Result<bool> {
    Ok(tx.prepare_cached("UPDATE gauge SET open = open + 1 WHERE open < ?")?.execute([MOST_OPEN])? > 0)
}

fn insert(
    tx: &Transaction<'_>,
    (agent, profile): (&str, &AgentProfile),
    written: &Written,
    acceptor: Acceptor<'_>,
) -> Result<RunRow> {
    let request = &written.request;
    let now = clock::now();
    let (status, attempt) = acceptor.beginning();
    let run = RunRow {
        seq: 0,
        id: format!("run-{}", ids::uuid()),
        agent_id: agent.to_owned(),
        agent: profile.seq,
        kind: request.kind,
        status,
        stop_reason: None,
        error: None,
        created: now,
        completed: None,
        model: request.override_model.as_deref().unwrap_or(&profile.model).to_owned(),
        config: written.config.clone(),
        callback_url: request.callback_url.clone(),
        callback_sent: None,
        callback_status: None,
        callback_error: None,
        ttft_ns: None,
        duration_ns: None,
    };
    tx.prepare_cached(
        "INSERT INTO runs
           (id, agent, kind, status, created, model, config, callback_url, owner, lease_until, attempt)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        run.id,
        run.agent,
        run.kind.as_str(),
        run.status.as_str(),
        run.created,
        run.model,
        run.config,
        run.callback_url,
        acceptor.owner(),
        acceptor.owner().map(|_| now + claims::LEASE),
        attempt
    ])?;
    let run = RunRow { seq: tx.last_insert_rowid(), ..run };
    tx.prepare_cached("INSERT INTO requests (run_seq, body) VALUES (?, ?)")?.execute(params![run.seq, written.body])?;
    for message in &written.messages {
        messages::insert(tx, &run, None, message)?;
    }
    Ok(run)
}
