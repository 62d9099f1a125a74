//! Durations of many runs as percentiles, by stop reason.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::Run;

/// The count, median, 95th percentile and maximum of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// The number of known values.
    pub count: usize,
    /// The median, by nearest rank: a value that occurred.
    pub p50: Option<u64>,
    /// The 95th percentile, by nearest rank.
    pub p95: Option<u64>,
    /// The largest.
    pub max: Option<u64>,
}

impl Percentiles {
    /// Computes the percentiles of some values.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let rank = |hundredths: usize| values.get((values.len() * hundredths).div_ceil(100).saturating_sub(1)).copied();
        Self { count: values.len(), p50: rank(50), p95: rank(95), max: rank(100) }
    }
}

/// The runs that stopped for one reason. The keys are printed in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The stop reason; `None` for runs that have not stopped.
    pub stop_reason: Option<String>,
    /// The number of runs.
    pub runs: usize,
    /// Time to first token, in nanoseconds.
    pub ttft_ns: Percentiles,
    /// Duration, in nanoseconds.
    pub duration_ns: Percentiles,
}

/// Figures of many runs by stop reason, without the runs.
#[derive(Debug, Default)]
pub struct Stats(BTreeMap<Option<String>, Figures>);

#[derive(Debug, Default)]
struct Figures {
    runs: usize,
    ttft: Vec<u64>,
    duration: Vec<u64>,
}

impl Stats {
    /// Adds a run. `duration` is the most exact known one, in nanoseconds.
    pub fn add(&mut self, run: &Run, duration: Option<u64>) {
        let reason = run.stop_reason().map(|reason| reason.as_str().to_owned());
        let figures = self.0.entry(reason).or_default();
        figures.runs += 1;
        figures.ttft.extend(run.ttft_ns());
        figures.duration.extend(duration);
    }

    /// Returns the groups, the largest first.
    pub fn groups(self) -> Vec<Group> {
        let group = |(stop_reason, figures): (Option<String>, Figures)| Group {
            stop_reason,
            runs: figures.runs,
            ttft_ns: Percentiles::of(figures.ttft),
            duration_ns: Percentiles::of(figures.duration),
        };
        let mut groups: Vec<Group> = self.0.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.runs));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let of = |values: &[u64]| {
            let Percentiles { count, p50, p95, max } = Percentiles::of(values.to_vec());
            (count, p50, p95, max)
        };
        assert_eq!(of(&[]), (0, None, None, None));
        assert_eq!(of(&[7]), (1, Some(7), Some(7), Some(7)));
        assert_eq!(of(&[4, 1, 3, 2]), (4, Some(2), Some(4), Some(4)));
        let hundred: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(of(&hundred), (100, Some(50), Some(95), Some(100)));
    }

    #[test]
    fn runs_are_counted_by_stop_reason_and_an_unknown_figure_is_not_zero() {
        let run = |text: &str| Run::parse(text).expect("a run");
        let mut stats = Stats::default();
        stats.add(&run(r#"{"id":"run-12345678"}"#), None);
        for ttft in ["null", "5"] {
            let text = format!(r#"{{"id":"run-12345678","stop_reason":"tomorrow","ttft_ns":{ttft}}}"#);
            stats.add(&run(&text), Some(9));
        }
        let groups = stats.groups();
        assert_eq!((groups[0].stop_reason.as_deref(), groups[0].runs), (Some("tomorrow"), 2));
        assert_eq!((groups[0].ttft_ns.count, groups[0].ttft_ns.p50, groups[0].duration_ns.count), (1, Some(5), 2));
        assert_eq!((groups[1].stop_reason.as_deref(), groups[1].duration_ns.p95), (None, None));
    }

    proptest! {
        #[test]
        fn the_named_share_of_values_is_not_above_a_percentile(values in proptest::collection::vec(0u64..50, 1..200)) {
            let all = Percentiles::of(values.clone());
            for (percentile, share) in [(all.p50, 50), (all.p95, 95), (all.max, 100)] {
                let below = values.iter().filter(|value| Some(**value) <= percentile).count();
                prop_assert!(below * 100 >= values.len() * share);
                prop_assert!(percentile.is_some_and(|percentile| values.contains(&percentile)));
            }
        }
    }
}
