//! The state of one followed run.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::FollowTarget;
use super::phase::Phase;
use super::schedule::Schedule;
use super::transcript::Transcript;
use crate::core::outcome::{self, Outcome};
use crate::core::poll_interval;
use crate::model::{Run, RunId};

/// How long a replica may answer 404 for a run after it was accepted.
const REPLICA_LAG: Duration = Duration::from_secs(10);

/// A followed run.
pub struct Tracked {
    /// Its id.
    pub id: RunId,
    /// Its document as the server last sent it.
    pub run: Option<Rc<Run>>,
    /// Whether this command sent it.
    pub sent_here: bool,
    /// When following it began.
    pub since: Instant,
    /// The phase it is in.
    pub phase: Phase,
    /// When it is polled.
    pub schedule: Schedule,
    /// Its messages and steps so far.
    pub transcript: Transcript,
    /// Whether a poll showed it open, or this command sent it. Otherwise it had ended before it was followed.
    pub was_open: bool,
    /// Its age when following it began.
    age_before: Duration,
    changed_at: Instant,
    /// Since when its document has a stop reason.
    stop_reason_since: Option<Instant>,
    reported: HashSet<Report>,
}

/// A report about a run that is made once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Report {
    /// Nothing changed for longer than allowed. The next change allows another one.
    Stalled,
    /// It has ended, and following waits for its callback.
    AwaitsCallback,
    /// Its callback was attempted.
    CalledBack,
    /// Its stop reason is set although its status is open.
    OddStopReason,
}

impl Tracked {
    /// Begins to follow a run. `wall` is the time of day, from which the age of an older run is computed.
    pub fn new(target: FollowTarget, now: Instant, wall: Timestamp) -> Self {
        let run = target.run.map(Rc::new);
        let age_before = if target.sent_here {
            Duration::ZERO
        } else {
            run.as_deref().map_or(Duration::ZERO, |run| age_at(run, wall))
        };
        Self {
            id: target.id,
            run,
            sent_here: target.sent_here,
            since: now,
            phase: Phase::Unseen,
            schedule: Schedule::new(now),
            transcript: Transcript::default(),
            was_open: target.sent_here,
            age_before,
            changed_at: now,
            stop_reason_since: None,
            reported: HashSet::new(),
        }
    }

    /// Returns when a poll of the run by itself is due; `None` while one is in flight or a list covers the run.
    pub fn due(&self, uses_list: bool) -> Option<Instant> {
        self.schedule.due(uses_list, self.phase.is_seen())
    }

    /// Records a report. Returns whether it is the first of its kind, and so to be made.
    pub fn first_report(&mut self, report: Report) -> bool {
        self.reported.insert(report)
    }

    /// Returns whether a report was made.
    pub fn was_reported(&self, report: Report) -> bool {
        self.reported.contains(&report)
    }

    /// Records that something new was seen: the run does not stall.
    pub fn changed(&mut self, now: Instant) {
        self.changed_at = now;
        self.reported.remove(&Report::Stalled);
    }

    /// Returns for how long nothing new was seen.
    pub fn silent_for(&self, now: Instant) -> Duration {
        now - self.changed_at
    }

    /// Returns whether its callback is still to be attempted.
    pub fn awaits_callback(&self) -> bool {
        self.has("callback_url") && !self.has("callback_sent_at")
    }

    /// Returns whether its callback was attempted. Returns `true` at most once.
    pub fn newly_called_back(&mut self) -> bool {
        self.has("callback_sent_at") && self.first_report(Report::CalledBack)
    }

    /// Returns whether its stop reason is set although its status is open. Returns `true` at most once.
    pub fn newly_odd_stop_reason(&mut self) -> bool {
        let odd = self.run.as_deref().is_some_and(|run| run.stop_reason().is_some() && !run.status().is_terminal());
        odd && self.first_report(Report::OddStopReason)
    }

    fn has(&self, key: &str) -> bool {
        self.run.as_ref().is_some_and(|run| run.document().present(key).is_some())
    }

    /// Returns its age, as far as it is known.
    pub fn age(&self, now: Instant) -> Duration {
        self.age_before + (now - self.since)
    }

    /// Returns whether a 404 for it is final. A run that was just accepted may not have reached every replica.
    pub fn missing_is_final(&self, now: Instant) -> bool {
        if self.phase.is_seen() {
            return true;
        }
        let just_made = self.sent_here || self.run.is_some();
        !just_made || self.age(now) >= REPLICA_LAG
    }

    /// Takes a new document. Returns whether status or stop reason changed; the first document is a change.
    ///
    /// A change ends the confirmation of an end: the run is at work again, or ended in another way.
    pub fn update(&mut self, run: Run, now: Instant, wall: Timestamp) -> bool {
        let words = |run: &Run| (run.status(), run.stop_reason());
        let changed = !self.phase.is_seen() || self.run.as_deref().map(words) != Some(words(&run));
        if self.run.is_none() && run.created_at().is_some() {
            self.age_before = age_at(&run, wall).saturating_sub(now - self.since);
        }
        self.stop_reason_since = run.stop_reason().and(self.stop_reason_since.or(Some(now)));
        self.was_open |= !run.status().is_terminal();
        if changed {
            self.phase = Phase::Open;
        }
        self.run = Some(Rc::new(run));
        changed
    }

    /// Returns its outcome by the last document. A stop reason under an open status counts after a grace period.
    pub fn outcome(&self, now: Instant) -> Outcome {
        let stood = self.stop_reason_since.map_or(Duration::ZERO, |since| now - since);
        self.run.as_deref().map_or(Outcome::Open, |run| outcome::outcome(run, stood))
    }

    /// Returns whether another process executes it. A list may lag for such a run, a poll of the run does not.
    pub fn is_relayed(&self) -> bool {
        let metadata = self.run.as_deref().and_then(|run| run.document().present("metadata"));
        metadata.and_then(|metadata| metadata.get("lettuce")?.as_bool()).unwrap_or(false)
    }

    /// Returns the delay before the next poll of the run by itself.
    pub fn delay(&self, now: Instant, interval: Option<Duration>, jitter: f64) -> Duration {
        if self.phase.ended_since().is_some() {
            return Duration::from_millis(250);
        }
        let delay = interval.unwrap_or_else(|| poll_interval::single(self.age(now), jitter));
        // A poll is due when the grace period of a stop reason is over.
        let grace = self.stop_reason_since.map(|since| outcome::STOP_REASON_GRACE.saturating_sub(now - since));
        grace.map_or(delay, |grace| delay.min(grace.max(Duration::from_millis(100))))
    }
}

/// Returns the age of a run at a time of day; zero where it is unknown or in the future.
fn age_at(run: &Run, wall: Timestamp) -> Duration {
    let nanos = run.created_at().and_then(|created| crate::model::time::nanos_between(created, wall));
    Duration::from_nanos(nanos.unwrap_or_default())
}
