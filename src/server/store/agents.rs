//! Agents: creation, queries, changes, and deletion with their runs and messages.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Deserialize;

use super::error::Result;
use super::page::PageRequest;
use super::runs;
use super::sql::as_json;
use crate::model::AgentId;
use crate::server::types::agent::{AgentChanges, DEFAULT_MODEL, DEFAULT_SYSTEM, NewAgent};
use crate::server::types::clock;
use crate::server::types::order::SortOrder;

/// A stored agent.
#[derive(Clone, Debug)]
pub struct AgentRow {
    pub id: String,
    pub name: String,
    pub model: String,
    pub system: String,
    pub created: i64,
    pub updated: i64,
    pub settings: NewAgent,
    /// The stop reason of its last ended run, and when that ended.
    pub last_end: Option<(Option<String>, i64)>,
}

/// The last ended run is found with the index `runs_ended`, whose condition is repeated literally so that SQLite uses it.
const SELECT: &str =
    "SELECT agents.id, name, agents.model, system, agents.created, updated, settings, ended.stop_reason, ended.completed
    FROM agents LEFT JOIN runs AS ended ON ended.seq =
      (SELECT max(seq) FROM (
         SELECT max(seq) AS seq FROM runs
           WHERE agent = agents.seq AND status = 'completed' AND status NOT IN ('created', 'running') UNION ALL
         SELECT max(seq) FROM runs
           WHERE agent = agents.seq AND status = 'failed' AND status NOT IN ('created', 'running') UNION ALL
         SELECT max(seq) FROM runs
           WHERE agent = agents.seq AND status = 'cancelled' AND status NOT IN ('created', 'running')))";

/// The parts of an agent that its runs need.
#[derive(Debug)]
pub struct AgentProfile {
    /// The agent's number.
    pub seq: i64,
    /// The handle of its model.
    pub model: String,
    system: String,
    blocks: Vec<(String, String)>,
}

/// The part of an agent's settings that goes into the system prompt.
#[derive(Default, Deserialize)]
struct Memory {
    #[serde(default)]
    blocks: Vec<(String, String)>,
}

impl AgentProfile {
    /// Returns the system prompt, or `instead`, followed by the agent's memory in the format of the real server.
    pub fn system_prompt(&self, instead: Option<&String>) -> String {
        let system = instead.unwrap_or(&self.system);
        if self.blocks.is_empty() {
            return system.clone();
        }
        let blocks = self.blocks.iter().map(|(label, value)| format!("<{label}>\n{value}\n</{label}>\n"));
        format!("{system}\n\n<memory_blocks>\n{}</memory_blocks>", blocks.collect::<String>())
    }
}

impl AgentRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let settings: String = row.get("settings")?;
        let completed: Option<i64> = row.get("completed")?;
        let reason = row.get("stop_reason")?;
        Ok(Self {
            id: row.get("id")?,
            name: row.get("name")?,
            model: row.get("model")?,
            system: row.get("system")?,
            created: row.get("created")?,
            updated: row.get("updated")?,
            settings: serde_json::from_str(&settings).unwrap_or_default(),
            last_end: completed.map(|time| (reason, time)),
        })
    }

    /// Whether it passes every filter of a page.
    fn passes(&self, page: &PageRequest) -> bool {
        let query = page.query_text.as_deref().map(str::to_lowercase);
        page.name.as_deref().is_none_or(|name| name == self.name)
            && query.is_none_or(|query| self.name.to_lowercase().contains(&query))
            && self.has_tags(page)
    }

    fn has_tags(&self, page: &PageRequest) -> bool {
        let mut tags = page.tags.iter().map(|tag| self.settings.tags.contains(tag));
        if page.all_tags { tags.all(|has| has) } else { page.tags.is_empty() || tags.any(|has| has) }
    }
}

/// Creates an agent.
pub fn create(
    tx: &Transaction<'_>,
    id: &str,
    name: &str,
    model: &str,
    system: &str,
    settings: &NewAgent,
) -> Result<Option<AgentRow>> {
    tx.prepare_cached(
        "INSERT INTO agents (id, name, model, system, created, updated, settings) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
    )?
    .execute(params![id, name, model, system, clock::now(), as_json(settings)])?;
    get(tx, id)
}

/// Changes an agent and returns it; `None` if there is no such agent.
pub fn change(tx: &Transaction<'_>, id: &str, changes: &AgentChanges) -> Result<Option<AgentRow>> {
    let Some(mut agent) = get(tx, id)? else { return Ok(None) };
    changes.apply(&mut agent.settings);
    tx.prepare_cached(
        "UPDATE agents SET name = coalesce(?, name), model = coalesce(?, model), system = coalesce(?, system),
           updated = ?, settings = ? WHERE id = ?",
    )?
    .execute(params![changes.name, changes.model, changes.system, clock::now(), as_json(&agent.settings), id])?;
    get(tx, id)
}

/// Finds an agent.
pub fn get(tx: &Transaction<'_>, id: &str) -> Result<Option<AgentRow>> {
    let sql = format!("{SELECT} WHERE agents.id = ?");
    Ok(tx.prepare_cached(&sql)?.query_row([id], AgentRow::read).optional()?)
}

/// Finds the parts of an agent that its runs need.
pub fn profile(tx: &Transaction<'_>, id: &str) -> Result<Option<AgentProfile>> {
    let sql = "SELECT model, system, settings, seq FROM agents WHERE id = ?";
    let read = |row: &Row<'_>| {
        let memory: Memory = serde_json::from_str(row.get_ref(2)?.as_str()?).unwrap_or_default();
        Ok(AgentProfile { seq: row.get(3)?, model: row.get(0)?, system: row.get(1)?, blocks: memory.blocks })
    };
    Ok(tx.prepare_cached(sql)?.query_row([id], read).optional()?)
}

/// Returns the id of the oldest agent with a name; creates one with the default model if there is none.
pub fn oldest_or_new(tx: &Transaction<'_>, name: &str) -> Result<String> {
    let sql = "SELECT id FROM agents WHERE name = ? ORDER BY seq LIMIT 1";
    if let Some(id) = tx.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()? {
        return Ok(id);
    }
    let id = AgentId::random();
    let new = NewAgent { name: Some(name.to_owned()), ..NewAgent::default() };
    create(tx, id.as_str(), name, DEFAULT_MODEL, DEFAULT_SYSTEM, &new)?;
    Ok(id.as_str().to_owned())
}

/// Whether there is such an agent.
pub fn exists(tx: &Transaction<'_>, id: &str) -> Result<bool> {
    Ok(tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM agents WHERE id = ?)")?.query_row([id], |row| row.get(0))?)
}

/// Lists a page of agents. An unknown cursor is ignored.
pub fn list(tx: &Transaction<'_>, page: &PageRequest) -> Result<Vec<AgentRow>> {
    let (cursor, tail) = page.bounds(tx, "agents", "agents.seq")?;
    // Not cached: the numbers in it differ each time.
    let mut statement = tx.prepare(&format!("{SELECT} WHERE {cursor} {tail}"))?;
    let rows = statement.query_map([], AgentRow::read)?;
    let passing = rows.filter(|row| row.as_ref().map_or(true, |row| row.passes(page)));
    let mut found = passing.take(page.limit()).collect::<rusqlite::Result<Vec<_>>>()?;
    if page.backwards() {
        found.reverse();
    }
    Ok(found)
}

/// Returns the number of agents.
pub fn count(tx: &Transaction<'_>) -> Result<i64> {
    Ok(tx.prepare_cached("SELECT count(*) FROM agents")?.query_row([], |row| row.get(0))?)
}

/// Deletes an agent with its runs and messages. Returns its open runs, or `None` if there is no such agent.
pub fn delete(tx: &Transaction<'_>, id: &str) -> Result<Option<Vec<String>>> {
    let open = runs::open_of(tx, id, SortOrder::Ascending)?;
    let gone = tx.prepare_cached("DELETE FROM agents WHERE id = ?")?.execute([id])?;
    Ok((gone > 0).then_some(open))
}
