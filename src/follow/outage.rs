//! The backoff while the server does not answer, shared by all runs.

use std::time::Duration;

use tokio::time::Instant;

use crate::core::retry::{self, TryError};

/// The outage of the server, if there is one.
#[derive(Debug, Default)]
pub struct Outage {
    since: Option<Instant>,
    failures: u32,
    hold_until: Option<Instant>,
}

impl Outage {
    /// Records a failed poll. Returns the pause before the next one, and for how long polls have failed.
    pub fn failed(&mut self, now: Instant, error: TryError, jitter: f64) -> (Duration, Duration) {
        let since = *self.since.get_or_insert(now);
        let pause = retry::pause(error, self.failures, jitter);
        self.failures += 1;
        self.hold_until = Some(now + pause);
        (pause, now - since)
    }

    /// Records an answer. Returns for how long polls had failed, if they had.
    pub fn succeeded(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        *self = Self::default();
        Some(now - since)
    }

    /// Returns the time before which no poll is made.
    pub fn hold_until(&self) -> Option<Instant> {
        self.hold_until
    }

    /// Returns whether polls fail.
    pub fn is_on(&self) -> bool {
        self.since.is_some()
    }

    /// Returns when the outage exceeds `max_outage`.
    pub fn over_at(&self, max_outage: Duration) -> Option<Instant> {
        Some(self.since? + max_outage)
    }
}
