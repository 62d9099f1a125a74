//! Listening to a run: what was stored of it so far, then what is stored while it goes on.
//!
//! Frames of a run in the background are numbered, the same way for everybody who listens: the ping at the beginning
//! is 1, what the run brings follows. So a listener that was cut off can go on behind the last number it saw.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::stream::{self, Stream};
use serde_json::json;
use tokio::time::{Instant, sleep, timeout_at};

use super::large::Large;
use crate::server::engine::Engine;
use crate::server::engine::notify::Subscription;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::Join;
use crate::server::render::{self, Mishap};
use crate::server::store::message_refs::{self, Spot};
use crate::server::store::messages;
use crate::server::store::runs::{self, RunRow};
use crate::server::store::{Result as Stored, steps};

/// How long nothing may come before a ping does.
const PING_AFTER: Duration = Duration::from_secs(20);

/// After how many pings the real server gives up on a stream that nobody writes to.
const MOST_PINGS: usize = 90;

/// What is to be sent next.
enum Frame {
    Text(String),
    /// A message, with the number of its frame.
    Message(Spot, Option<i64>),
}

/// One who listens to a run.
pub struct Listening {
    engine: Arc<Engine>,
    ear: Subscription,
    run: RunRow,
    /// Of these types only, if there are any.
    types: Vec<String>,
    /// How many messages at the beginning were sent, and not brought by the run.
    sent: usize,
    /// The place of the last message that was found.
    seen: i64,
    /// The number of the last frame.
    number: i64,
    join: Join,
    ready: VecDeque<Frame>,
    /// What the last frame holds, as long as that is being written.
    large: Option<Large>,
    begun: bool,
    ended: bool,
    ping_at: Instant,
}

impl Listening {
    /// Begins to listen to a run.
    pub fn new(engine: Arc<Engine>, run: &RunRow) -> Self {
        Self {
            ear: engine.listen(&run.id),
            engine,
            types: run.wanted_types(),
            sent: run.sent(),
            run: run.clone(),
            seen: 0,
            number: 0,
            join: Join { starting_after: 0, pings: true },
            ready: VecDeque::new(),
            large: None,
            begun: false,
            ended: false,
            ping_at: Instant::now() + PING_AFTER,
        }
    }

    /// The same, behind a frame.
    pub fn from(self, join: Join) -> Self {
        Self { join, ..self }
    }

    /// Returns what the run brought, and the run, once it has ended.
    pub async fn until_the_end(&mut self) -> Result<(Vec<Spot>, RunRow), ErrorResponse> {
        let mut all = Vec::new();
        loop {
            let brought = self.look()?;
            let nothing_new = brought.is_empty();
            all.extend(self.wanted(brought));
            if nothing_new && self.run.status.is_terminal() {
                return Ok((all, self.run.clone()));
            }
            if nothing_new {
                self.engine.news(&self.run.agent_id, &mut self.ear).await;
            }
        }
    }

    /// The body of an answer that brings frames as they come. It is dropped when nobody listens any more.
    pub fn into_body(self) -> Body {
        Body::from_stream(stream::unfold(self, |mut listening| async {
            let frame = listening.frame().await?;
            Some((Ok::<_, Infallible>(frame), listening))
        }))
    }

    /// The next frame, once there is one, or a piece of it.
    async fn frame(&mut self) -> Option<Vec<u8>> {
        if !std::mem::replace(&mut self.begun, true) {
            self.number = 1;
            let number = self.numbered();
            self.ready.extend(self.is_wanted(1).then(|| Frame::Text(render::ping(&self.run.id, number))));
        }
        loop {
            if let Some(large) = &mut self.large {
                let piece = large.next(&self.engine).await.ok()?;
                if !piece.is_empty() {
                    return Some(piece);
                }
                self.large = None;
                return Some(render::END_OF_DATA.into());
            }
            if let Some(frame) = self.ready.pop_front() {
                self.ping_at = Instant::now() + PING_AFTER;
                match self.text(frame).await {
                    Ok(Some(text)) => return Some(text.into_bytes()),
                    // It was deleted meanwhile.
                    Ok(None) => continue,
                    Err(_) => return None,
                }
            }
            if self.ended {
                return None;
            }
            if self.gather().is_err() {
                // The run is gone, or the database is: the listener is cut off, and may come again.
                return None;
            }
            if self.ready.is_empty() && !self.ended {
                self.pause().await;
            }
        }
    }

    /// Makes frames of what is new.
    fn gather(&mut self) -> Result<(), ErrorResponse> {
        let brought = self.look()?;
        let nothing_new = brought.is_empty();
        for spot in self.wanted(brought) {
            self.number += 1;
            self.ready.extend(self.is_wanted(self.number).then(|| Frame::Message(spot, self.numbered())));
        }
        if nothing_new && self.run.status.is_terminal() {
            self.ended = true;
            self.last_frames()?;
        }
        Ok(())
    }

    /// A frame as it is sent, or its beginning; none of a message that is gone.
    async fn text(&mut self, frame: Frame) -> Stored<Option<String>> {
        let (spot, number) = match frame {
            Frame::Text(text) => return Ok(Some(text)),
            Frame::Message(spot, number) => (spot, number),
        };
        if spot.is_large() {
            let begun = Large::begin(&self.engine, spot, number).await?;
            return Ok(begun.map(|(beginning, large)| {
                self.large = Some(large);
                render::begin_data(&beginning)
            }));
        }
        let message = self.engine.db.peek(|tx| message_refs::messages(tx, &[spot]))?.pop();
        Ok(message.map(|message| {
            let mut value = render::message(message);
            value["seq_id"] = json!(number);
            render::data(&value)
        }))
    }

    fn last_frames(&mut self) -> Result<(), ErrorResponse> {
        self.say(render::data(&render::stop_reason(&self.run)));
        match &self.run.error {
            Some(error) => {
                let number = self.numbered().map(|number| number + 2);
                self.say(render::error(&Mishap::of(error).message(&self.run.id, number)));
            }
            None => {
                let usage = self.engine.db.peek(|tx| steps::usage(tx, &self.run.id))?;
                self.say(render::data(&render::statistics(usage)));
            }
        }
        let cut = self.run.kind.is_background() && self.engine.manners.cuts_failed_streams();
        if self.run.error.is_none() || !cut {
            self.say(render::DONE.to_owned());
        }
        Ok(())
    }

    fn say(&mut self, text: String) {
        self.ready.push_back(Frame::Text(text));
    }

    /// Finds what was stored since the last look, with its types. When nothing was, the run is as it was then.
    fn look(&mut self) -> Result<Vec<(Spot, String)>, ErrorResponse> {
        let (id, seen) = (self.run.id.clone(), self.seen);
        let found = self.engine.db.peek(|tx| {
            let behind = messages::behind(tx, &id, seen)?;
            Ok(runs::get(tx, &id)?.map(|run| (behind, run)))
        });
        let gone = || ErrorResponse::Detail(StatusCode::NOT_FOUND, "The run was deleted".to_owned());
        let (behind, run) = found?.ok_or_else(gone)?;
        self.run = run;
        self.seen = behind.last().map_or(self.seen, |(spot, _)| spot.seq());
        Ok(behind)
    }

    /// Of messages that were found, those that the run brought and the sender asked for.
    fn wanted(&mut self, found: Vec<(Spot, String)>) -> Vec<Spot> {
        let skipped = self.sent.min(found.len());
        self.sent -= skipped;
        let brought = found.into_iter().skip(skipped);
        let asked_for = |kind: &String| self.types.is_empty() || self.types.contains(kind);
        let wanted = brought.filter(|(_, kind)| kind != "approval_response_message" && asked_for(kind));
        wanted.map(|(spot, _)| spot).collect()
    }

    /// Waits until there may be something new, or until it is time for a ping.
    async fn pause(&mut self) {
        let at = self.ping_at;
        let agent = self.run.agent_id.clone();
        if timeout_at(at, self.engine.news(&agent, &mut self.ear)).await.is_err() {
            self.ping_at = Instant::now() + PING_AFTER;
            self.ready.extend(self.join.pings.then(|| Frame::Text(render::ping(&self.run.id, None))));
        }
    }

    /// The number of this frame, where frames are numbered.
    fn numbered(&self) -> Option<i64> {
        self.run.kind.is_background().then_some(self.number)
    }

    fn is_wanted(&self, number: i64) -> bool {
        number > self.join.starting_after && (number > 1 || self.join.pings)
    }
}

/// What the stream of an async run brings on the real server.
pub fn pings_only(run: String) -> impl Stream<Item = Result<String, Infallible>> {
    stream::unfold((run, 0), |(run, pings)| async move {
        if pings == MOST_PINGS {
            return None;
        }
        sleep(PING_AFTER).await;
        Some((Ok(render::ping(&run, None)), (run, pings + 1)))
    })
}
