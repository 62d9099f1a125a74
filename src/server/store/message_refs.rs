//! Where messages are: chosen first, all in one look, and read later, a few at a time, since each can be large.

use rusqlite::{OptionalExtension, Row, Transaction};

use super::error::Result;
use super::message_row::COLUMNS;
use crate::server::types::memory_budget::SMALL;
use crate::server::types::message::MessageRow;

/// A message that is there, and not yet read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageRef {
    seq: i64,
    /// How large it is, about.
    bytes: usize,
}

/// What a message has besides its own fields, about.
const COMMON: usize = 512;

impl MessageRef {
    /// The columns of a message from which a spot is read. A text's length is known without reading it.
    pub const COLUMNS: &str = "seq, octet_length(own)";

    /// Reads a row that begins with [`MessageRef::COLUMNS`].
    pub fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let own = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
        Ok(Self { seq: row.get(0)?, bytes: own + COMMON })
    }

    /// Whether it is better not read at once.
    pub fn is_large(self) -> bool {
        self.bytes > SMALL
    }

    /// The message's place among all.
    pub fn seq(self) -> i64 {
        self.seq
    }
}

/// How large the messages are together, about.
pub fn bytes(spots: &[MessageRef]) -> usize {
    spots.iter().map(|spot| spot.bytes).sum()
}

/// As many from the front as fit into so many bytes, and at least one.
pub fn front(spots: &[MessageRef], most: usize) -> &[MessageRef] {
    let mut sum = 0;
    let fits = |spot: &&MessageRef| {
        sum += spot.bytes;
        sum <= most
    };
    let count = spots.iter().take_while(fits).count();
    &spots[..count.max(1).min(spots.len())]
}

/// The fields that a message has in common with all others; none if it is gone since.
pub fn common(tx: &Transaction<'_>, spot: MessageRef) -> Result<Option<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS}, '{{}}' AS own FROM messages WHERE seq = ?"))?;
    Ok(statement.query_row([spot.seq], MessageRow::read).optional()?)
}

/// A piece of what a message has besides them, as it is stored: a JSON object.
pub fn piece(tx: &Transaction<'_>, spot: MessageRef, from: usize, most: usize) -> Result<Vec<u8>> {
    let text = tx.blob_open("main", "messages", "own", spot.seq, true)?;
    let mut piece = vec![0; most.min(text.len().saturating_sub(from))];
    text.read_at_exact(&mut piece, from)?;
    Ok(piece)
}

/// Reads the messages. One that is gone since is left out.
pub fn messages(tx: &Transaction<'_>, spots: &[MessageRef]) -> Result<Vec<MessageRow>> {
    let mut statement = tx.prepare_cached(&format!("SELECT {COLUMNS}, own FROM messages WHERE seq = ?"))?;
    let read = spots.iter().map(|spot| statement.query_row([spot.seq], MessageRow::read).optional());
    Ok(read.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_at_once_is_what_fits_and_at_least_one() {
        let spots = [30, 30, 50, 200, 1].map(|bytes| MessageRef { seq: 0, bytes });
        let lengths = |most| {
            let mut left = &spots[..];
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
