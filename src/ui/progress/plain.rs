//! Progress as lines: one for each change, and a heartbeat after 30 s without one.

use std::time::Duration;

use jiff::Timestamp;

use super::Clock;
use super::board::{Board, Row, RunState};
use super::clock::passed;
use super::outage::{CurrentOutage, recovered};
use crate::follow::event::{EndedRun, Event};
use crate::model::{Run, RunId};
use crate::text::count::plural;
use crate::text::duration::{format_ns, format_whole_seconds};
use crate::text::page::Page;

/// The longest time without a line.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A display that appends lines with timestamps. It never redraws and writes no escape codes.
pub struct Plain {
    board: Board,
    clock: Clock,
    utc: bool,
    spoke_at: Timestamp,
}

impl Plain {
    /// Returns a display with local timestamps, or RFC 3339 in UTC.
    pub fn new(utc: bool, clock: Clock) -> Self {
        let now = clock.now();
        Self { board: Board::new(now), clock, utc, spoke_at: now }
    }

    /// Applies an event and returns the lines to print, usually none or one.
    pub fn event(&mut self, event: &Event) -> Page {
        let now = self.clock.now();
        let was_down = self.board.outage.is_some();
        self.board.apply(event, now);
        let Some(text) = self.text(event, was_down, now) else { return Page::new() };
        self.spoke_at = now;
        Page::new().show(&self.clock.stamp(now, self.utc)).say(" ").page(text).end()
    }

    fn text(&self, event: &Event, was_down: bool, now: Timestamp) -> Option<Page> {
        match event {
            // `Event::Ended` follows at once, with more detail.
            Event::Status { run } if run.status().is_terminal() => None,
            Event::Status { run } => Some(status(run)),
            Event::Step { id, number, .. } => Some(about(id).say("step ").show(&number.to_string())),
            Event::Ended(ending) => Some(ended(ending)),
            Event::PollError { .. } if was_down => None,
            Event::PollError { .. } => self.board.outage.as_ref().map(|outage| down(outage, now)),
            Event::Recovered { down_for } => was_down.then(|| Page::new().show(&recovered(*down_for))),
            Event::Tick if passed(HEARTBEAT, self.spoke_at, now) => self.heartbeat(now),
            // The command prints these itself.
            Event::Note { .. } | Event::Stalled { .. } | Event::Callback { .. } | Event::Lost { .. } => None,
            Event::Added { .. } | Event::Message { .. } | Event::Tick => None,
        }
    }

    fn heartbeat(&self, now: Timestamp) -> Option<Page> {
        match self.board.rows.as_slice() {
            rows if rows.iter().all(|row| row.state != RunState::Open) => None,
            [row] => Some(going_on(row, now)),
            _ => Some(Page::new().show(&self.board.total(now))),
        }
    }
}

fn about(id: &RunId) -> Page {
    Page::new().show(id.as_str()).say(" ")
}

fn status(run: &Run) -> Page {
    let status = run.status();
    let word = if status.as_str().is_empty() { "no status" } else { status.as_str() };
    let page = about(run.id()).show_line(word);
    match run.stop_reason() {
        Some(reason) => page.say(", ").show_line(reason.as_str()),
        None => page,
    }
}

fn ended(ending: &EndedRun) -> Page {
    let page = about(ending.run.id()).say(ending.facts.outcome.words());
    match ending.facts.duration_ns {
        Some(nanos) => page.say(" after ").show(&format_ns(Some(nanos))),
        None => page,
    }
}

fn down(outage: &CurrentOutage, now: Timestamp) -> Page {
    Page::new().show(&outage.text(now, usize::MAX))
}

fn going_on(row: &Row, now: Timestamp) -> Page {
    let page = about(&row.id).show(row.word()).say(" for ").show(&format_whole_seconds(row.elapsed(now)));
    if row.steps == 0 { page } else { page.say(", ").show(&plural(row.steps as u64, "step")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::samples::{Time, clock, ended, id, poll_error, recovered, status};
    use proptest::prelude::*;

    fn plain() -> (Plain, Time) {
        let (clock, time) = clock();
        (Plain::new(false, clock), time)
    }

    fn text(plain: &mut Plain, events: &[Event]) -> String {
        events.iter().map(|event| plain.event(event).text(true)).collect()
    }

    #[test]
    fn every_change_is_a_line_with_a_time() {
        let (mut plain, time) = plain();
        let first = text(&mut plain, &[status(1, "created"), status(1, "running")]);
        time.pass(4200);
        let step = Event::Step { id: id(1), step_id: "step-1".to_owned(), number: 1 };
        let note = Event::Note { id: id(1), text: "odd\u{1b}[2J\nthing".to_owned() };
        let then = text(&mut plain, &[step, note, Event::Tick, status(1, "completed"), ended(1, "completed")]);
        insta::assert_snapshot!(format!("{first}{then}"), @r"
        00:00:00 run-00000001-ca1d-48fb-a2e2-b5c282725f77 created
        00:00:00 run-00000001-ca1d-48fb-a2e2-b5c282725f77 running
        00:00:04 run-00000001-ca1d-48fb-a2e2-b5c282725f77 step 1
        00:00:04 run-00000001-ca1d-48fb-a2e2-b5c282725f77 succeeded after 4.2 s
        ");
    }

    #[test]
    fn a_heartbeat_is_printed_after_thirty_seconds_without_a_line() {
        let (mut plain, time) = plain();
        let mut said = text(&mut plain, &[status(1, "running")]);
        for _ in 0..65 {
            time.pass(1000);
            said += &text(&mut plain, &[Event::Tick]);
        }
        said += &text(&mut plain, &[status(2, "running")]);
        time.pass(30_000);
        said += &text(&mut plain, &[Event::Tick, ended(1, "completed"), ended(2, "failed")]);
        time.pass(30_000);
        said += &text(&mut plain, &[Event::Tick]);
        insta::assert_snapshot!(said, @"
        00:00:00 run-00000001-ca1d-48fb-a2e2-b5c282725f77 running
        00:00:30 run-00000001-ca1d-48fb-a2e2-b5c282725f77 running for 30 s
        00:01:00 run-00000001-ca1d-48fb-a2e2-b5c282725f77 running for 1 m 0 s
        00:01:05 run-00000002-ca1d-48fb-a2e2-b5c282725f77 running
        00:01:35 2 runs: 2 open · 1 m 35 s
        00:01:35 run-00000001-ca1d-48fb-a2e2-b5c282725f77 succeeded after 4.2 s
        00:01:35 run-00000002-ca1d-48fb-a2e2-b5c282725f77 failed after 4.2 s
        ");
    }

    #[test]
    fn an_outage_prints_two_lines_for_any_number_of_retries() {
        let (mut plain, time) = plain();
        let mut said = String::new();
        for _ in 0..5 {
            said += &text(&mut plain, &[poll_error("connection refused")]);
            time.pass(5000);
        }
        said += &text(&mut plain, &[recovered(37), recovered(37)]);
        insta::assert_snapshot!(said, @"
        00:00:00 no answer from the server for 12 s: connection refused; next try in 5 s
        00:00:25 the server answers again after 37 s
        ");
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_the_heartbeat() {
        let (mut plain, time) = plain();
        time.pass(3_600_000);
        text(&mut plain, &[status(1, "running")]);
        time.set(0);
        assert_eq!(text(&mut plain, &[Event::Tick]).lines().count(), 1);
    }

    proptest! {
        #[test]
        fn no_escape_code_is_ever_printed(word: String, error: String) {
            let (mut plain, _) = plain();
            let note = Event::Note { id: id(1), text: error.clone() };
            let said = text(&mut plain, &[status(1, &word), poll_error(&error), note]);
            prop_assert!(!said.chars().any(crate::text::show::is_hidden));
            prop_assert!(said.lines().count() <= 3);
        }
    }
}
