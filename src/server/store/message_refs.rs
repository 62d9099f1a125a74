//! References to messages. One query selects the references; the messages are read later, in small batches, since a message
//! can be large.

use rusqlite::{OptionalExtension, Row, Transaction};

use super::error::Result;
use super::message_row::COLUMNS;
use crate::server::types::memory_budget::SMALL;
use crate::server::types::message::MessageRow;

/// A reference to a stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRef {
    seq: i64,
    /// Its approximate size in bytes.
    bytes: usize,
}

/// The approximate size of the common fields of a message, in bytes.
const COMMON: usize = 512;

impl MessageRef {
    /// The columns that make a reference. SQLite knows the length of a text without reading it.
    pub const COLUMNS: &str = "seq, octet_length(own)";

    /// Reads a row that begins with [`MessageRef::COLUMNS`].
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let own = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok(Self { seq: row.get(0)?, bytes: own + COMMON })
    }

    /// Returns whether the message is read in pieces.
    pub fn is_large(self) -> bool {
        self.bytes > SMALL
    }

    /// Returns the message's sequence number.
    pub fn seq(self) -> i64 {
        self.seq
    }
}

/// Returns the approximate size of the messages together, in bytes.
pub fn bytes(refs: &[MessageRef]) -> usize {
    refs.iter().map(|message| message.bytes).sum()
}

/// Returns the first messages that fit into `most` bytes together, at least one.
pub fn front(refs: &[MessageRef], most: usize) -> &[MessageRef] {
    let mut sum = 0;
    let fits = |message: &&MessageRef| {
        sum += message.bytes;
        sum <= most
    };
    let count = refs.iter().take_while(fits).count();
    &refs[..count.max(1).min(refs.len())]
}

/// Reads the common fields of a message; `None` if it was deleted meanwhile.
pub fn common(tx: &Transaction<'_>, message: MessageRef) -> Result<Option<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS}, '{{}}' AS own FROM messages WHERE seq = ?"))?;
    Ok(statement.query_row([message.seq], MessageRow::read).optional()?)
}

/// Reads a piece of the other fields as stored, a JSON object.
pub fn piece(tx: &Transaction<'_>, message: MessageRef, from: usize, most: usize) -> Result<Vec<u8>> {
    let text = tx.blob_open("main", "messages", "own", message.seq, true)?;
    let mut piece = vec![0; most.min(text.len().saturating_sub(from))];
    text.read_at_exact(&mut piece, from)?;
    Ok(piece)
}

/// Reads messages. Messages that were deleted meanwhile are left out.
pub fn messages(tx: &Transaction<'_>, refs: &[MessageRef]) -> Result<Vec<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS}, own FROM messages WHERE seq = ?"))?;
    let read = refs.iter().map(|message| statement.query_row([message.seq], MessageRow::read).optional());
    Ok(read.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_as_many_messages_as_fit_and_at_least_one() {
        let refs = [30, 30, 50, 200, 1].map(|bytes| MessageRef { seq: 0, bytes });
        let lengths = |most| {
            let mut left = &refs[..];
            let pieces = std::iter::from_fn(|| {
                let piece = front(left, most).len();
                left = &left[piece..];
                (piece > 0).then_some(piece)
            });
            pieces.collect::<Vec<_>>()
        };
        assert_eq!(lengths(60), [2, 1, 1, 1]);
        assert_eq!(lengths(110), [3, 1, 1]);
        assert_eq!(lengths(0), [1; 5]);
        assert_eq!(lengths(1000), [5]);
    }
}
