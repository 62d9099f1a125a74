//! The phase that a followed run is in.

use std::time::Duration;

use tokio::time::Instant;

/// The phase that a followed run is in, by what the server answered so far.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    /// The server has not answered about it yet.
    Unseen,
    /// It was seen, and no end of it is known.
    Open,
    /// Every poll since `since` showed the same end.
    Ended {
        since: Instant,
        /// Since when its messages cannot be fetched. A change of the run starts this anew.
        messages_fail_since: Option<Instant>,
    },
}

impl Phase {
    /// Enters `Ended` unless the run is there already. Returns how long the run has been ended.
    pub fn end(&mut self, now: Instant) -> Duration {
        if let Self::Ended { since, .. } = self {
            return now - *since;
        }
        *self = Self::Ended { since: now, messages_fail_since: None };
        Duration::ZERO
    }

    /// Records that the messages of an ended run could not be fetched. Returns for how long that has been so.
    pub fn messages_failed(&mut self, now: Instant) -> Duration {
        match self {
            Self::Ended { messages_fail_since, .. } => now - *messages_fail_since.get_or_insert(now),
            Self::Unseen | Self::Open => Duration::ZERO,
        }
    }

    /// Returns since when the run has been ended.
    pub fn ended_since(self) -> Option<Instant> {
        match self {
            Self::Ended { since, .. } => Some(since),
            Self::Unseen | Self::Open => None,
        }
    }

    /// Returns whether the server answered about the run.
    pub fn is_seen(self) -> bool {
        !matches!(self, Self::Unseen)
    }
}
