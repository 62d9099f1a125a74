//! Durations, as people write and read them.

use std::time::Duration;

/// The longest duration that a flag takes: thirty days.
pub const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads `500ms`, `2s`, `5m`, `1h`; a bare number is seconds.
pub fn parse(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(not_a_duration(text)),
    };
    let number: f64 = number.parse().map_err(|_| not_a_duration(text))?;
    let total = number * seconds;
    if total > LONGEST.as_secs_f64() {
        return Err(format!("`{}` is too long (30 days at most)", super::show::clip(text, 60)));
    }
    Ok(Duration::from_secs_f64(total))
}

fn not_a_duration(text: &str) -> String {
    format!("`{}` is not a duration (try 500ms, 5s, 2m or 1h)", super::show::clip(text, 60))
}

/// Writes a duration for people: `310 ms`, `4.2 s`, `3 m 12 s`, `2 h 5 m`.
pub fn read(duration: Duration) -> String {
    let millis = (duration.as_secs_f64() * 1000.0).round() as u64;
    let tenths = (duration.as_secs_f64() * 10.0).round() as u64;
    let seconds = duration.as_secs_f64().round() as u64;
    match () {
        () if millis < 1000 => format!("{millis} ms"),
        () if tenths < 600 => format!("{}.{} s", tenths / 10, tenths % 10),
        () if seconds < 3600 => format!("{} m {} s", seconds / 60, seconds % 60),
        () => format!("{} h {} m", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Writes nanoseconds for people; `n/a` where there are none.
pub fn read_ns(nanos: Option<u64>) -> String {
    nanos.map_or_else(|| "n/a".to_owned(), |ns| read(Duration::from_nanos(ns)))
}

/// Writes an elapsed time in whole seconds, for a display that changes once a second: `4 s`, `3 m 12 s`.
pub fn read_whole(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds < 60 => format!("{seconds} s"),
        seconds => read(Duration::from_secs(seconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_a_unit_or_as_seconds() {
        for (text, expected) in
            [("500ms", 500), ("2s", 2000), ("5m", 300_000), ("1h", 3_600_000), ("2", 2000), ("0.5", 500), ("0", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused_without_panic() {
        for text in ["5x", "", "s", "-1s", "1e9", "1.2.3", "NaN", "inf", "5 s", "99999999999999999999s"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_read_in_the_unit_that_fits() {
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
            assert_eq!(read(Duration::from_millis(millis)), expected);
        }
        assert_eq!(read(Duration::from_nanos(999_600_000)), "1.0 s");
        assert_eq!(read_ns(None), "n/a");
    }
}
