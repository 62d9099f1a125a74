//! Runs and messages as people and scripts get them. Pure: values in, pages and lines out.
//!
//! Everything for people is a [`crate::text::page::Page`] and fits the width in [`Context`]. Only ids and commands to
//! paste are never cut or broken: they alone may make a line that is wider.

pub mod card;
pub mod detail;
mod fields;
mod grid;
pub mod json;
pub mod summary;
pub mod table;
pub mod transcript;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::RunId;
use crate::text::ascii::ascii;
use crate::text::show::{fit_with, show_line};
use crate::text::style::Style;
use crate::text::time;

/// What human output depends on besides the values that it shows.
#[derive(Clone, Debug)]
pub struct Context {
    /// Width, locale and habits of the reader.
    pub style: Style,
    /// The present.
    pub now: Timestamp,
    /// The zone of local times.
    pub zone: TimeZone,
    /// What a command needs behind it to reach the same server, with its leading space, such as ` --local`.
    pub command_suffix: String,
}

impl Context {
    /// The columns that a line may take.
    fn columns(&self) -> usize {
        self.style.width.unwrap_or(usize::MAX)
    }

    /// One safe line in the characters of the locale, so that it is not wider once it is printed.
    fn line(&self, untrusted: &str) -> String {
        let shown = show_line(untrusted);
        if self.style.ascii { ascii(shown.as_str()) } else { shown.to_string() }
    }

    /// The same, cut to a number of columns.
    fn clip(&self, untrusted: &str, columns: usize) -> String {
        fit_with(&self.line(untrusted), columns, if self.style.ascii { "..." } else { "…" })
    }

    /// A cell of a table; off a terminal it may be as wide as its text.
    fn cell(&self, untrusted: &str, columns: usize) -> String {
        self.clip(untrusted, if self.style.width.is_some() { columns } else { usize::MAX })
    }

    /// A point in time: local and relative, or in UTC.
    fn time(&self, at: Timestamp) -> String {
        if self.style.utc {
            return time::rfc3339(at);
        }
        format!("{}, {} ago", time::local(at, &self.zone), time::age(at, self.now))
    }

    /// A command about a run, fit to be pasted into a shell.
    fn command(&self, verb: &str, run: &RunId) -> String {
        format!("agentctl {verb} {run}{}", self.command_suffix)
    }
}

/// Values for the tests of this room.
#[cfg(test)]
mod samples {
    use serde_json::{Value, json};

    use super::*;
    use crate::core::facts::{self, Details, Facts};
    use crate::core::outcome::outcome;
    use crate::model::{Document, Message, Run};

    pub(super) const RUN: &str = "run-7977cf8e-ca1d-48fb-a2e2-b5c282725f77";

    pub(super) fn context(width: Option<usize>) -> Context {
        Context {
            style: Style { width, ..Style::default() },
            now: "2026-11-23T14:59:20Z".parse().expect("a time"),
            zone: TimeZone::UTC,
            command_suffix: " --local".to_owned(),
        }
    }

    /// A run that ended well, with keys replaced or added.
    pub(super) fn run(changes: Value) -> Run {
        let mut object = json!({
            "id": RUN,
            "agent_id": "agent-11111111-1111-4111-8111-111111111111",
            "status": "completed",
            "stop_reason": "end_turn",
            "created_at": "2026-11-23T14:56:08",
            "total_duration_ns": 4_230_000_000_u64,
            "ttft_ns": 310_000_000,
        });
        let changes = changes.as_object().expect("an object").clone();
        object.as_object_mut().expect("an object").extend(changes);
        Run::from_document(Document::from_value(object)).expect("a run")
    }

    pub(super) fn facts_of(run: &Run) -> Facts {
        let details = Details {
            metrics: Some(Document::from_value(json!({"num_steps": 3}))),
            usage: Some(Document::from_value(json!({"total_tokens": 812}))),
            steps: vec![],
        };
        facts::facts(run, outcome(run, std::time::Duration::ZERO), &details)
    }

    pub(super) fn message(value: Value) -> Message {
        Message::new(Document::from_value(value))
    }
}
