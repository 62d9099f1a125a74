//! Follows the output of a run: the messages stored so far, then each one as it is stored.
//!
//! The frames of a background run are numbered, the same for every client: the first ping is 1, then the messages of the
//! run. A client that was disconnected resumes after the last number it has seen.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};

use super::large_message::LargeMessage;
use crate::server::engine::Engine;
use crate::server::engine::notify::Subscription;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::JoinRequest;
use crate::server::render;
use crate::server::store::message_refs::{self, MessageRef};
use crate::server::store::messages;
use crate::server::store::runs::{self, RunRow};
use crate::server::store::{Result as Stored, steps};

/// How long a stream may be silent before a ping is sent.
const PING_INTERVAL: Duration = Duration::from_secs(20);

/// The number of pings after which the real server ends a stream without output.
const MAX_PINGS: usize = 90;

/// A frame to be sent.
enum Frame {
    Text(String),
    /// A message, with its sequence number.
    Message(MessageRef, Option<i64>),
}

/// The output of one run, as one client reads it.
pub struct RunStream {
    engine: Arc<Engine>,
    subscription: Subscription,
    run: RunRow,
    /// The message types that the sender asked for; empty means all.
    types: Vec<String>,
    /// How many input messages of the run are still to be skipped; they are stored before its output.
    inputs_left: usize,
    /// The position of the last message that was read.
    last_seq: i64,
    /// The sequence number of the last frame.
    number: i64,
    join: JoinRequest,
    ready: VecDeque<Frame>,
    /// The message of the last frame, while it is written in pieces.
    large: Option<LargeMessage>,
    begun: bool,
    ended: bool,
    ping_at: Instant,
}

impl RunStream {
    /// Follows a run from its beginning.
    pub fn new(engine: Arc<Engine>, run: &RunRow) -> Self {
        Self {
            subscription: engine.subscribe(&run.id),
            engine,
            types: run.wanted_types(),
            inputs_left: run.sent(),
            run: run.clone(),
            last_seq: 0,
            number: 0,
            join: JoinRequest { starting_after: 0, pings: true },
            ready: VecDeque::new(),
            large: None,
            begun: false,
            ended: false,
            ping_at: Instant::now() + PING_INTERVAL,
        }
    }

    /// Resumes after a frame.
    pub fn resume(self, join: JoinRequest) -> Self {
        Self { join, ..self }
    }

    /// Returns the output and the run once it has ended.
    pub async fn finish(&mut self) -> Result<(Vec<MessageRef>, RunRow), ErrorResponse> {
        let mut all = Vec::new();
        loop {
            let new = self.read_new()?;
            let is_idle = new.is_empty();
            all.extend(self.output(new));
            if is_idle && self.run.status.is_terminal() {
                return Ok((all, self.run.clone()));
            }
            if is_idle {
                self.engine.maybe_changed(&self.run.agent_id, &mut self.subscription).await;
            }
        }
    }

    /// Returns a response body of the frames. It is dropped when the client disconnects.
    pub fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut run| async {
            let chunk = run.next_chunk().await?;
            Some((Ok::<_, Infallible>(chunk), run))
        }))
    }

    /// Waits for the next frame, or the next piece of a large one. `None` ends the stream; without its end marker, the client
    /// retries.
    async fn next_chunk(&mut self) -> Option<Vec<u8>> {
        self.queue_first_ping();
        loop {
            if self.large.is_some() {
                return self.next_piece().await;
            }
            if let Some(frame) = self.ready.pop_front() {
                self.ping_at = Instant::now() + PING_INTERVAL;
                match self.text(frame).await.ok()? {
                    Some(text) => return Some(text.into_bytes()),
                    // The message was deleted.
                    None => continue,
                }
            }
            if self.ended {
                return None;
            }
            // Fails if the run was deleted.
            self.queue_frames().ok()?;
            if self.ready.is_empty() && !self.ended {
                self.wait().await;
            }
        }
    }

    /// Queues the ping at the beginning, once.
    fn queue_first_ping(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        self.number = 1;
        let ping = Frame::Text(render::ping(&self.run.id, self.sequence_number()));
        self.ready.extend(self.is_wanted(1).then_some(ping));
    }

    /// Returns the next piece of the large message, or the end of its frame.
    async fn next_piece(&mut self) -> Option<Vec<u8>> {
        let piece = self.large.as_mut()?.next(&self.engine).await.ok()?;
        if piece.is_empty() {
            self.large = None;
            return Some(render::END_OF_DATA.into());
        }
        Some(piece)
    }

    /// Queues a frame for each new message, and the last frames once the run has ended.
    fn queue_frames(&mut self) -> Result<(), ErrorResponse> {
        let new = self.read_new()?;
        let is_idle = new.is_empty();
        for message in self.output(new) {
            self.number += 1;
            self.ready.extend(self.is_wanted(self.number).then(|| Frame::Message(message, self.sequence_number())));
        }
        if is_idle && self.run.status.is_terminal() {
            self.ended = true;
            self.queue_last_frames()?;
        }
        Ok(())
    }

    /// Returns a frame as text, or the beginning of a large one; `None` for a message that was deleted.
    async fn text(&mut self, frame: Frame) -> Stored<Option<String>> {
        let (message, number) = match frame {
            Frame::Text(text) => return Ok(Some(text)),
            Frame::Message(message, number) => (message, number),
        };
        if message.is_large() {
            let begun = LargeMessage::begin(&self.engine, message, number).await?;
            return Ok(begun.map(|(beginning, large)| {
                self.large = Some(large);
                render::begin_data(&beginning)
            }));
        }
        let message = self.engine.db.peek(|tx| message_refs::messages(tx, &[message]))?.pop();
        Ok(message.map(|message| {
            let mut value = render::message(message);
            value["seq_id"] = json!(number);
            render::data(&value)
        }))
    }

    /// Queues the stop reason, then the usage or the error, and the end marker.
    fn queue_last_frames(&mut self) -> Result<(), ErrorResponse> {
        self.push(render::data(&render::stop_reason(&self.run)));
        match &self.run.error {
            Some(error) => {
                let number = self.sequence_number().map(|number| number + 2);
                self.push(render::error(&render::error_message(error, &self.run.id, number)));
            }
            None => {
                let usage = self.engine.db.peek(|tx| steps::usage(tx, &self.run.id))?;
                self.push(render::data(&render::statistics(usage)));
            }
        }
        let is_cut = self.run.kind.is_background() && self.engine.behaviour.cuts_failed_streams();
        if self.run.error.is_none() || !is_cut {
            self.push(render::DONE.to_owned());
        }
        Ok(())
    }

    fn push(&mut self, text: String) {
        self.ready.push_back(Frame::Text(text));
    }

    /// Reads the messages stored since the last call, with their types, and the run in the same snapshot.
    fn read_new(&mut self) -> Result<Vec<(MessageRef, String)>, ErrorResponse> {
        let id = self.run.id.clone();
        let last_seq = self.last_seq;
        let found = self.engine.db.peek(|tx| {
            let new = messages::after(tx, &id, last_seq)?;
            Ok(runs::get(tx, &id)?.map(|run| (new, run)))
        });
        let gone = || ErrorResponse::Detail(StatusCode::NOT_FOUND, "The run was deleted".to_owned());
        let (new, run) = found?.ok_or_else(gone)?;
        self.run = run;
        self.last_seq = new.last().map_or(self.last_seq, |(message, _)| message.seq());
        Ok(new)
    }

    /// Filters new messages: the output of the run, of the types that the sender asked for.
    fn output(&mut self, found: Vec<(MessageRef, String)>) -> Vec<MessageRef> {
        let skipped = self.inputs_left.min(found.len());
        self.inputs_left -= skipped;
        let output = found.into_iter().skip(skipped);
        let asked_for = |kind: &String| self.types.is_empty() || self.types.contains(kind);
        let wanted = output.filter(|(_, kind)| kind != "approval_response_message" && asked_for(kind));
        wanted.map(|(message, _)| message).collect()
    }

    /// Waits for news of the run, or queues a ping when it is due.
    async fn wait(&mut self) {
        let agent = self.run.agent_id.clone();
        if timeout_at(self.ping_at, self.engine.maybe_changed(&agent, &mut self.subscription)).await.is_err() {
            self.ping_at = Instant::now() + PING_INTERVAL;
            self.ready.extend(self.join.pings.then(|| Frame::Text(render::ping(&self.run.id, None))));
        }
    }

    /// The number of the last frame, if the run is in the background.
    fn sequence_number(&self) -> Option<i64> {
        self.run.kind.is_background().then_some(self.number)
    }

    /// Whether the client wants the frame with this number.
    fn is_wanted(&self, number: i64) -> bool {
        number > self.join.starting_after && (number > 1 || self.join.pings)
    }
}

/// The stream of an async run on the real server: pings only.
pub fn pings_only(run: String) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold((run, 0), |(run, pings)| async move {
        if pings == MAX_PINGS {
            return None;
        }
        sleep(PING_INTERVAL).await;
        Some((Ok(render::ping(&run, None)), (run, pings + 1)))
    })
}
