//! The backoff of callbacks: the schedule that Standard Webhooks proposes, up to a day.

use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// The waits after the first attempt, the second, and so on, in seconds.
const WAITS: [u64; 7] = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 24 * HOUR];

/// The number of attempts in all.
pub const ATTEMPTS: usize = WAITS.len() + 1;

/// Returns the wait after this many attempts; `None` before the first and after the last.
///
/// `jitter` is between 0 and 1 and changes the wait by up to a fifth, so that callbacks that failed together are not
/// all repeated at the same time.
pub fn wait(attempts: usize, jitter: f64) -> Option<Duration> {
    let wait = WAITS.get(attempts.checked_sub(1)?)?;
    Some(Duration::from_secs(*wait).mul_f64(0.8 + 0.4 * jitter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_are_the_documented_ones() {
        let waits: Vec<u64> = (1..ATTEMPTS).map(|n| wait(n, 0.5).expect("a wait").as_secs()).collect();
        assert_eq!(waits, [5, 300, 1_800, 7_200, 18_000, 36_000, 86_400]);
        assert_eq!(wait(ATTEMPTS, 0.5), None, "the last attempt");
        assert_eq!(wait(0, 0.5), None, "no attempt yet");
    }

    #[test]
    fn jitter_changes_a_wait_by_a_fifth_at_most() {
        for n in 1..ATTEMPTS {
            let [least, middle, most] = [0.0, 0.5, 1.0].map(|jitter| wait(n, jitter).expect("a wait").as_secs_f64());
            assert!((least / middle - 0.8).abs() < 1e-9 && (most / middle - 1.2).abs() < 1e-9, "{n}");
        }
    }
}
