//! How long to wait between two looks at a run: a tenth of its age, within bounds.

use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// The delay before the next look at one run.
///
/// `age` is the time since the run was accepted; `dice` is uniform in [0, 1). The jitter only
/// shortens, so that the end is seen at most a tenth of the run's time late.
pub fn single(age: Duration, dice: f64) -> Duration {
    let floor = if age < Duration::from_millis(500) { 0.1 } else { 0.2 };
    let cap = match age {
        age if age < HOUR => 10.0,
        age if age < 6 * HOUR => 30.0,
        _ => 60.0,
    };
    shorten((0.1 * age.as_secs_f64()).clamp(floor, cap), dice)
}

/// The delay before the next look at a run whose end somebody is expected to hint at.
pub fn relaxed(age: Duration, dice: f64) -> Duration {
    single(age, dice).max(Duration::from_secs(5))
}

/// The delay before the next list request, for three or more open runs. `age` is that of the youngest.
pub fn list(age: Duration, dice: f64) -> Duration {
    shorten((0.1 * age.as_secs_f64()).clamp(0.5, 5.0), dice)
}

/// How long an open run may go without a look of its own while lists are asked for.
///
/// A list does not show the news of a run that is `relayed`, one that another process works on; for all
/// others a look of its own is only there to be sure.
pub fn refresh(age: Duration, relayed: bool) -> Duration {
    let floor = if relayed { 30.0 } else { 300.0 };
    Duration::from_secs_f64((0.25 * age.as_secs_f64()).max(floor))
}

fn shorten(seconds: f64, dice: f64) -> Duration {
    Duration::from_secs_f64(seconds * (0.8 + 0.2 * dice.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Polls a run that takes `run` on a virtual clock; returns the polls made and how late its end was seen.
    fn simulate(run: f64, rtt: f64, dice: &mut fastrand::Rng) -> (u32, f64) {
        let (mut now, mut polls) = (0.0, 0);
        loop {
            let looked_at = now + rtt / 2.0;
            polls += 1;
            now += rtt;
            if looked_at >= run {
                return (polls, now - run);
            }
            now += single(Duration::from_secs_f64(now), dice.f64()).as_secs_f64();
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
        fn delays_stay_within_their_bounds(age in 0u64..10_000_000, dice in 0.0f64..1.0) {
            let age = Duration::from_millis(age);
            prop_assert!(single(age, dice) >= Duration::from_millis(80));
            prop_assert!(single(age, dice) <= Duration::from_secs(60));
            prop_assert!(list(age, dice) >= Duration::from_millis(400));
            prop_assert!(list(age, dice) <= Duration::from_secs(5));
        }
    }
}
