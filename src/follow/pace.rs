//! When the next look is due, and what it means that nothing new is seen.

use std::time::Duration;

use tokio::time::Instant;

use super::Event;
use super::follower::Follower;
use crate::core::poll;
use crate::exit::Exit;
use crate::report::Failure;

impl Follower<'_> {
    /// Whether a run that has ended is still waited for, since its callback is.
    pub(super) fn awaits_callback(&mut self, at: usize) -> Result<bool, Failure> {
        let tracked = &mut self.tracked[at];
        let awaits = self.options.wait_callback && tracked.awaits_callback();
        if awaits && !std::mem::replace(&mut tracked.callback_noted, true) {
            let (id, text) = (tracked.id.clone(), "the run has ended; waiting for its callback".to_owned());
            (self.emit)(Event::Note { id, text })?;
        }
        Ok(awaits)
    }

    pub(super) fn stalls(&self, at: usize, now: Instant) -> bool {
        let tracked = &self.tracked[at];
        self.options.stall.is_some_and(|stall| !tracked.stalled && tracked.silent_for(now) >= stall.after)
    }

    /// Says that a run stalls; that may end its following.
    pub(super) fn stall(&mut self, at: usize, now: Instant) -> Result<(), Failure> {
        let (id, silent_for) = (self.tracked[at].id.clone(), self.tracked[at].silent_for(now));
        (self.emit)(Event::Stalled { id: id.clone(), silent_for })?;
        if self.options.stall.is_some_and(|stall| stall.ends) {
            let waited = crate::text::duration::format(silent_for);
            let message = format!("stopped following {id}: nothing new for {waited} (--stall-after)");
            let tracked = self.tracked.swap_remove(at);
            return self.lose(tracked, Failure::new(Exit::TimedOut, "stalled", message).run(id));
        }
        self.tracked[at].stalled = true;
        self.tracked[at].due = now + self.delay(at, now);
        Ok(())
    }

    /// The delay before the next look, which is made in time to find out about a stall.
    pub(super) fn delay(&self, at: usize, now: Instant) -> Duration {
        let tracked = &self.tracked[at];
        if tracked.hinted {
            return Duration::ZERO;
        }
        let stall = self.options.stall.filter(|_| !tracked.stalled);
        let left = stall.map(|stall| stall.after.saturating_sub(tracked.silent_for(now)));
        self.cadence(at, now).min(left.unwrap_or(Duration::MAX))
    }

    fn cadence(&self, at: usize, now: Instant) -> Duration {
        let tracked = &self.tracked[at];
        // What is to come soon, counted from when it became so.
        let soon = tracked.hinted_at.or(tracked.ended_since.filter(|_| self.options.wait_callback));
        if let Some(since) = soon {
            return self.options.interval.unwrap_or_else(|| poll::single(now - since, fastrand::f64()));
        }
        if self.options.relaxed && self.options.interval.is_none() {
            return poll::relaxed(tracked.age(now), fastrand::f64());
        }
        // Where lists are asked for, a look of its own is the exception; a pending end is not made to wait.
        if self.lists() && tracked.run.as_ref().is_some_and(|run| run.stop_reason().is_none()) {
            return poll::refresh(tracked.age(now), tracked.is_relayed());
        }
        let single = tracked.delay(now, self.options.interval, fastrand::f64());
        // Many runs that cannot be listed share five requests a second.
        let others = u32::try_from(self.tracked.len() - 1).unwrap_or(u32::MAX);
        let share = Duration::from_millis(200).saturating_mul(others.saturating_add(1));
        if others == 0 { single } else { single.max(share) }
    }

    pub(super) fn list_delay(&self, now: Instant) -> Duration {
        let youngest = self.tracked.iter().map(|tracked| tracked.age(now)).min().unwrap_or_default();
        self.options.interval.unwrap_or_else(|| poll::list(youngest, fastrand::f64()))
    }
}
