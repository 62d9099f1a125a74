//! Writes a message that is too large to be in memory at once, in pieces as they are stored.

use crate::server::engine::Engine;
use crate::server::render;
use crate::server::store::Result;
use crate::server::store::message_refs::{self, MessageRef};
use crate::server::types::memory_budget::MemoryPermit;

/// The size of a piece, in bytes. SQLite scans a text from its beginning to each offset: smaller pieces cost more scans.
const PIECE_BYTES: usize = 512 << 10;
/// The memory that a piece takes, as a multiple of its size.
const MEMORY_FACTOR: usize = 2;

/// A large message that is being written.
pub struct LargeMessage {
    message: MessageRef,
    /// How many bytes of its own fields were read.
    read: usize,
    /// Memory for the last piece, which the client may not have read yet.
    permit: Option<MemoryPermit>,
}

impl LargeMessage {
    /// Begins a message, with the sequence number of its frame if it has one. Returns the text before the first piece, or
    /// `None` if the message was deleted.
    pub async fn begin(engine: &Engine, message: MessageRef, number: Option<i64>) -> Result<Option<(String, Self)>> {
        let row = engine.db.read(move |tx| message_refs::common(tx, message)).await?;
        // `message_start` ends where the own fields begin: skip their opening brace.
        Ok(row.map(|row| (render::message_start(&row, number), Self { message, read: 1, permit: None })))
    }

    /// Returns the next piece; empty at the end.
    pub async fn next(&mut self, engine: &Engine) -> Result<Vec<u8>> {
        // The client has read the last piece, or it would not ask. A holder that waited for more could deadlock.
        self.permit = None;
        self.permit = Some(engine.memory_budget.acquire(PIECE_BYTES, MEMORY_FACTOR).await);
        let message = self.message;
        let from = self.read;
        let piece = engine.db.read(move |tx| message_refs::piece(tx, message, from, PIECE_BYTES)).await?;
        self.read += piece.len();
        Ok(piece)
    }
}
