//! Property test: for any order in which runs are added, end and are listed, each end is reported once and never early.

use std::collections::HashMap;

use proptest::prelude::*;

use super::world::{World, watch_added_at};
use super::*;

/// A run: when the command learns of it, and how long after that it ends.
fn runs() -> impl Strategy<Value = Vec<(f64, f64)>> {
    prop::collection::vec((0.0f64..40.0, 0.0f64..90.0), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_end_is_reported_once_and_never_early(
        runs in runs(),
        lag in 0.0f64..8.0,
        misses in 0u64..6,
        rtt in 0u64..1_500,
        outage in prop::option::of((0.0f64..60.0, 0.5f64..30.0)),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (seen, ends) = runtime.expect("a runtime").block_on(async {
            let named = runs.iter().zip(ids(runs.len()));
            let coming: Vec<(Duration, String)> = named.clone().map(|((at, _), id)| (secs(*at), id)).collect();
            let mut world = World::new(named.map(|((at, takes), id)| (id, secs(at + takes))));
            (world.list_lag, world.list_misses) = (secs(lag), misses);
            if let Some((from, takes)) = outage {
                world.faults.push(("/v1/runs/", secs(from), secs(from + takes), 408));
            }
            let ends: HashMap<String, Duration> = world.ends.clone();
            let options = FollowOptions { figures: false, ..options() };
            let (seen, _) = watch_added_at(world, Duration::from_millis(rtt), coming, options, true).await;
            (seen, ends)
        });
        let mut told = HashMap::new();
        for (at, event) in seen.of(|event| matches!(event, Event::Ended(_))) {
            let Event::Ended(ending) = event else { continue };
            let id = ending.run.id().to_string();
            prop_assert!(*at >= ends[&id], "{} ended at {:?} and was told at {:?}", id, ends[&id], at);
            prop_assert!(told.insert(id.clone(), *at).is_none(), "{} was told twice", id);
        }
        prop_assert_eq!(told.len(), ends.len(), "all were told");
        prop_assert!(seen.exits.iter().all(|exit| *exit == Exit::Done));
    }
}
