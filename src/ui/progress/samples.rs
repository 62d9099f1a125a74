//! Events, a clock and a terminal for tests of progress displays.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::{InMemoryTerm, TermLike};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::Clock;
use crate::core::facts::{Details, facts};
use crate::core::outcome::outcome;
use crate::follow::event::{EndedRun, Event};
use crate::model::{Document, Message, Run, RunId};

/// The time of a clock that a test sets, in Unix milliseconds.
#[derive(Clone, Default)]
pub(super) struct Time(Rc<Cell<i64>>);

impl Time {
    pub(super) fn pass(&self, millis: i64) {
        self.0.set(self.0.get() + millis);
    }

    pub(super) fn set(&self, millis: i64) {
        self.0.set(millis);
    }
}

pub(super) fn clock() -> (Clock, Time) {
    let time = Time::default();
    let millis = time.0.clone();
    let now = move || Timestamp::from_millisecond(millis.get()).expect("in range");
    (Clock::new(now, TimeZone::UTC), time)
}

pub(super) fn id(number: u32) -> RunId {
    format!("run-{number:08}-ca1d-48fb-a2e2-b5c282725f77").parse().expect("a run id")
}

fn run(number: u32, status: &str) -> Rc<Run> {
    let object = json!({"id": id(number).as_str(), "status": status});
    Rc::new(Run::from_document(Document::from_value(object)).expect("a run"))
}

pub(super) fn status(number: u32, status: &str) -> Event {
    Event::Status { run: run(number, status) }
}

pub(super) fn message(number: u32, value: Value) -> Event {
    Event::Message { id: id(number), message: Message::new(Document::from_value(value)) }
}

/// Returns the end of a run that took 4.23 s.
pub(super) fn ended(number: u32, status: &str) -> Event {
    let run = run(number, status);
    let mut facts = facts(&run, outcome(&run, Duration::ZERO), &Details::default());
    facts.duration_ns = Some(4_230_000_000);
    Event::Ended(Rc::new(EndedRun { run, facts, messages: None }))
}

pub(super) fn poll_error(error: &str) -> Event {
    let retry_in = Duration::from_secs(5);
    let down_for = Duration::from_secs(12);
    Event::PollError { id: None, error: error.to_owned(), retry_in, down_for }
}

pub(super) fn recovered(seconds: u64) -> Event {
    Event::Recovered { down_for: Duration::from_secs(seconds) }
}

/// A terminal in memory that can be resized and records all output.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    inner: InMemoryTerm,
    columns: Arc<AtomicU16>,
    written: Arc<Mutex<Vec<String>>>,
}

impl Screen {
    pub(super) fn new(rows: u16, columns: u16) -> Self {
        let columns_now = Arc::new(AtomicU16::new(columns));
        Self { inner: InMemoryTerm::new(rows, columns), columns: columns_now, written: Arc::default() }
    }

    pub(super) fn resize(&self, columns: u16) {
        self.columns.store(columns, Ordering::Relaxed);
        self.written.lock().expect("one thread").clear();
    }

    pub(super) fn contents(&self) -> String {
        self.inner.contents()
    }

    /// Returns all output without cursor movements.
    pub(super) fn bytes(&self) -> String {
        self.written.lock().expect("one thread").concat()
    }

    pub(super) fn writes(&self) -> usize {
        self.written.lock().expect("one thread").len()
    }

    /// Returns how often the line of the first run was drawn.
    pub(super) fn frames(&self) -> usize {
        self.bytes().matches("run-00000001").count()
    }

    /// Returns the width of the widest text since the last resize.
    pub(super) fn widest(&self) -> usize {
        self.written.lock().expect("one thread").iter().map(|text| text.width()).max().unwrap_or_default()
    }

    fn note(&self, text: &str) {
        self.written.lock().expect("one thread").push(text.to_owned());
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.columns.load(Ordering::Relaxed)
    }

    fn height(&self) -> u16 {
        self.inner.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.inner.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.inner.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.inner.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.inner.move_cursor_left(n)
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.note(s);
        self.inner.write_line(s)
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.note(s);
        self.inner.write_str(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.inner.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.inner.flush()
    }
}
