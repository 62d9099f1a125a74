//! Messages: input, replies, tool calls and returns, approvals and decisions. One row is one item of a list.

use rusqlite::{OptionalExtension, Transaction, params, params_from_iter};

use super::error::Result;
use super::fence::Claim;
use super::message_refs::MessageRef;
use super::message_row::COLUMNS;
use super::new_message::NewMessage;
use super::page::PageRequest;
use super::runs::RunRow;
use super::sql::OF_AGENT;
use crate::server::types::clock;
use crate::server::types::message::MessageRow;
use crate::server::types::order::SortOrder;

/// The condition for the messages of a run, by its id. A deleted run has none.
const OF_RUN: &str = "(agent, run_seq) = (SELECT agent, seq FROM runs WHERE runs.id = ?)";

/// Returns a message by its id.
pub fn get(tx: &Transaction<'_>, id: &str) -> Result<Option<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS}, own FROM messages WHERE id = ?"))?;
    Ok(statement.query_row([id], MessageRow::read).optional()?)
}

/// Whether a tool call was answered in the agent's last 1000 messages. The limit bounds the query: a client that sends an
/// answer again does so soon after the first time.
const ANSWERED: &str = "SELECT EXISTS (SELECT 1 FROM (SELECT message_type, own FROM messages
      WHERE agent = (SELECT seq FROM agents WHERE agents.id = ?) ORDER BY run_seq DESC, seq DESC LIMIT 1000)
    WHERE message_type = 'tool_return_message' AND own ->> '$.tool_call_id' = ?)";

/// Returns whether a tool call was answered in the agent's last 1000 messages.
pub fn is_answered(tx: &Transaction<'_>, agent: &str, call_id: &str) -> Result<bool> {
    Ok(tx.prepare_cached(ANSWERED)?.query_row([agent, call_id], |row| row.get(0))?)
}

/// Stores a message of a run.
pub fn insert(tx: &Transaction<'_>, run: &RunRow, step: Option<&str>, message: &NewMessage) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO messages (id, agent, run_seq, step_id, date, message_type, name, otid, sender_id, own)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        message.id(),
        run.agent,
        run.seq,
        step,
        clock::now(),
        message.message_type,
        message.name,
        message.otid,
        message.sender_id,
        message.text()
    ])?;
    Ok(())
}

/// The agent or run whose messages are listed.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    Agent(&'a str),
    Run(&'a str),
}

impl Scope<'_> {
    /// Returns the order of a list, which is that of its index, so that no more than a page is read.
    fn order(self, word: &str) -> String {
        match self {
            Self::Agent(_) => format!("run_seq {word}, seq {word}"),
            // All messages of a run have the same `run_seq`.
            Self::Run(_) => format!("seq {word}"),
        }
    }
}

/// The messages to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct MessageFilter<'a> {
    /// The message types to list; empty lists all types.
    pub types: &'a [String],
    /// Lists only decisions and messages that belong to a step.
    pub of_steps: bool,
    /// Whether `after` means newer and `before` means older in both orders.
    pub by_time: bool,
}

/// Returns a page of messages, in the order of their runs. The inner error is the id of an unknown cursor.
pub fn list(
    tx: &Transaction<'_>,
    of: Scope<'_>,
    filter: MessageFilter<'_>,
    page: &PageRequest,
) -> Result<std::result::Result<Vec<MessageRef>, String>> {
    let (mut condition, id) = match of {
        Scope::Agent(id) => (format!("agent = {OF_AGENT}"), id),
        Scope::Run(id) => (OF_RUN.to_owned(), id),
    };
    let ascending = page.order == SortOrder::Ascending;
    for (cursor, forward) in [(&page.after, true), (&page.before, false)] {
        let Some(cursor) = cursor else { continue };
        let Some((run, seq)) = position(tx, cursor)? else { return Ok(Err(cursor.clone())) };
        let sign = if forward == (ascending || filter.by_time) { '>' } else { '<' };
        condition.push_str(&format!(" AND (run_seq, seq) {sign} ({run}, {seq})"));
    }
    let types = filter.types;
    if filter.of_steps {
        condition.push_str(" AND (step_id IS NOT NULL OR message_type = 'approval_response_message')");
    }
    if !types.is_empty() {
        condition.push_str(&format!(" AND message_type IN ({})", vec!["?"; types.len()].join(", ")));
    }
    let against = page.backwards() && !filter.by_time;
    let word = if ascending != against { "ASC" } else { "DESC" };
    let order = of.order(word);
    let limit = page.limit;
    let columns = MessageRef::COLUMNS;
    let sql = format!("SELECT {columns} FROM messages WHERE {condition} ORDER BY {order} LIMIT {limit}");
    let values = [id].into_iter().chain(types.iter().map(String::as_str));
    let mut statement = tx.prepare(&sql)?;
    let rows = statement.query_map(params_from_iter(values), MessageRef::read)?;
    let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    if against {
        found.reverse();
    }
    Ok(Ok(found))
}

/// Returns the first 100 messages of a run, of the types that its request asked for.
pub fn of_run(tx: &Transaction<'_>, run: &RunRow, of_steps: bool) -> Result<Vec<MessageRef>> {
    let types = run.wanted_types();
    let filter = MessageFilter { types: &types, of_steps, by_time: false };
    Ok(list(tx, Scope::Run(&run.id), filter, &PageRequest::first(100, SortOrder::Ascending))?.unwrap_or_default())
}

/// The most bytes of history that a model is sent. Its own run is always sent whole.
const HISTORY: usize = 64 << 10;

/// Returns the newest messages of an agent up to the end of a claimed run, oldest first.
pub fn history(tx: &Transaction<'_>, claim: &Claim, of_steps: bool) -> Result<Vec<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS}, own FROM messages WHERE agent = {OF_AGENT} AND run_seq <= ?2
           AND (NOT ?3 OR step_id IS NOT NULL OR run_seq = ?2) ORDER BY run_seq DESC, seq DESC"
    ))?;
    let rows = statement.query_map(params![claim.agent, claim.seq, of_steps], MessageRow::read)?;
    let mut found = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let row = row?;
        bytes += row.own.to_string().len();
        if bytes > HISTORY && row.run_id.as_deref() != Some(&claim.run) {
            break;
        }
        found.push(row);
    }
    found.reverse();
    Ok(found)
}

/// Returns the next messages of a run after a sequence number, in order, each with its type.
pub fn after(tx: &Transaction<'_>, run: &str, seq: i64) -> Result<Vec<(MessageRef, String)>> {
    let columns = MessageRef::COLUMNS;
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {columns}, message_type FROM messages WHERE {OF_RUN} AND seq > ? ORDER BY seq LIMIT 200"
    ))?;
    let rows = statement.query_map(params![run, seq], |row| Ok((MessageRef::read(row)?, row.get("message_type")?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the position of a message: the number of its run, then its own.
fn position(tx: &Transaction<'_>, id: &str) -> Result<Option<(i64, i64)>> {
    let sql = "SELECT run_seq, seq FROM messages WHERE id = ?";
    Ok(tx.prepare_cached(sql)?.query_row([id], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db;
    use crate::server::store::IDENTITY;

    #[test]
    fn the_messages_of_a_run_are_read_in_order_by_an_index() {
        let connection = db::open_in_memory(IDENTITY).expect("opened");
        for cursor in ["1", "seq > 1", "(run_seq, seq) < (3, 4)"] {
            let columns = MessageRef::COLUMNS;
            let sql = format!("SELECT {columns} FROM messages WHERE {OF_RUN} AND {cursor} ORDER BY seq DESC LIMIT 9");
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
            let plan = statement.query_map(["run-1"], |row| row.get("detail")).expect("a plan");
            let plan: Vec<String> = plan.collect::<Result<_, _>>().expect("a plan");
            let index = "SEARCH messages USING INDEX messages_of_agent (agent=? AND run_seq=?";
            assert!(plan[0].starts_with(index), "{plan:?}");
            assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:?}");
        }
    }
}
