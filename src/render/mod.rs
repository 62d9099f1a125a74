//! Renders runs, agents and messages, for people and as JSON. Pure: values in, pages and lines out.
//!
//! Output for people is a [`crate::text::page::Page`] that fits the width in [`Context`]. Ids and commands to paste are
//! never cut or wrapped, so only their lines can be wider.

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

/// The terminal, the time and the server that human output depends on.
#[derive(Clone, Debug)]
pub struct Context {
    /// Width, locale and colours.
    pub style: Style,
    /// The current time, for relative times.
    pub now: Timestamp,
    /// The time zone of local times.
    pub zone: TimeZone,
    /// The flags that make a suggested command use the same server, with a leading space, such as ` --local`.
    pub command_suffix: String,
}

impl Context {
    /// Returns the most columns of a line.
    fn columns(&self) -> usize {
        self.style.width.unwrap_or(usize::MAX)
    }

    /// Returns untrusted text as one escaped line. Characters that the locale lacks are replaced before the width is
    /// computed, since the replacement can be wider.
    fn line(&self, untrusted: &str) -> String {
        let shown = show_line(untrusted);
        if self.style.ascii { ascii(shown.as_str()) } else { shown.to_string() }
    }

    /// Returns what [`Self::line`] returns, cut to a number of columns.
    fn clip(&self, untrusted: &str, columns: usize) -> String {
        fit_with(&self.line(untrusted), columns, if self.style.ascii { "..." } else { "…" })
    }

    /// Returns the text of a table cell. It is cut only on a terminal.
    fn cell(&self, untrusted: &str, columns: usize) -> String {
        self.clip(untrusted, if self.style.width.is_some() { columns } else { usize::MAX })
    }

    /// Returns a time: local and relative, or in UTC.
    fn time(&self, at: Timestamp) -> String {
        if self.style.utc {
            return time::rfc3339(at);
        }
        format!("{}, {} ago", time::local(at, &self.zone), time::age(at, self.now))
    }

    /// Returns a command about a run, ready to paste into a shell.
    fn command(&self, verb: &str, run: &RunId) -> String {
        format!("agentctl {verb} {run}{}", self.command_suffix)
    }
}

/// Values for tests of rendering.
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

    /// Returns a run that succeeded, with keys replaced or added.
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
