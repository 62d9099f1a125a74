//! Pages of lists: a limit, an order, cursors.

use rusqlite::{OptionalExtension, Transaction};

use super::error::Result;
use crate::server::types::order::Order;

/// Which part of a list is asked for. Filters that a list does not know stay empty.
#[derive(Clone, Debug)]
pub struct Page {
    pub limit: i64,
    pub order: Order,
    pub after: Option<String>,
    pub before: Option<String>,
    pub name: Option<String>,
    pub query_text: Option<String>,
    pub tags: Vec<String>,
    /// Whether an agent must have all of the tags, and not only one of them.
    pub all_tags: bool,
}

impl Page {
    /// The beginning of a list.
    pub fn first(limit: i64, order: Order) -> Self {
        Self {
            limit,
            order,
            after: None,
            before: None,
            name: None,
            query_text: None,
            tags: Vec::new(),
            all_tags: false,
        }
    }

    /// How many items it holds at most.
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(0)
    }

    /// Whether rows are read against the order: the page in front of a cursor is found from its end.
    pub fn backwards(&self) -> bool {
        self.before.is_some() && self.after.is_none()
    }

    /// The condition that keeps to the page, and the order in which to read it. An unknown cursor is as none.
    pub fn bounds(&self, tx: &Transaction<'_>, table: &str, seq: &str) -> Result<(String, String)> {
        let mut condition = "1".to_owned();
        let ascending = self.order == Order::Ascending;
        for (cursor, forward) in [(&self.after, true), (&self.before, false)] {
            if let Some(at) = position(tx, table, cursor.as_deref())? {
                let sign = if forward == ascending { '>' } else { '<' };
                condition.push_str(&format!(" AND {seq} {sign} {at}"));
            }
        }
        let word = if ascending != self.backwards() { "ASC" } else { "DESC" };
        Ok((condition, format!("ORDER BY {seq} {word}")))
    }
}

/// Where an id stands in its table. The table's name is a constant of this program.
pub fn position(tx: &Transaction<'_>, table: &str, id: Option<&str>) -> Result<Option<i64>> {
    let Some(id) = id else { return Ok(None) };
    let sql = format!("SELECT seq FROM {table} WHERE id = ?");
    Ok(tx.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?)
}
