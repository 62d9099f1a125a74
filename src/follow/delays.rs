//! The delay before the next poll, and stalls.

use std::time::Duration;

use tokio::time::Instant;

use super::Event;
use super::follower::Follower;
use super::tracked::Report;
use crate::core::poll_interval;
use crate::exit::Exit;
use crate::report::Failure;

impl Follower<'_> {
    /// Returns whether the end of a run waits for its callback. Emits a note about that once.
    pub(super) fn awaits_callback(&mut self, at: usize) -> Result<bool, Failure> {
        let tracked = &mut self.tracked[at];
        let awaits = self.options.wait_callback && tracked.awaits_callback();
        if awaits && tracked.first_report(Report::AwaitsCallback) {
            let id = tracked.id.clone();
            let text = "the run has ended; waiting for its callback".to_owned();
            (self.emit)(Event::Note { id, text })?;
        }
        Ok(awaits)
    }

    /// Returns whether a run stalls and that was not reported yet.
    pub(super) fn stalls(&self, at: usize, now: Instant) -> bool {
        let tracked = &self.tracked[at];
        let reported = tracked.was_reported(Report::Stalled);
        self.options.stall.is_some_and(|stall| !reported && tracked.silent_for(now) >= stall.after)
    }

    /// Reports that a run stalls, and stops following it if the options say so.
    pub(super) fn stall(&mut self, at: usize, now: Instant) -> Result<(), Failure> {
        let id = self.tracked[at].id.clone();
        let silent_for = self.tracked[at].silent_for(now);
        (self.emit)(Event::Stalled { id: id.clone(), silent_for })?;
        if self.options.stall.is_some_and(|stall| stall.ends) {
            let waited = crate::text::duration::format(silent_for);
            let message = format!("stopped following {id}: nothing new for {waited} (--stall-after)");
            let tracked = self.tracked.swap_remove(at);
            return self.lose(tracked, Failure::new(Exit::TimedOut, "stalled", message).run(id));
        }
        self.tracked[at].first_report(Report::Stalled);
        self.plan_next(at, now);
        Ok(())
    }

    /// Plans the next poll of a run by itself.
    pub(super) fn plan_next(&mut self, at: usize, now: Instant) {
        let delay = self.delay(at, now);
        self.tracked[at].schedule.set_due(now + delay);
    }

    /// Returns the delay before the next poll, cut so that a stall is noticed in time.
    fn delay(&self, at: usize, now: Instant) -> Duration {
        let tracked = &self.tracked[at];
        if tracked.schedule.has_pending_hint() {
            return Duration::ZERO;
        }
        let stall = self.options.stall.filter(|_| !tracked.was_reported(Report::Stalled));
        let left = stall.map(|stall| stall.after.saturating_sub(tracked.silent_for(now)));
        self.cadence(at, now).min(left.unwrap_or(Duration::MAX))
    }

    fn cadence(&self, at: usize, now: Instant) -> Duration {
        let tracked = &self.tracked[at];
        // After a hint the end is near, and after the end the callback: the delay starts again from that time.
        let callback_since = tracked.phase.ended_since().filter(|_| self.options.wait_callback);
        if let Some(since) = tracked.schedule.hinted_at().or(callback_since) {
            return self.options.interval.unwrap_or_else(|| poll_interval::single(now - since, fastrand::f64()));
        }
        if self.options.relaxed && self.options.interval.is_none() {
            return poll_interval::relaxed(tracked.age(now), fastrand::f64());
        }
        // The list covers an open run, so that its own polls can be rare. A stop reason means that its end is near.
        if self.uses_list() && tracked.run.as_ref().is_some_and(|run| run.stop_reason().is_none()) {
            return poll_interval::refresh(tracked.age(now), tracked.is_relayed());
        }
        let single = tracked.delay(now, self.options.interval, fastrand::f64());
        // Without a list, all runs share five requests a second.
        let others = u32::try_from(self.tracked.len() - 1).unwrap_or(u32::MAX);
        let share = Duration::from_millis(200).saturating_mul(others.saturating_add(1));
        if others == 0 { single } else { single.max(share) }
    }

    /// Returns the delay before the next list request.
    pub(super) fn list_delay(&self, now: Instant) -> Duration {
        let youngest = self.tracked.iter().map(|tracked| tracked.age(now)).min().unwrap_or_default();
        self.options.interval.unwrap_or_else(|| poll_interval::list(youngest, fastrand::f64()))
    }
}
