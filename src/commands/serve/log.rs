//! The log of the server on standard error: a line per start, stop and refusal, with `-v` one per request.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::commands::Ctx;
use crate::global::Format;
use crate::server::access::AccessEvent;
use crate::text::count::plural;
use crate::text::duration;
use crate::text::page::Page;
use crate::ui::signals::Signal;

/// How many events may wait to be written. Further ones are dropped: requests must not wait for a terminal.
const CAPACITY: usize = 1024;

/// The log of a server.
pub struct Log<'a> {
    ctx: &'a Ctx,
    notes: mpsc::Receiver<AccessEvent>,
    ear: mpsc::Sender<AccessEvent>,
}

/// A line of the log.
#[derive(Debug)]
pub enum LogLine<'a> {
    /// The server is ready.
    Started {
        /// The base URL.
        base: &'a str,
        /// The database file, or `None` for a database in memory.
        database: Option<&'a Path>,
        /// Whether a key is needed.
        keyed: bool,
    },
    /// The server is not in the registry, so agentctl will not find its key.
    Unlisted(&'a str),
    /// An access event of the port.
    Access(&'a AccessEvent),
    /// The server accepts no more requests.
    Stopping {
        /// The signal that asked for it.
        signal: Signal,
        /// How many runs are still executing.
        at_work: usize,
    },
    /// The server has stopped.
    Stopped {
        /// How many runs the next start continues.
        at_work: usize,
    },
}

impl<'a> Log<'a> {
    /// Creates the log.
    pub fn new(ctx: &'a Ctx) -> Self {
        let (ear, notes) = mpsc::channel(CAPACITY);
        Self { ctx, notes, ear }
    }

    /// Logs events from any thread.
    pub fn observer(&self) -> impl Fn(AccessEvent) + Send + Sync + 'static {
        let ear = self.ear.clone();
        let chatty = self.ctx.global.verbose > 0;
        move |note| {
            if chatty || matches!(note, AccessEvent::Rejected(_) | AccessEvent::Failed { .. }) {
                // Dropped if the channel is full: see `CAPACITY`.
                let _ = ear.try_send(note);
            }
        }
    }

    /// Writes the next event, once there is one.
    pub async fn next(&mut self) {
        if let Some(note) = self.notes.recv().await {
            self.print(&LogLine::Access(&note));
        }
    }

    /// Writes a line.
    pub fn print(&self, line: &LogLine<'_>) {
        match self.ctx.global.output {
            _ if self.ctx.io.quiet => {}
            Some(Format::Json) => self.ctx.io.say_line(&line.json().to_string()),
            _ => self.ctx.io.say(&line.page()),
        }
    }
}

impl LogLine<'_> {
    fn page(&self) -> Page {
        let page = Page::new();
        match self {
            Self::Started { base, database, keyed } => {
                let page = page.say("serving ").show(base).say(", from ");
                let page = page.show_line(&database.map_or("memory".to_owned(), |path| path.display().to_string()));
                page.say(if *keyed { "; agentctl finds the key" } else { "; without a key" })
            }
            Self::Unlisted(why) => page.say("agentctl will not find the key by itself: ").show_line(why),
            Self::Access(AccessEvent::Rejected(why)) => page.say("refused: ").show_line(why),
            Self::Access(AccessEvent::Failed { method, path, error }) => {
                let page =
                    page.say("a bug in agentctl, ").show(&error.id).say(": ").show_line(method.as_str()).say(" ");
                page.show_line(path).say(" ").show_line(&error.message)
            }
            Self::Access(AccessEvent::Answered { method, path, status, took }) => {
                let page = page.show_line(method.as_str()).say(" ").show_line(path).say(" -> ");
                page.show_line(status.as_str()).say(" in ").show(&duration::format(*took))
            }
            Self::Stopping { signal, at_work: 0 } => page.say("stopping: ").say(name(*signal)),
            Self::Stopping { signal, at_work } => {
                let page = page.say("stopping: ").say(name(*signal)).say("; finishing ").show(&runs(*at_work));
                page.say(", at most 10 s; a second signal ends it at once")
            }
            Self::Stopped { at_work: 0 } => page.say("stopped"),
            Self::Stopped { at_work } => page.say("stopped; ").show(&runs(*at_work)).say(" left to the next start"),
        }
        .end()
    }

    fn json(&self) -> Value {
        let mut line = json!({"v": 1, "time": Timestamp::now().to_string()});
        let more = match self {
            Self::Started { base, database, keyed } => json!({
                "type": "started", "base_url": base, "database": database.map(Path::to_string_lossy), "key": keyed,
            }),
            Self::Unlisted(why) => json!({"type": "unlisted", "reason": why}),
            Self::Access(AccessEvent::Rejected(why)) => json!({"type": "refused", "reason": why}),
            Self::Access(AccessEvent::Failed { method, path, error }) => json!({
                "type": "bug", "error_id": error.id, "method": method.as_str(), "path": path, "reason": error.message,
            }),
            Self::Access(AccessEvent::Answered { method, path, status, took }) => json!({
                "type": "request", "method": method.as_str(), "path": path, "status": status.as_u16(),
                "duration_ns": u64::try_from(took.as_nanos()).unwrap_or(u64::MAX),
            }),
            Self::Stopping { signal, at_work } => {
                json!({"type": "stopping", "signal": name(*signal), "runs_at_work": at_work})
            }
            Self::Stopped { at_work } => json!({"type": "stopped", "runs_at_work": at_work}),
        };
        if let (Value::Object(line), Value::Object(more)) = (&mut line, more) {
            line.extend(more);
        }
        line
    }
}

fn runs(count: usize) -> String {
    plural(count as u64, "run")
}

fn name(signal: Signal) -> &'static str {
    match signal {
        Signal::Interrupt => "SIGINT",
        Signal::Terminate => "SIGTERM",
        Signal::Hangup => "SIGHUP",
    }
}
