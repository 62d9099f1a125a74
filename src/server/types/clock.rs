//! The wall clock, and times as the API writes them.

use jiff::Timestamp;

/// Microseconds since 1970.
pub fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Formats a time of a run or an agent: `2026-04-02T09:15:30.118204Z`.
pub fn micros(time: i64) -> String {
    // Every run is shown with times of this form: the format that is built in costs a fraction of one that is read.
    format!("{:.6}", Timestamp::from_microsecond(time).unwrap_or_default())
}

/// Formats the end of a run without a zone, as the real server does: `2026-04-02T09:15:33.410887`.
pub fn naive(time: i64) -> String {
    write(time, "%Y-%m-%dT%H:%M:%S%.6f")
}

/// Formats a time of a message: `2026-04-02T09:15:30+00:00`.
pub fn seconds(time: i64) -> String {
    write(time, "%Y-%m-%dT%H:%M:%S+00:00")
}

fn write(time: i64, format: &str) -> String {
    Timestamp::from_microsecond(time).unwrap_or_default().strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_digits_that_the_api_documents() {
        assert_eq!(micros(1_775_121_330_118_204), "2026-04-02T09:15:30.118204Z");
        assert_eq!(micros(1_775_121_330_000_000), "2026-04-02T09:15:30.000000Z");
        assert_eq!(naive(1_775_121_330_118_204), "2026-04-02T09:15:30.118204");
        assert_eq!(seconds(1_775_121_330_118_204), "2026-04-02T09:15:30+00:00");
    }
}
