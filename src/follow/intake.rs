//! What looks bring, taken in: events, ends, failures, and when the next look is due.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::details::{AtEnd, Wanted};
use super::follower::Follower;
use super::look::{self, Look, OpenRuns};
use super::tracked::{Fresh, Tracked};
use super::{Ending, Event, Messages};
use crate::api::ApiError;
use crate::api::client::Active;
use crate::core::facts::{Details, facts};
use crate::core::{Outcome, retry};
use crate::exit::Exit;
use crate::model::{Message, Run, RunId};
use crate::report::Failure;

impl Follower<'_> {
    /// Takes in what a look brought.
    pub(super) fn take(&mut self, look: Look) -> Result<(), Failure> {
        match look {
            Look::Run { id, run, messages } => self.take_run(&id, run, messages),
            Look::Open { asked_at, runs } => self.take_open(asked_at, runs),
            Look::Ended { id, at_end } => self.take_end(&id, *at_end),
        }
    }

    fn take_run(
        &mut self,
        id: &RunId,
        run: Result<Run, ApiError>,
        messages: Option<Vec<Message>>,
    ) -> Result<(), Failure> {
        let Some(at) = self.tracked.iter().position(|tracked| tracked.id == *id) else { return Ok(()) };
        self.tracked[at].looking = false;
        match run {
            Err(error) => self.failed_look(at, &error),
            Ok(run) => {
                self.heard()?;
                self.update(at, run)?;
                self.take_messages(at, messages.unwrap_or_default())?;
                self.settle(at)
            }
        }
    }

    /// The server answered.
    fn heard(&mut self) -> Result<(), Failure> {
        self.answered = true;
        match self.outage.succeeded(Instant::now()) {
            Some(down_for) => (self.emit)(Event::Recovered { down_for }),
            None => Ok(()),
        }
    }

    fn update(&mut self, at: usize, run: Run) -> Result<(), Failure> {
        let (tracked, now) = (&mut self.tracked[at], Instant::now());
        let (changed, called_back) = (tracked.update(run, now, Timestamp::now()), tracked.newly_called_back());
        let Some(run) = tracked.run.clone() else { return Ok(()) };
        if changed {
            tracked.news(now);
            (self.emit)(Event::Status { run: run.clone() })?;
        }
        if called_back { (self.emit)(Event::Callback { run }) } else { Ok(()) }
    }

    fn take_messages(&mut self, at: usize, messages: Vec<Message>) -> Result<(), Failure> {
        let id = self.tracked[at].id.clone();
        let fresh = self.tracked[at].fresh(messages);
        if !fresh.is_empty() {
            self.tracked[at].news(Instant::now());
        }
        self.say_fresh(&id, fresh)
    }

    fn say_fresh(&mut self, id: &RunId, fresh: Vec<Fresh>) -> Result<(), Failure> {
        for Fresh { message, step } in fresh {
            if let Some((step_id, number)) = step {
                (self.emit)(Event::Step { id: id.clone(), step_id, number })?;
            }
            (self.emit)(Event::Message { id: id.clone(), message })?;
        }
        Ok(())
    }

    /// After a good look: the run has ended, or the next look is planned.
    fn settle(&mut self, at: usize) -> Result<(), Failure> {
        let now = Instant::now();
        let outcome = self.tracked[at].outcome(now);
        if outcome != Outcome::Open && self.stays_ended(at, now) && !self.awaits_callback(at)? {
            let tracked = self.tracked.swap_remove(at);
            if let Some(run) = tracked.run.clone() {
                let wanted = Wanted {
                    messages: self.options.messages,
                    figures: self.options.figures,
                    just_ended: tracked.was_open,
                };
                self.looks.push(look::at_end(self.api, run, outcome, wanted));
                self.ending.push(tracked);
            }
            return Ok(());
        }
        if outcome == Outcome::Open && self.stalls(at, now) {
            return self.stall(at, now);
        }
        self.tracked[at].due = now + self.delay(at, now);
        if self.tracked[at].note_odd_reason() {
            let text =
                "the stop reason is set, but the status says that the run goes on; watching for 10 s more".to_owned();
            let id = self.tracked[at].id.clone();
            return (self.emit)(Event::Note { id, text });
        }
        Ok(())
    }

    /// Whether a run that has ended was seen to stay so for long enough.
    fn stays_ended(&mut self, at: usize, now: Instant) -> bool {
        now - *self.tracked[at].ended_since.get_or_insert(now) >= self.options.stays
    }

    fn failed_look(&mut self, at: usize, error: &ApiError) -> Result<(), Failure> {
        let (now, loss) = (Instant::now(), error.loss());
        if error.status == Some(404) && !self.tracked[at].missing_is_final(now) {
            self.tracked[at].due = now + Duration::from_millis(500);
            return Ok(());
        }
        if !self.answered && error.status.is_none() {
            return self.lose_all(error);
        }
        if !self.answered || !retry::passing(loss) {
            let tracked = self.tracked.swap_remove(at);
            // A server that says no was there to say it.
            self.answered |= error.status.is_some();
            let failure = lost(error, &tracked);
            return self.lose(tracked, failure);
        }
        self.tracked[at].due = now;
        let id = self.tracked[at].id.clone();
        self.failing(Some(id), error)
    }

    /// Nothing answers: what one run has found out holds for all.
    fn lose_all(&mut self, error: &ApiError) -> Result<(), Failure> {
        self.enough = true;
        for tracked in std::mem::take(&mut self.tracked) {
            let failure = lost(error, &tracked);
            self.lose(tracked, failure)?;
        }
        Ok(())
    }

    fn failing(&mut self, id: Option<RunId>, error: &ApiError) -> Result<(), Failure> {
        let (retry_in, down_for) = self.outage.failed(Instant::now(), error.loss(), fastrand::f64());
        (self.emit)(Event::PollError { id, error: error.words(), retry_in, down_for })
    }

    fn take_open(&mut self, asked_at: Instant, runs: Result<OpenRuns, ApiError>) -> Result<(), Failure> {
        self.list.looking = false;
        let now = Instant::now();
        let runs = match runs {
            Ok(runs) => runs,
            Err(error) => return self.failed_list(&error),
        };
        self.heard()?;
        if !runs.complete {
            // Too many runs of others: looking at our own costs less.
            self.list.active = Active::Any;
            return Ok(());
        }
        self.list.due = now + self.list_delay(now);
        self.compare(asked_at, &runs.runs)
    }

    fn failed_list(&mut self, error: &ApiError) -> Result<(), Failure> {
        match look::lesser_filter(error, self.list.active) {
            Some(active) => self.list.active = active,
            None if retry::passing(error.loss()) => return self.failing(None, error),
            // What the server says to single looks decides.
            None => self.list.active = Active::Any,
        }
        Ok(())
    }

    /// Takes a complete listing in: what is in it is open; what is not gets a look of its own, which decides.
    fn compare(&mut self, asked_at: Instant, open: &[Run]) -> Result<(), Failure> {
        let open: HashMap<&RunId, &Run> = open.iter().map(|run| (run.id(), run)).collect();
        for at in 0..self.tracked.len() {
            let tracked = &mut self.tracked[at];
            match open.get(&tracked.id) {
                Some(run) if run.stop_reason().is_none() => self.listed(at, (*run).clone())?,
                // Accepted after the list was asked for: it could not be in it.
                None if tracked.since >= asked_at => {}
                _ => tracked.look_now(Instant::now()),
            }
        }
        Ok(())
    }

    /// A run that the list shows at work. Lists can be stale: from time to time it gets a look of its own.
    fn listed(&mut self, at: usize, run: Run) -> Result<(), Failure> {
        let now = Instant::now();
        let first = !self.tracked[at].seen;
        self.update(at, run)?;
        if first {
            self.tracked[at].due = now + self.delay(at, now);
        }
        Ok(())
    }

    fn take_end(&mut self, id: &RunId, at_end: AtEnd) -> Result<(), Failure> {
        let Some(at) = self.ending.iter().position(|tracked| tracked.id == *id) else { return Ok(()) };
        let mut tracked = self.ending.swap_remove(at);
        let messages = match at_end.messages {
            Ok(messages) => messages,
            Err(error) => return self.failed_end(tracked, &error),
        };
        if self.options.messages == Messages::Live {
            // What appeared between the last look and the end.
            let fresh = tracked.fresh(messages.clone().unwrap_or_default());
            self.say_fresh(&tracked.id, fresh)?;
        }
        self.end(tracked, &at_end.details, messages)
    }

    /// Says that a run ended, and how.
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
        self.enough |= self.options.any || (self.options.fail_fast && exit != Exit::Done);
        let facts = facts(&run, outcome, details);
        (self.emit)(Event::Ended(Rc::new(Ending { run, facts, messages })))
    }

    /// The run ended, but its messages could not be had. It is looked at once more, with the patience for an outage.
    fn failed_end(&mut self, mut tracked: Tracked, error: &ApiError) -> Result<(), Failure> {
        let failing_for = tracked.end_fails(Instant::now());
        if !retry::passing(error.loss()) || failing_for >= self.options.max_outage {
            let failure = lost(error, &tracked);
            return self.lose(tracked, failure);
        }
        let id = tracked.id.clone();
        tracked.look_now(Instant::now());
        self.tracked.push(tracked);
        self.failing(Some(id), error)
    }
}

/// The failure for a run whose following ends with an error.
///
/// Once this command knows that its message was accepted, an exit that says "nothing was accepted",
/// "unknown" or "refused" would be a lie: the run goes on, as far as is known.
fn lost(error: &ApiError, tracked: &Tracked) -> Failure {
    let mut failure = error.failure().run(&tracked.id);
    let about_sending =
        matches!(failure.exit, Exit::Usage | Exit::Unreachable | Exit::Unknown | Exit::NotThisApi | Exit::Refused);
    if tracked.ours && about_sending {
        (failure.exit, failure.code, failure.retryable) = (Exit::TimedOut, "lost_sight", false);
    }
    failure
}
