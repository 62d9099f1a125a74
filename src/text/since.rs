//! Parsing of `--since`: a time in the past.

use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{duration, show};

/// The start of a period: an age or a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// A duration before the present.
    Age(Duration),
    /// A time with a UTC offset.
    Time(Timestamp),
    /// A date, or a date and time of day, in the local time zone. A date alone is its start.
    Civil(DateTime),
}

impl FromStr for Since {
    type Err = String;

    /// Parses `2h`, `2026-11-23T14:56:08Z`, `2026-11-23T14:56` or `2026-11-23`.
    fn from_str(text: &str) -> Result<Self, String> {
        let time = || text.parse().ok().map(Self::Time);
        let civil = || text.parse().ok().map(Self::Civil);
        let age = || duration::parse(text).ok().map(Self::Age);
        age().or_else(time).or_else(civil).ok_or_else(|| {
            let shown = show::clip(text, 60);
            format!("`{shown}` is neither an age nor a time (try 2h, 3d, 2026-11-23 or 2026-11-23T14:56:08Z)")
        })
    }
}

impl Since {
    /// Returns the time as a timestamp. Returns an error if it is out of range.
    pub fn resolve(self, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
        match self {
            Self::Age(age) => now.checked_sub(age),
            Self::Time(time) => Ok(time),
            Self::Civil(civil) => zone.to_timestamp(civil),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::Offset;

    #[test]
    fn an_age_a_time_or_a_date_is_accepted() {
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a time");
        let zone = TimeZone::fixed(Offset::constant(1));
        for (text, expected) in [
            ("2h", "2026-11-23T10:00:00Z"),
            ("90", "2026-11-23T11:58:30Z"),
            ("2d", "2026-11-21T12:00:00Z"),
            ("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"),
            ("2026-11-20T08:00:00.5+02:00", "2026-11-20T06:00:00.5Z"),
            ("2026-11-20T08:00", "2026-11-20T07:00:00Z"),
            ("2026-11-20", "2026-11-19T23:00:00Z"),
        ] {
            let since: Since = text.parse().expect(text);
            assert_eq!(
                since.resolve(now, &zone).expect(text),
                expected.parse::<Timestamp>().expect("a time"),
                "{text}"
            );
        }
        for bad in ["", "yesterday", "2026-13-01", "2026-11-20T25:00:00Z", "-2h", "2w"] {
            assert!(bad.parse::<Since>().is_err(), "{bad}");
        }
    }
}
