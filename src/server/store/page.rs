//! Pages of lists: a limit, an order, cursors.

use rusqlite::{OptionalExtension, Transaction};

use super::error::Result;
use crate::server::types::order::SortOrder;

/// The part of a list to return. A list ignores the filters that it does not have.
#[derive(Clone, Debug)]
pub struct PageRequest {
    pub limit: i64,
    pub order: SortOrder,
    pub after: Option<String>,
    pub before: Option<String>,
    pub name: Option<String>,
    pub query_text: Option<String>,
    pub tags: Vec<String>,
    /// Whether an agent must have all of the tags, not only one.
    pub all_tags: bool,
}

impl PageRequest {
    /// The first page.
    pub fn first(limit: i64, order: SortOrder) -> Self {
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

    /// Returns the largest number of items.
    pub fn limit(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(0)
    }

    /// Whether rows are read in reverse: a page before a cursor is read from its end.
    pub fn backwards(&self) -> bool {
        self.before.is_some() && self.after.is_none()
    }

    /// Returns the SQL condition of the page, and the order in which to read it. An unknown cursor is ignored.
    pub fn bounds(&self, tx: &Transaction<'_>, table: &str, seq: &str) -> Result<(String, String)> {
        let mut condition = "1".to_owned();
        let ascending = self.order == SortOrder::Ascending;
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

/// Returns the number of a row by its id. The table's name must be a constant of this program.
pub fn position(tx: &Transaction<'_>, table: &str, id: Option<&str>) -> Result<Option<i64>> {
    let Some(id) = id else { return Ok(None) };
    let sql = format!("SELECT seq FROM {table} WHERE id = ?");
    Ok(tx.prepare_cached(&sql)?.query_row([id], |row| row.get(0)).optional()?)
}
