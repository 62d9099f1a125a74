//! Reads messages from their rows.

use rusqlite::Row;

use crate::server::types::message::MessageRow;

/// The columns that all messages have. The run's id is NULL once the run was deleted.
pub const COLUMNS: &str = "id, (SELECT runs.id FROM runs WHERE runs.seq = run_seq) AS run_id, step_id, date,
    message_type, name, otid, sender_id";

impl MessageRow {
    /// Reads a row with [`COLUMNS`] and `own`.
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            run_id: row.get("run_id")?,
            step_id: row.get("step_id")?,
            date: row.get("date")?,
            message_type: row.get("message_type")?,
            name: row.get("name")?,
            otid: row.get("otid")?,
            sender_id: row.get("sender_id")?,
            own: serde_json::from_str(&row.get::<_, String>("own")?).unwrap_or_default(),
        })
    }
}
