//! Applies the results of polls: events, ends and failures.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::details::{DetailOptions, EndDetails};
use super::follower::Follower;
use super::poll::{self, OpenRuns, PollResult};
use super::tracked::Tracked;
use super::transcript::UnreportedMessage;
use super::{EndedRun, Event, Messages};
use crate::api::ApiError;
use crate::api::endpoints::Active;
use crate::core::facts::{Details, facts};
use crate::core::{Outcome, retry};
use crate::exit::Exit;
use crate::model::{Message, Run, RunId};
use crate::report::Failure;

impl Follower<'_> {
    /// Applies the result of a poll.
    pub(super) fn apply(&mut self, result: PollResult) -> Result<(), Failure> {
        match result {
            PollResult::Run { id, run, messages } => self.apply_run(&id, run, messages),
            PollResult::List { asked_at, runs } => self.apply_list(asked_at, runs),
            PollResult::Details { id, details } => self.apply_details(&id, *details),
        }
    }

    fn apply_run(
        &mut self,
        id: &RunId,
        run: Result<Run, ApiError>,
        messages: Option<Vec<Message>>,
    ) -> Result<(), Failure> {
        let Some(at) = self.tracked.iter().position(|tracked| tracked.id == *id) else { return Ok(()) };
        self.tracked[at].schedule.set_due(Instant::now());
        match run {
            Err(error) => self.failed_poll(at, &error),
            Ok(run) => {
                self.server_answered()?;
                self.update(at, run)?;
                self.add_messages(at, messages.unwrap_or_default())?;
                self.settle(at)
            }
        }
    }

    /// Ends an outage, if there was one.
    fn server_answered(&mut self) -> Result<(), Failure> {
        self.answered = true;
        match self.outage.succeeded(Instant::now()) {
            Some(down_for) => (self.emit)(Event::Recovered { down_for }),
            None => Ok(()),
        }
    }

    fn update(&mut self, at: usize, run: Run) -> Result<(), Failure> {
        let now = Instant::now();
        let tracked = &mut self.tracked[at];
        let changed = tracked.update(run, now, Timestamp::now());
        let called_back = tracked.newly_called_back();
        let Some(run) = tracked.run.clone() else { return Ok(()) };
        if changed {
            tracked.changed(now);
            (self.emit)(Event::Status { run: run.clone() })?;
        }
        if called_back { (self.emit)(Event::Callback { run }) } else { Ok(()) }
    }

    fn add_messages(&mut self, at: usize, messages: Vec<Message>) -> Result<(), Failure> {
        let id = self.tracked[at].id.clone();
        let new = self.tracked[at].transcript.add(messages);
        if !new.is_empty() {
            self.tracked[at].changed(Instant::now());
        }
        self.emit_messages(&id, new)
    }

    fn emit_messages(&mut self, id: &RunId, new: Vec<UnreportedMessage>) -> Result<(), Failure> {
        for UnreportedMessage { message, step } in new {
            if let Some((step_id, number)) = step {
                (self.emit)(Event::Step { id: id.clone(), step_id, number })?;
            }
            (self.emit)(Event::Message { id: id.clone(), message })?;
        }
        Ok(())
    }

    /// Fetches the details of a run that has ended, or plans its next poll.
    fn settle(&mut self, at: usize) -> Result<(), Failure> {
        let now = Instant::now();
        let outcome = self.tracked[at].outcome(now);
        if outcome != Outcome::Open && self.end_is_confirmed(at, now) && !self.awaits_callback(at)? {
            let tracked = self.tracked.swap_remove(at);
            if let Some(run) = tracked.run.clone() {
                let options = DetailOptions {
                    messages: self.options.messages,
                    figures: self.options.figures,
                    just_ended: tracked.was_open,
                };
                self.polls.push(poll::details(self.api, run, outcome, options));
                self.ending.push(tracked);
            }
            return Ok(());
        }
        if outcome == Outcome::Open && self.stalls(at, now) {
            return self.stall(at, now);
        }
        self.plan_next(at, now);
        if self.tracked[at].newly_odd_stop_reason() {
            let text =
                "the stop reason is set, but the status says that the run goes on; watching for 10 s more".to_owned();
            let id = self.tracked[at].id.clone();
            return (self.emit)(Event::Note { id, text });
        }
        Ok(())
    }

    /// Returns whether polls have shown the run ended for long enough.
    fn end_is_confirmed(&mut self, at: usize, now: Instant) -> bool {
        self.tracked[at].phase.end(now) >= self.options.confirm_end_for
    }

    fn failed_poll(&mut self, at: usize, error: &ApiError) -> Result<(), Failure> {
        let now = Instant::now();
        if error.status == Some(404) && !self.tracked[at].missing_is_final(now) {
            self.tracked[at].schedule.set_due(now + Duration::from_millis(500));
            return Ok(());
        }
        if !self.answered && error.status.is_none() {
            return self.lose_all(error);
        }
        if !self.answered || !retry::passing(error.try_error()) {
            let tracked = self.tracked.swap_remove(at);
            // An error status is an answer too.
            self.answered |= error.status.is_some();
            let failure = lost(error, &tracked);
            return self.lose(tracked, failure);
        }
        let id = self.tracked[at].id.clone();
        self.outage_goes_on(Some(id), error)
    }

    /// Gives up all runs: the server does not answer the first request.
    fn lose_all(&mut self, error: &ApiError) -> Result<(), Failure> {
        self.stopping = true;
        for tracked in std::mem::take(&mut self.tracked) {
            let failure = lost(error, &tracked);
            self.lose(tracked, failure)?;
        }
        Ok(())
    }

    fn outage_goes_on(&mut self, id: Option<RunId>, error: &ApiError) -> Result<(), Failure> {
        let (retry_in, down_for) = self.outage.failed(Instant::now(), error.try_error(), fastrand::f64());
        (self.emit)(Event::PollError { id, error: error.words(), retry_in, down_for })
    }

    fn apply_list(&mut self, asked_at: Instant, runs: Result<OpenRuns, ApiError>) -> Result<(), Failure> {
        self.list.in_flight = false;
        let now = Instant::now();
        let runs = match runs {
            Ok(runs) => runs,
            Err(error) => return self.failed_list(&error),
        };
        self.server_answered()?;
        if !runs.complete {
            // Too many other runs are open: polling each followed run costs less than the list.
            self.list.active = Active::Any;
            return Ok(());
        }
        self.list.due = now + self.list_delay(now);
        self.compare(asked_at, &runs.runs)
    }

    fn failed_list(&mut self, error: &ApiError) -> Result<(), Failure> {
        match poll::fallback_filter(error, self.list.active) {
            Some(active) => self.list.active = active,
            None if retry::passing(error.try_error()) => return self.outage_goes_on(None, error),
            // Without a list, each run is polled by itself.
            None => self.list.active = Active::Any,
        }
        Ok(())
    }

    /// Applies a complete list. A listed run is open. A missing one may have ended, so it is polled by itself.
    fn compare(&mut self, asked_at: Instant, open: &[Run]) -> Result<(), Failure> {
        let open: HashMap<&RunId, &Run> = open.iter().map(|run| (run.id(), run)).collect();
        for at in 0..self.tracked.len() {
            let tracked = &mut self.tracked[at];
            match open.get(&tracked.id) {
                Some(run) if run.stop_reason().is_none() => self.listed(at, (*run).clone())?,
                // Followed since the list was requested: it may be too new for the list.
                None if tracked.since >= asked_at => {}
                _ => tracked.schedule.poll_now(Instant::now()),
            }
        }
        Ok(())
    }

    /// Updates a run that the list shows open. Lists can be stale, so that its own polls go on, rarely.
    fn listed(&mut self, at: usize, run: Run) -> Result<(), Failure> {
        let now = Instant::now();
        let first = !self.tracked[at].phase.is_seen();
        self.update(at, run)?;
        if first && !self.tracked[at].schedule.is_in_flight() {
            self.plan_next(at, now);
        }
        Ok(())
    }

    fn apply_details(&mut self, id: &RunId, details: EndDetails) -> Result<(), Failure> {
        let Some(at) = self.ending.iter().position(|tracked| tracked.id == *id) else { return Ok(()) };
        let mut tracked = self.ending.swap_remove(at);
        let messages = match details.messages {
            Ok(messages) => messages,
            Err(error) => return self.failed_end(tracked, &error),
        };
        if self.options.messages == Messages::Live {
            // Messages that appeared after the last poll.
            let new = tracked.transcript.add(messages.clone().unwrap_or_default());
            self.emit_messages(&tracked.id, new)?;
        }
        self.end(tracked, &details.details, messages)
    }

    /// Emits the end of a run.
    pub(super) fn end(
        &mut self,
        tracked: Tracked,
        details: &Details,
        messages: Option<Vec<Message>>,
    ) -> Result<(), Failure> {
        let outcome = tracked.outcome(Instant::now());
        let Some(run) = tracked.run else { return Ok(()) };
        let exit = outcome.exit(self.options.strict);
        self.exits.push(exit);
        self.stopping |= self.options.any || (self.options.fail_fast && exit != Exit::Done);
        let facts = facts(&run, outcome, details);
        (self.emit)(Event::Ended(Rc::new(EndedRun { run, facts, messages })))
    }

    /// Follows a run again whose messages could not be fetched at its end, for as long as an outage may last.
    fn failed_end(&mut self, mut tracked: Tracked, error: &ApiError) -> Result<(), Failure> {
        let failing_for = tracked.phase.messages_failed(Instant::now());
        if !retry::passing(error.try_error()) || failing_for >= self.options.max_outage {
            let failure = lost(error, &tracked);
            return self.lose(tracked, failure);
        }
        let id = tracked.id.clone();
        tracked.schedule.poll_now(Instant::now());
        self.tracked.push(tracked);
        self.outage_goes_on(Some(id), error)
    }
}

/// Returns the failure of a run that cannot be followed any more.
///
/// If this command sent the run, its message was accepted. Exits that say otherwise become `TimedOut`.
fn lost(error: &ApiError, tracked: &Tracked) -> Failure {
    let mut failure = error.failure().run(&tracked.id);
    let about_sending =
        matches!(failure.exit, Exit::Usage | Exit::Unreachable | Exit::Unknown | Exit::NotThisApi | Exit::Refused);
    if tracked.sent_here && about_sending {
        failure.exit = Exit::TimedOut;
        failure.code = "lost_sight";
        failure.retryable = false;
    }
    failure
}
