//! Parsing and formatting of durations.

use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;

use super::show;

/// The longest duration that a flag accepts: 30 days.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Parses numbers with the units `d`, `h`, `m`, `s` and `ms`, such as `1h30m`; a bare number is seconds. A day has 24 hours.
pub fn parse(text: &str) -> Result<Duration, String> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let parsed = if is_number { parse_seconds(text) } else { parse_units(text) };
    let shown = show::clip(text, 60);
    match parsed {
        None => {
            Err(format!("`{shown}` is not a duration (units are d, h, m, s and ms, as in 2d, 1h30m, 90s or 500ms)"))
        }
        Some(duration) if duration > LONGEST => Err(format!("`{shown}` is too long (30 days at most)")),
        Some(duration) => Ok(duration),
    }
}

fn parse_seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.parse().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn parse_units(text: &str) -> Option<Duration> {
    // Keeps to the documented units: jiff also reads signs, spaces, `5 minutes`, `1mo`, ISO 8601 and `01:30:00`.
    if !text.bytes().all(|b| b.is_ascii_digit() || b".dhms".contains(&b)) {
        return None;
    }
    // jiff requires a digit before the decimal point.
    let text = if text.starts_with('.') { format!("0{text}") } else { text.to_owned() };
    match SpanParser::new().parse_span(&text) {
        Ok(span) => span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?.try_into().ok(),
        Err(error) if error.is_range() => Some(Duration::MAX),
        Err(_) => None,
    }
}

/// Formats a duration for people: `310 ms`, `4.2 s`, `3 m 12 s`, `2 h 5 m`.
pub fn format(duration: Duration) -> String {
    let millis = (duration.as_secs_f64() * 1000.0).round() as u64;
    if millis < 1000 {
        return format!("{millis} ms");
    }
    let tenths = (duration.as_secs_f64() * 10.0).round() as u64;
    if tenths < 600 {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    let seconds = duration.as_secs_f64().round() as u64;
    if seconds < 3600 {
        return format!("{} m {} s", seconds / 60, seconds % 60);
    }
    format!("{} h {} m", seconds / 3600, seconds % 3600 / 60)
}

/// Formats nanoseconds for people; `n/a` for `None`.
pub fn format_ns(nanos: Option<u64>) -> String {
    nanos.map_or_else(|| "n/a".to_owned(), |ns| format(Duration::from_nanos(ns)))
}

/// Formats an elapsed time in whole seconds, for a display that changes once a second: `4 s`, `3 m 12 s`.
pub fn format_whole_seconds(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => format(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_units_or_is_seconds() {
        for (text, millis) in [
            ("500ms", 500),
            ("2s", 2000),
            ("90s", 90_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
            ("1.5h", 5_400_000),
            ("0.25s", 250),
            ("1h30m", 5_400_000),
            ("1m500ms", 60_500),
            ("2d", 172_800_000),
            ("1d12h", 129_600_000),
            ("30d", 2_592_000_000),
            ("2", 2000),
            ("0.5", 500),
            (".5", 500),
            (".5s", 500),
            ("0", 0),
            ("0s", 0),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn text_without_a_known_unit_is_not_a_duration() {
        for text in [
            "5x",
            "",
            ".",
            "s",
            "-1s",
            "+1s",
            "-1",
            "1e9",
            "1.2.3",
            "1.2.3s",
            "NaN",
            "inf",
            "5 s",
            "1h 30m",
            "1h, 30m",
            "1m1h",
            "1h30",
            "1h1h",
            "1w",
            "1mo",
            "1y",
            "1us",
            "1ns",
            "5min",
            "5 minutes",
            "2 days",
            "PT5S",
            "P1D",
            "01:30:00",
            "1s ago",
            "1S",
            "½h",
            "99999999999999999999s",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("units are d, h, m, s and ms"), "{error}");
        }
    }

    #[test]
    fn a_duration_above_30_days_is_too_long() {
        for text in ["31d", "721h", "30d1ms", "2592001", "99999999999s", "99999999999999999999"] {
            assert_eq!(parse(text), Err(format!("`{text}` is too long (30 days at most)")));
        }
    }

    #[test]
    fn a_duration_is_formatted_in_the_unit_that_fits() {
        for (millis, expected) in [
            (0, "0 ms"),
            (310, "310 ms"),
            (999, "999 ms"),
            (1000, "1.0 s"),
            (4230, "4.2 s"),
            (59_960, "1 m 0 s"),
            (192_000, "3 m 12 s"),
            (7_500_000, "2 h 5 m"),
        ] {
            assert_eq!(format(Duration::from_millis(millis)), expected);
        }
        assert_eq!(format(Duration::from_nanos(999_600_000)), "1.0 s");
        assert_eq!(format_ns(None), "n/a");
    }
}
