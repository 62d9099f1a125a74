//! A list of messages as an answer, however long it is: written a few at a time, as fast as the client takes them.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream};

use crate::server::engine::Engine;
use crate::server::refusal::Refusal;
use crate::server::render;
use crate::server::room::{SMALL, Taken};
use crate::server::store::Result as Stored;
use crate::server::store::messages::MessageRow;
use crate::server::store::spots::{self, Spot};

/// A list that is being written.
pub(super) struct Listing {
    engine: Arc<Engine>,
    spots: Vec<Spot>,
    /// How many of them were read.
    read: usize,
    text: Text,
    /// What the last piece takes, which may still be on its way.
    room: Option<Taken>,
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
    pub(super) fn new(engine: Arc<Engine>, spots: Vec<Spot>) -> Self {
        Self::within("[".to_owned(), engine, spots, "]".to_owned())
    }

    /// The same between two texts.
    pub(super) fn within(begin: String, engine: Arc<Engine>, spots: Vec<Spot>, end: String) -> Self {
        Self { engine, spots, read: 0, text: Text { begin, end, any: false }, room: None }
    }

    /// The answer: whole where it is small. A longer one that breaks off is no JSON, and so no shorter list.
    pub(super) async fn answer(mut self) -> Result<Response, Refusal> {
        let json = [(header::CONTENT_TYPE, "application/json")];
        let small = spots::bytes(&self.spots) <= SMALL;
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
        self.read == self.spots.len()
    }

    /// The next piece: several messages that are small, or one that is not.
    async fn piece(&mut self) -> Stored<Vec<u8>> {
        let front = spots::front(&self.spots[self.read..], SMALL).to_vec();
        // Whoever asks for more has taken what came before.
        self.room = None;
        self.room = Some(self.engine.room.take(spots::bytes(&front), render::TIMES).await);
        self.read += front.len();
        let rows = self.engine.db.read(move |tx| spots::messages(tx, &front)).await?;
        Ok(self.text.write(rows, self.is_over()))
    }
}

impl Text {
    fn write(&mut self, rows: Vec<MessageRow>, last: bool) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.begin).into_bytes();
        for row in rows {
            if std::mem::replace(&mut self.any, true) {
                text.push(b',');
            }
            render::write(&render::message(row), &mut text);
        }
        if last {
            text.extend_from_slice(self.end.as_bytes());
        }
        text
    }
}
