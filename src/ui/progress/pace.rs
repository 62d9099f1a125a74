//! The limit on frames a second.
//!
//! indicatif's own limiter allows 20 frames at once and reads the system's clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::time::nanos_between;

/// The time after which one more frame is allowed: eight a second.
const EARN: Duration = Duration::from_millis(125);

/// How far frames may run ahead of that: a burst of four. Any second has twelve at most.
const AHEAD: Duration = Duration::from_millis(3 * 125);

/// A leaky bucket of frames. Its burst lets a display come back at once after text was printed above it.
pub(super) struct Pace {
    /// When the bucket is empty again.
    even: Timestamp,
}

impl Pace {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { even: now }
    }

    /// Returns whether a frame may be drawn now.
    pub(super) fn allows(&self, now: Timestamp) -> bool {
        let owed = nanos_between(now, self.even).map_or(Duration::ZERO, Duration::from_nanos);
        // More than that is possible only if the clock was set back: the bucket counts as empty then.
        owed <= AHEAD || owed > AHEAD + EARN
    }

    /// Counts a frame that was drawn now.
    pub(super) fn spend(&mut self, now: Timestamp) {
        let sane = nanos_between(now, self.even).is_some_and(|nanos| Duration::from_nanos(nanos) <= AHEAD);
        let from = if sane { self.even } else { now };
        self.even = from.checked_add(EARN).unwrap_or(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("in range")
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_stop_the_display() {
        let mut pace = Pace::new(at(3_600_000));
        pace.spend(at(3_600_000));
        assert!(pace.allows(at(0)));
        pace.spend(at(0));
        assert!(pace.allows(at(1)));
    }

    proptest! {
        #[test]
        fn no_second_has_more_than_twelve_frames(waits in prop::collection::vec(0i64..200, 1..200)) {
            let mut now = 0;
            let mut drawn = vec![];
            let mut pace = Pace::new(at(0));
            for wait in waits {
                now += wait;
                if pace.allows(at(now)) {
                    pace.spend(at(now));
                    drawn.push(now);
                }
            }
            for first in &drawn {
                let second = drawn.iter().filter(|frame| (*first..first + 1000).contains(*frame)).count();
                prop_assert!(second <= 12, "{drawn:?}");
            }
        }
    }
}
