//! A list of messages as an answer, however long it is: written a few at a time, as fast as the client takes them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};

use super::large::Large;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::render;
use crate::server::store::Result as Stored;
use crate::server::store::message_refs::{self, Spot};
use crate::server::store::messages::MessageRow;
use crate::server::types::memory_budget::SMALL;

/// A list that is being written.
pub struct Listing {
    engine: Arc<Engine>,
    spots: Vec<Spot>,
    /// How many of them were read.
    read: usize,
    text: Text,
    /// The last of those that were read, as long as it is being written.
    large: Option<Large>,
}

/// The text around the messages, and between them.
struct Text {
    begin: String,
    end: String,
    /// Whether a message was written.
    any: bool,
}

impl Listing {
    /// A list of these messages, in their order.
    pub fn new(engine: Arc<Engine>, spots: Vec<Spot>) -> Self {
        Self::within("[".to_owned(), engine, spots, "]".to_owned())
    }

    /// The same between two texts.
    pub fn within(begin: String, engine: Arc<Engine>, spots: Vec<Spot>, end: String) -> Self {
        Self { engine, spots, read: 0, text: Text { begin, end, any: false }, large: None }
    }

    /// The answer: whole where it is small. A longer one that breaks off is no JSON, and so no shorter list.
    pub async fn answer(mut self) -> Result<Response, ErrorResponse> {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let small = message_refs::bytes(&self.spots) <= SMALL;
        let first = self.piece().await?;
        if small {
            return Ok((json, first).into_response());
        }
        let others = stream::unfold(self, |mut list| async {
            let piece = if list.is_over() { None } else { Some(list.piece().await) };
            piece.map(|piece| (piece, list))
        });
        Ok((json, Body::from_stream(stream::iter([Ok(first)]).chain(others))).into_response())
    }

    fn is_over(&self) -> bool {
        self.read == self.spots.len() && self.large.is_none()
    }

    /// The next piece: several messages that are small, or a part of one that is not.
    async fn piece(&mut self) -> Stored<Vec<u8>> {
        let piece = match (&mut self.large, self.spots.get(self.read)) {
            (Some(large), _) => {
                let piece = large.next(&self.engine).await?;
                self.large = self.large.take().filter(|_| !piece.is_empty());
                piece
            }
            (None, Some(spot)) if spot.is_large() => self.begin(*spot).await?,
            (None, _) => self.some().await?,
        };
        Ok(if self.is_over() { self.text.end(piece) } else { piece })
    }

    async fn begin(&mut self, spot: Spot) -> Stored<Vec<u8>> {
        self.read += 1;
        let Some((beginning, large)) = Large::begin(&self.engine, spot, None).await? else { return Ok(Vec::new()) };
        self.large = Some(large);
        Ok([self.text.between(), beginning.into_bytes()].concat())
    }

    async fn some(&mut self) -> Stored<Vec<u8>> {
        let front = message_refs::front(&self.spots[self.read..], SMALL).to_vec();
        self.read += front.len();
        let rows = self.engine.db.read(move |tx| message_refs::messages(tx, &front)).await?;
        Ok(self.text.write(rows))
    }
}

impl Text {
    fn write(&mut self, rows: Vec<MessageRow>) -> Vec<u8> {
        let mut text = Vec::new();
        for row in rows {
            text.extend(self.between());
            render::write(&render::message(row), &mut text);
        }
        text
    }

    /// What goes before the next message.
    fn between(&mut self) -> Vec<u8> {
        let first = std::mem::take(&mut self.begin).into_bytes();
        if std::mem::replace(&mut self.any, true) { vec![b','] } else { first }
    }

    /// The last piece, with what goes behind it, and before it where there was none.
    fn end(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let first = std::mem::take(&mut self.begin).into_bytes();
        [first, piece, std::mem::take(&mut self.end).into_bytes()].concat()
    }
}
