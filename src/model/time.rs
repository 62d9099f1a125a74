//! Timestamps as Python servers write them: an offset, a `Z`, or nothing, which means UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Reads a timestamp; one without offset is UTC. Fractions of up to nine digits are kept.
pub fn parse(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| parse_utc(text))
}

fn parse_utc(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

/// Returns the nanoseconds from `from` to `to`; `None` if `to` is earlier.
pub fn nanos_between(from: Timestamp, to: Timestamp) -> Option<u64> {
    u64::try_from(to.as_nanosecond() - from.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_without_offset_is_utc() {
        let with = parse("2026-11-23T14:56:09.670795Z").expect("a time");
        assert_eq!(parse("2026-11-23T14:56:09.670795"), Some(with));
        assert_eq!(parse("2026-11-23T15:56:09.670795+01:00"), Some(with));
        assert_eq!(parse("2026-11-23T14:56:09").map(|t| t.as_second()), Some(with.as_second()));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn a_clock_that_went_back_gives_no_duration() {
        let a = Timestamp::UNIX_EPOCH;
        let b = Timestamp::from_second(2).expect("in range");
        assert_eq!(nanos_between(a, b), Some(2_000_000_000));
        assert_eq!(nanos_between(b, a), None);
    }
}
