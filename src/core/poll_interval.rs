//! The interval between two polls of a run: a tenth of its age, within bounds.

use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// Returns the delay before the next poll of a run.
///
/// `age` is the time since the run was accepted; `jitter` is uniform in [0, 1). The jitter only shortens the delay, so
/// that the end is seen late by at most a tenth of the run's duration.
pub fn single(age: Duration, jitter: f64) -> Duration {
    let floor = if age < Duration::from_millis(500) { 0.1 } else { 0.2 };
    let cap = match age {
        age if age < HOUR => 10.0,
        age if age < 6 * HOUR => 30.0,
        _ => 60.0,
    };
    shorten((0.1 * age.as_secs_f64()).clamp(floor, cap), jitter)
}

/// Returns the delay before the next poll of a run whose end a callback or a subscription will announce.
pub fn relaxed(age: Duration, jitter: f64) -> Duration {
    single(age, jitter).max(Duration::from_secs(5))
}

/// Returns the delay before the next list request, for three or more open runs. `age` is that of the youngest.
pub fn list(age: Duration, jitter: f64) -> Duration {
    shorten((0.1 * age.as_secs_f64()).clamp(0.5, 5.0), jitter)
}

/// Returns the longest time between two polls of one open run while lists of runs are requested.
///
/// A list may lag for a run that another process executes (`relayed`). For other runs the list is enough, and the poll
/// is a safeguard.
pub fn refresh(age: Duration, relayed: bool) -> Duration {
    let floor = if relayed { 30.0 } else { 300.0 };
    Duration::from_secs_f64((0.25 * age.as_secs_f64()).max(floor))
}

fn shorten(seconds: f64, jitter: f64) -> Duration {
    Duration::from_secs_f64(seconds * (0.8 + 0.2 * jitter.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Polls a run of `run` seconds on a virtual clock. Returns the number of polls and the seconds from its end to the
    /// poll that saw it.
    fn simulate(run: f64, rtt: f64, rng: &mut fastrand::Rng) -> (u32, f64) {
        let mut now = 0.0;
        let mut polls = 0;
        loop {
            let polled_at = now + rtt / 2.0;
            polls += 1;
            now += rtt;
            if polled_at >= run {
                return (polls, now - run);
            }
            now += single(Duration::from_secs_f64(now), rng.f64()).as_secs_f64();
        }
    }

    #[test]
    fn a_run_of_a_minute_costs_at_most_sixty_polls() {
        for seed in 0..500 {
            let (polls, late) = simulate(60.0, 0.02, &mut fastrand::Rng::with_seed(seed));
            assert!(polls <= 60, "{polls} polls with seed {seed}");
            assert!(late <= 6.0 + 0.05, "{late} s late with seed {seed}");
        }
    }

    proptest! {
        #[test]
        fn the_end_is_seen_at_most_a_tenth_late(run in 0.01f64..172_800.0, rtt in 0.0f64..1.0, seed: u64) {
            let (polls, late) = simulate(run, rtt, &mut fastrand::Rng::with_seed(seed));
            prop_assert!(late <= (0.1 * run).max(0.2) + 2.1 * rtt, "{} s late", late);
            prop_assert!(f64::from(polls) <= 100.0 + run / 8.0, "{} polls", polls);
        }

        #[test]
        fn delays_stay_within_their_bounds(age in 0u64..10_000_000, jitter in 0.0f64..1.0) {
            let age = Duration::from_millis(age);
            prop_assert!(single(age, jitter) >= Duration::from_millis(80));
            prop_assert!(single(age, jitter) <= Duration::from_secs(60));
            prop_assert!(list(age, jitter) >= Duration::from_millis(400));
            prop_assert!(list(age, jitter) <= Duration::from_secs(5));
        }
    }
}
