//! The clock of a display.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::time::nanos_between;
use crate::text::time;

/// A clock, and the time zone in which times are shown.
pub struct Clock {
    now: Box<dyn Fn() -> Timestamp>,
    zone: TimeZone,
}

impl Clock {
    /// Returns a clock that reads `now`.
    pub fn new(now: impl Fn() -> Timestamp + 'static, zone: TimeZone) -> Self {
        Self { now: Box::new(now), zone }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Returns the stamp before a line: the local time of day, or RFC 3339 in UTC.
    pub(super) fn stamp(&self, at: Timestamp, utc: bool) -> String {
        if utc { time::rfc3339(at) } else { time::clock(at, &self.zone) }
    }
}

/// Returns the time since `from`; zero if the clock was set back.
pub(super) fn since(from: Timestamp, now: Timestamp) -> Duration {
    Duration::from_nanos(nanos_between(from, now).unwrap_or(0))
}

/// Returns whether `span` has passed since `from`. It counts as passed if the clock was set back, so that no display stops.
pub(super) fn passed(span: Duration, from: Timestamp, now: Timestamp) -> bool {
    nanos_between(from, now).is_none_or(|nanos| Duration::from_nanos(nanos) >= span)
}
