//! A message that is too large to be read at once: it is written as it is stored, a piece at a time.

use crate::server::engine::Engine;
use crate::server::render;
use crate::server::store::Result;
use crate::server::store::message_refs::{self, Spot};
use crate::server::types::memory_budget::Taken;

/// How much is read at once. To find a place in a text, all before it is passed over: smaller pieces would cost more.
const PIECE: usize = 512 << 10;
/// How many times its bytes a piece takes.
const TIMES: usize = 2;

/// A message that is being written.
pub struct Large {
    spot: Spot,
    /// How much of its own fields was read.
    read: usize,
    /// What the last piece takes, which may still be on its way.
    room: Option<Taken>,
}

impl Large {
    /// Begins to write a message, as the frame with this number. Gives the text that goes before the first piece; nothing
    /// if the message is gone.
    pub async fn begin(engine: &Engine, spot: Spot, number: Option<i64>) -> Result<Option<(String, Self)>> {
        let row = engine.db.read(move |tx| message_refs::common(tx, spot)).await?;
        // Its own fields follow, without the brace that opens them.
        Ok(row.map(|row| (render::beginning(&row, number), Self { spot, read: 1, room: None })))
    }

    /// The next piece; nothing behind the last.
    pub async fn next(&mut self, engine: &Engine) -> Result<Vec<u8>> {
        // Whoever asks for more has taken what came before.
        self.room = None;
        self.room = Some(engine.room.take(PIECE, TIMES).await);
        let (spot, from) = (self.spot, self.read);
        let piece = engine.db.read(move |tx| message_refs::piece(tx, spot, from, PIECE)).await?;
        self.read += piece.len();
        Ok(piece)
    }
}
