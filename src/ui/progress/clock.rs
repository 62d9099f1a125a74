//! The present, as a display sees it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::time::nanos_between;
use crate::text::time;

/// A clock and the zone of the times that are shown.
pub struct Clock {
    now: Box<dyn Fn() -> Timestamp>,
    zone: TimeZone,
}

impl Clock {
    /// A clock that reads `now`.
    pub fn new(now: impl Fn() -> Timestamp + 'static, zone: TimeZone) -> Self {
        Self { now: Box::new(now), zone }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// What stands before a line: the time of day, or an exact time in UTC.
    pub(super) fn stamp(&self, at: Timestamp, utc: bool) -> String {
        if utc { time::rfc3339(at) } else { time::clock(at, &self.zone) }
    }
}

/// How long ago `from` was; zero where a clock was set back in between.
pub(super) fn since(from: Timestamp, now: Timestamp) -> Duration {
    Duration::from_nanos(nanos_between(from, now).unwrap_or(0))
}

/// Whether `span` has passed. A clock that was set back must not stop a display: then it has.
pub(super) fn passed(span: Duration, from: Timestamp, now: Timestamp) -> bool {
    nanos_between(from, now).is_none_or(|nanos| Duration::from_nanos(nanos) >= span)
}
