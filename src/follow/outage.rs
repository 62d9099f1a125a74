//! The server's silence: since when, and when to try again. One for all runs, so that they wait together.

use std::time::Duration;

use tokio::time::Instant;

use crate::core::retry::{self, Loss};

/// What is known about failing looks.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Instant>,
    failures: u32,
    hold_until: Option<Instant>,
}

impl Outage {
    /// A look failed. Returns the pause before the next one, and for how long looks have been failing.
    pub fn failed(&mut self, now: Instant, loss: Loss, dice: f64) -> (Duration, Duration) {
        let since = *self.since.get_or_insert(now);
        let pause = retry::pause(loss, self.failures, dice);
        self.failures += 1;
        self.hold_until = Some(now + pause);
        (pause, now - since)
    }

    /// A look succeeded. Returns for how long looks had failed, if they had.
    pub fn succeeded(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        *self = Self::default();
        Some(now - since)
    }

    /// No look is made before this moment.
    pub fn hold_until(&self) -> Option<Instant> {
        self.hold_until
    }

    /// Whether looks have been failing.
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// When patience ends, if looks go on failing.
    pub fn over_at(&self, max_outage: Duration) -> Option<Instant> {
        Some(self.since? + max_outage)
    }
}
