//! Formatting of times for people and logs. Callers pass the time zone and the present.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Formats date and time of day in a zone: `2026-11-23 15:56:08`.
pub fn local(time: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Formats the time of day in a zone: `15:56:08`.
pub fn clock(time: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(time).strftime("%H:%M:%S").to_string()
}

/// Formats a time as RFC 3339 in UTC with milliseconds: `2026-11-23T14:56:08.670Z`.
pub fn rfc3339(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// Formats the age of a time in its largest unit, rounded down: `12 s`, `3 m`, `5 h`, `4 d`.
///
/// A time in the future, caused by a wrong clock, gives `0 s`.
pub fn age(time: Timestamp, now: Timestamp) -> String {
    let seconds = u64::try_from(now.as_second() - time.as_second()).unwrap_or(0);
    match seconds {
        0..MINUTE => format!("{seconds} s"),
        MINUTE..HOUR => format!("{} m", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        _ => format!("{} d", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_time_is_formatted_in_a_zone_and_in_utc() {
        let time = at("2026-11-23T23:56:08.670795Z");
        let zone = TimeZone::fixed(Offset::constant(1));
        assert_eq!(local(time, &zone), "2026-11-24 00:56:08");
        assert_eq!(clock(time, &zone), "00:56:08");
        assert_eq!(rfc3339(time), "2026-11-23T23:56:08.670Z");
        assert_eq!(rfc3339(at("2026-11-23T23:56:08Z")), "2026-11-23T23:56:08.000Z");
    }

    #[test]
    fn an_age_has_one_unit() {
        let now = at("2026-11-23T12:00:00Z");
        for (time, expected) in [
            ("2026-11-23T12:00:05Z", "0 s"),
            ("2026-11-23T11:59:01Z", "59 s"),
            ("2026-11-23T11:00:01Z", "59 m"),
            ("2026-11-23T10:59:00Z", "1 h"),
            ("2026-11-20T12:00:00Z", "3 d"),
        ] {
            assert_eq!(age(at(time), now), expected);
        }
    }
}
