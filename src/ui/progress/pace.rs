//! How many frames a second a terminal is given.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::time::nanos_between;

/// The time in which one more frame is earned: eight a second.
const EARN: Duration = Duration::from_millis(125);

/// How far frames may be drawn ahead of that: four at once. In any second there are twelve at most.
const AHEAD: Duration = Duration::from_millis(3 * 125);

/// An allowance of frames. Some may follow each other closely, so that a display is back at once after something was
/// printed above it.
pub(super) struct Pace {
    /// When all frames so far are earned.
    even: Timestamp,
}

impl Pace {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { even: now }
    }

    /// Whether a frame may be drawn now.
    pub(super) fn allows(&self, now: Timestamp) -> bool {
        let owed = nanos_between(now, self.even).map_or(Duration::ZERO, Duration::from_nanos);
        // Nobody owes more than that, unless the clock was set back: then what is owed is forgotten.
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
            let (mut now, mut drawn, mut pace) = (0, vec![], Pace::new(at(0)));
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
