//! Lists of runs: filters, and the indexes that serve them.

use std::collections::BTreeSet;

use rusqlite::{Transaction, params_from_iter};

use super::error::Result;
use super::page::PageRequest;
use super::runs::{COLUMNS, RunRow};
use super::sql::OF_AGENT;
use crate::server::types::order::SortOrder;
use crate::server::types::run_kind::RunKind;

/// The runs to list; an empty list of words is no filter.
#[derive(Clone, Debug, Default)]
pub struct RunListFilter {
    pub agents: Vec<String>,
    pub kinds: Vec<String>,
    pub statuses: Vec<String>,
    pub stop_reason: Option<String>,
}

/// Lists runs, a page at a time.
///
/// Each pair of an agent and a status gets its own query: its index is in the order of the list, so no query reads more
/// than a page.
pub fn runs(tx: &Transaction<'_>, filter: &RunListFilter, page: &PageRequest) -> Result<Vec<RunRow>> {
    let mut found = Vec::new();
    for agent in each(&filter.agents) {
        for status in each(&filter.statuses) {
            found.extend(query(tx, agent, status, filter, page)?);
            truncate_to_page(&mut found, page);
        }
    }
    if page.backwards() {
        found.reverse();
    }
    Ok(found)
}

/// Truncates to a page, so that memory is bounded by two pages.
fn truncate_to_page(found: &mut Vec<RunRow>, page: &PageRequest) {
    found.sort_unstable_by_key(|run| run.seq);
    if (page.order == SortOrder::Descending) != page.backwards() {
        found.reverse();
    }
    found.truncate(page.limit());
}

/// Returns the distinct words, or one `None` (no filter) if there are none.
fn each(words: &[String]) -> Vec<Option<&str>> {
    let words: BTreeSet<Option<&str>> = words.iter().map(|word| Some(word.as_str())).collect();
    if words.is_empty() { vec![None] } else { words.into_iter().collect() }
}

/// Lists the runs of one agent and one status; `None` is no filter.
fn query(
    tx: &Transaction<'_>,
    agent: Option<&str>,
    status: Option<&str>,
    filter: &RunListFilter,
    page: &PageRequest,
) -> Result<Vec<RunRow>> {
    let (cursor, tail) = page.bounds(tx, "runs", "seq")?;
    let of_agent = format!(" AND agent = {OF_AGENT}");
    let mut conditions = String::new();
    let status = status.map(|status| (of_status(agent, status), status));
    let reason = filter.stop_reason.as_deref().map(|reason| (of_reason(agent), reason));
    let wanted = [agent.map(|id| (of_agent.as_str(), id)), status, reason];
    let mut values = Vec::new();
    for (condition, value) in wanted.into_iter().flatten() {
        conditions.push_str(condition);
        values.push(value);
    }
    if !filter.kinds.is_empty() {
        conditions.push_str(&of_kinds(&filter.kinds));
        values.extend(filter.kinds.iter().map(String::as_str));
    }
    let limit = page.limit;
    let mut statement =
        tx.prepare(&format!("SELECT {COLUMNS} FROM runs WHERE {cursor}{conditions} {tail} LIMIT {limit}"))?;
    let rows = statement.query_map(params_from_iter(values), RunRow::read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Returns the condition for a status. It repeats the `WHERE` of a partial index, so that SQLite uses that index; `+`
/// keeps SQLite from using the index of the column.
fn of_status(agent: Option<&str>, status: &str) -> &'static str {
    match (agent, status) {
        (None, _) => " AND status = ?",
        (Some(_), "created" | "running") => " AND +status = ? AND status IN ('created', 'running')",
        (Some(_), _) => " AND status = ? AND status NOT IN ('created', 'running')",
    }
}

/// Returns the condition for a stop reason. An agent has fewer runs than a stop reason, so the index of the agent is used
/// if one is given.
fn of_reason(agent: Option<&str>) -> &'static str {
    if agent.is_some() { " AND +stop_reason = ?" } else { " AND stop_reason = ?" }
}

/// Returns the condition for kinds. Without `async`, the most frequent kind, it repeats the `WHERE` of a partial index, so
/// that SQLite uses that index.
fn of_kinds(kinds: &[String]) -> String {
    let rare = if kinds.iter().any(|kind| kind == RunKind::Async.as_str()) { "" } else { " AND kind <> 'async'" };
    format!(" AND kind IN ({}){rare}", vec!["?"; kinds.len()].join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db;
    use crate::server::store::IDENTITY;

    fn plan(agent: Option<&str>, status: &str) -> String {
        let condition = of_status(agent, status).replace('?', &format!("'{status}'"));
        plan_of(agent, &condition)
    }

    fn plan_of(agent: Option<&str>, condition: &str) -> String {
        let connection = db::open_in_memory(IDENTITY).expect("opened");
        let of_agent = if agent.is_some() { " AND agent = 1" } else { "" };
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM runs WHERE 1{of_agent}{condition} ORDER BY seq LIMIT 9");
        connection.query_row(&sql, [], |row| row.get("detail")).expect("a plan of one step")
    }

    #[test]
    fn a_query_reads_no_more_than_its_page() {
        assert_eq!(plan(None, "running"), "SEARCH runs USING INDEX runs_of_status (status=?)");
        assert_eq!(plan(None, "failed"), "SEARCH runs USING INDEX runs_of_status (status=?)");
        assert_eq!(plan(Some("a"), "failed"), "SEARCH runs USING INDEX runs_ended (agent=? AND status=?)");
        assert_eq!(plan(Some("a"), "new"), "SEARCH runs USING INDEX runs_ended (agent=? AND status=?)");
        assert_eq!(plan(Some("a"), "created"), "SEARCH runs USING INDEX runs_open (agent=?)", "few are open");
    }

    #[test]
    fn runs_whose_clients_wait_are_found_by_an_index() {
        for (background, plan) in [(false, "SCAN runs USING INDEX runs_waited_for"), (true, "SCAN runs")] {
            let condition = of_kinds(&RunKind::words(background)).replace('?', "'stream'");
            assert_eq!(plan_of(None, &condition), plan, "{background}");
        }
    }

    #[test]
    fn a_stop_reason_is_found_by_the_index_of_the_agent_if_one_is_given() {
        for (agent, index) in [(None, "runs_of_stop_reason (stop_reason=?)"), (Some("a"), "runs_of_agent (agent=?)")] {
            let condition = of_reason(agent).replace('?', "'end_turn'");
            assert_eq!(plan_of(agent, &condition), format!("SEARCH runs USING INDEX {index}"));
        }
        let both = format!("{}{}", of_status(Some("a"), "failed"), of_reason(Some("a")));
        assert_eq!(
            plan_of(Some("a"), &both.replace('?', "'failed'")),
            "SEARCH runs USING INDEX runs_ended (agent=? AND status=?)"
        );
    }
}
