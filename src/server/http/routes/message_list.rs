//! A JSON list of messages as a response. A long list is streamed: it is read from the database no faster than the client
//! reads it.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};

use super::large_message::LargeMessage;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::render;
use crate::server::store::Result as Stored;
use crate::server::store::message_refs::{self, MessageRef};
use crate::server::types::memory_budget::SMALL;
use crate::server::types::message::MessageRow;

/// A list of messages that is being written.
pub struct MessageList {
    engine: Arc<Engine>,
    refs: Vec<MessageRef>,
    /// How many of the messages were begun.
    read: usize,
    separators: Separators,
    /// The last message, while it is written in pieces.
    large: Option<LargeMessage>,
}

/// The text before, between and after the messages.
struct Separators {
    begin: String,
    end: String,
    /// Whether a message was written, so that a comma is due before the next.
    any: bool,
}

impl MessageList {
    /// A list of messages in the given order.
    pub fn new(engine: Arc<Engine>, refs: Vec<MessageRef>) -> Self {
        Self::within("[".to_owned(), engine, refs, "]".to_owned())
    }

    /// A list between two other texts than brackets.
    pub fn within(begin: String, engine: Arc<Engine>, refs: Vec<MessageRef>, end: String) -> Self {
        Self { engine, refs, read: 0, separators: Separators { begin, end, any: false }, large: None }
    }

    /// Returns the response: a small list at once, a longer one streamed. A stream that breaks off is not valid JSON, so no
    /// client takes it for a shorter list.
    pub async fn respond(mut self) -> Result<Response, ErrorResponse> {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let is_small = message_refs::bytes(&self.refs) <= SMALL;
        let first = self.piece().await?;
        if is_small {
            return Ok((json, first).into_response());
        }
        let rest = stream::unfold(self, |mut list| async {
            let piece = if list.is_over() { None } else { Some(list.piece().await) };
            piece.map(|piece| (piece, list))
        });
        Ok((json, Body::from_stream(stream::iter([Ok(first)]).chain(rest))).into_response())
    }

    fn is_over(&self) -> bool {
        self.read == self.refs.len() && self.large.is_none()
    }

    /// Returns the next piece: several small messages, or a piece of a large one.
    async fn piece(&mut self) -> Stored<Vec<u8>> {
        let piece = match (&mut self.large, self.refs.get(self.read)) {
            (Some(large), _) => {
                let piece = large.next(&self.engine).await?;
                self.large = self.large.take().filter(|_| !piece.is_empty());
                piece
            }
            (None, Some(message)) if message.is_large() => self.begin_large(*message).await?,
            (None, _) => self.read_small().await?,
        };
        Ok(if self.is_over() { self.separators.end(piece) } else { piece })
    }

    async fn begin_large(&mut self, message: MessageRef) -> Stored<Vec<u8>> {
        self.read += 1;
        let Some((beginning, large)) = LargeMessage::begin(&self.engine, message, None).await? else {
            return Ok(Vec::new());
        };
        self.large = Some(large);
        Ok([self.separators.before_next(), beginning.into_bytes()].concat())
    }

    async fn read_small(&mut self) -> Stored<Vec<u8>> {
        let front = message_refs::front(&self.refs[self.read..], SMALL).to_vec();
        self.read += front.len();
        let rows = self.engine.db.read(move |tx| message_refs::messages(tx, &front)).await?;
        Ok(self.separators.write(rows))
    }
}

impl Separators {
    fn write(&mut self, rows: Vec<MessageRow>) -> Vec<u8> {
        let mut text = Vec::new();
        for row in rows {
            text.extend(self.before_next());
            render::write(&render::message(row), &mut text);
        }
        text
    }

    /// Returns the text before the next message.
    fn before_next(&mut self) -> Vec<u8> {
        let first = std::mem::take(&mut self.begin).into_bytes();
        if std::mem::replace(&mut self.any, true) { vec![b','] } else { first }
    }

    /// Completes the last piece with the end, and with the beginning if no message was written.
    fn end(&mut self, piece: Vec<u8>) -> Vec<u8> {
        let first = std::mem::take(&mut self.begin).into_bytes();
        [first, piece, std::mem::take(&mut self.end).into_bytes()].concat()
    }
}
