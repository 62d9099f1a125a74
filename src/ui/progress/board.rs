//! The state of the followed runs that a display shows.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::clock::since;
use super::outage::CurrentOutage;
use crate::core::Outcome;
use crate::follow::event::{EndedRun, Event};
use crate::model::{Message, Run, RunId};
use crate::text::count::tally;
use crate::text::duration::format_whole_seconds;
use crate::text::show::clip;

/// The most columns of a text that are kept: more than one line of a display can show.
const TEXT_MAX: usize = 120;

/// The followed runs, in the order in which they were added, and the current outage.
pub(super) struct Board {
    pub(super) rows: Vec<Row>,
    pub(super) outage: Option<CurrentOutage>,
    index: HashMap<RunId, usize>,
    began: Timestamp,
}

/// The state of one run. Its texts are escaped and have one line.
pub(super) struct Row {
    pub(super) id: RunId,
    pub(super) state: RunState,
    /// The server's status; empty before the first poll.
    pub(super) status: String,
    pub(super) steps: usize,
    /// The name of the last tool call.
    pub(super) tool: Option<String>,
    /// The agent's last message.
    pub(super) said: Option<String>,
    began: Timestamp,
    took: Option<Duration>,
}

/// Whether a run is open, has ended, or cannot be followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunState {
    Open,
    Ended(Outcome),
    /// Following it failed.
    Lost,
}

impl Board {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { rows: vec![], outage: None, index: HashMap::new(), began: now }
    }

    pub(super) fn apply(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Added { id, run } => self.row(id, now).seen(run.as_deref(), now),
            Event::Status { run } => self.row(run.id(), now).seen(Some(run), now),
            Event::Step { id, number, .. } => self.row(id, now).steps = *number,
            Event::Message { id, message } => self.row(id, now).heard(message),
            Event::PollError { error, retry_in, down_for, .. } => {
                self.outage = Some(CurrentOutage::new(error, *down_for, *retry_in, now));
            }
            Event::Recovered { .. } => self.outage = None,
            Event::Ended(ending) => self.row(ending.run.id(), now).ended(ending, now),
            Event::Lost { id, .. } => self.row(id, now).stop(RunState::Lost, None, now),
            Event::Note { .. } | Event::Stalled { .. } | Event::Callback { .. } | Event::Tick => {}
        }
    }

    /// Returns the counts by state on one line: `12 runs: 3 open, 8 succeeded, 1 failed · 42 s`.
    pub(super) fn total(&self, now: Timestamp) -> String {
        let mut states: Vec<RunState> = self.rows.iter().map(|row| row.state).collect();
        states.sort_by_key(|state| state.order());
        let words: Vec<&str> = states.into_iter().map(RunState::words).collect();
        format!("{} · {}", tally("run", &words), format_whole_seconds(since(self.began, now)))
    }

    /// Returns the row of a run. Adds one if the run has none.
    pub(super) fn row(&mut self, id: &RunId, now: Timestamp) -> &mut Row {
        let at = *self.index.entry(id.clone()).or_insert(self.rows.len());
        if at == self.rows.len() {
            self.rows.push(Row::new(id.clone(), now));
        }
        &mut self.rows[at]
    }
}

impl Row {
    fn new(id: RunId, now: Timestamp) -> Self {
        let status = String::new();
        Self { id, state: RunState::Open, status, steps: 0, tool: None, said: None, began: now, took: None }
    }

    /// Returns how long the run took, or the time since its start while it is open.
    pub(super) fn elapsed(&self, now: Timestamp) -> Duration {
        self.took.unwrap_or_else(|| since(self.began, now))
    }

    /// Returns the outcome, or the server's status while the run is open.
    pub(super) fn word(&self) -> &str {
        match self.state {
            RunState::Open if self.status.is_empty() => self.state.words(),
            RunState::Open => &self.status,
            state => state.words(),
        }
    }

    fn seen(&mut self, run: Option<&Run>, now: Timestamp) {
        let Some(run) = run else { return };
        self.status = clip(run.status().as_str(), TEXT_MAX);
        // If the server's clock is ahead, `created_at` is in the future.
        self.began = run.created_at().map_or(self.began, |created| created.min(now));
    }

    fn heard(&mut self, message: &Message) {
        if let Some(call) = message.tool_calls().last() {
            self.tool = Some(clip(&call.name, TEXT_MAX));
        }
        if let Some(words) = message.reply() {
            self.said = Some(clip(&words, TEXT_MAX));
        }
    }

    fn ended(&mut self, ending: &EndedRun, now: Timestamp) {
        self.seen(Some(&ending.run), now);
        self.stop(RunState::Ended(ending.facts.outcome), ending.facts.duration_ns.map(Duration::from_nanos), now);
    }

    fn stop(&mut self, state: RunState, took: Option<Duration>, now: Timestamp) {
        self.took = Some(took.unwrap_or_else(|| since(self.began, now)));
        self.state = state;
    }
}

impl RunState {
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Open => Outcome::Open.words(),
            Self::Ended(outcome) => outcome.words(),
            Self::Lost => "lost",
        }
    }

    /// Returns the sort key in the total: open runs first, then the outcomes, best first, then lost runs.
    fn order(self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Ended(outcome) => 1 + outcome as u8,
            Self::Lost => u8::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::samples::{ended, id, message, status};
    use serde_json::json;

    #[test]
    fn a_row_has_the_latest_status_step_tool_and_message() {
        let now = Timestamp::UNIX_EPOCH;
        let mut board = Board::new(now);
        let call = json!({"name": "look\u{1b}[2J", "tool_call_id": "call_1"});
        for event in [
            status(1, "running"),
            Event::Step { id: id(1), step_id: "step-1".to_owned(), number: 2 },
            message(1, json!({"message_type": "tool_call_message", "tool_call": call})),
            message(1, json!({"message_type": "assistant_message", "content": "a\nb"})),
        ] {
            board.apply(&event, now);
        }
        let row = board.row(&id(1), now);
        assert_eq!((row.word(), row.steps), ("running", 2));
        assert_eq!((row.tool.as_deref(), row.said.as_deref()), (Some("look\\u{1b}[2J"), Some("a b")));
    }

    #[test]
    fn the_total_begins_with_open_runs_and_ends_with_lost_ones() {
        let now = Timestamp::UNIX_EPOCH;
        let mut board = Board::new(now);
        let failure = crate::report::Failure::usage("gone");
        board.apply(&Event::Lost { id: id(1), run: None, failure }, now);
        for event in [ended(2, "failed"), ended(3, "completed"), status(4, "running")] {
            board.apply(&event, now);
        }
        let later = Timestamp::from_second(42).expect("in range");
        assert_eq!(board.total(later), "4 runs: 1 open, 1 succeeded, 1 failed, 1 lost · 42 s");
    }
}
