//! Tests of stalls, callbacks and hints.

use super::*;
use crate::follow::Stall;

fn stall(after: f64, ends: bool) -> FollowOptions {
    FollowOptions { stall: Some(Stall { after: secs(after), ends }), ..options() }
}

fn stalls(seen: &world::Seen) -> Vec<Duration> {
    seen.of(|event| matches!(event, Event::Stalled { .. })).iter().map(|(at, _)| *at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_without_changes_is_reported_stalled_once_and_on_time() {
    for count in [1, 20] {
        let ids = ids(count);
        let world = World::new(ids.iter().map(|id| (id.clone(), secs(600.0))));
        let (seen, _) = watch(world, RTT, &ids, stall(60.0, false), true).await;
        assert_eq!(seen.exits, vec![Exit::Done; count]);
        assert_eq!(stalls(&seen).len(), count, "each once");
        for at in stalls(&seen) {
            assert!(at >= secs(60.0) && at <= secs(66.0), "{at:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_can_end_following_of_that_run_only() {
    let ids = ids(2);
    let world = World::new([(ids[0].clone(), secs(5.0)), (ids[1].clone(), secs(600.0))]);
    let (seen, _) = watch(world, RTT, &ids, stall(60.0, true), true).await;
    assert_eq!(seen.exits, [Exit::Done, Exit::TimedOut]);
    assert!(seen.took < secs(67.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_ends_in_time_does_not_stall_and_an_outage_is_not_a_stall() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(59.0))]);
    let (seen, _) = watch(world, RTT, &ids, stall(60.0, true), true).await;
    assert_eq!((stalls(&seen).len(), seen.exits), (0, vec![Exit::Done]));
    let mut world = World::new([(ids[0].clone(), secs(100.0))]);
    world.faults.push(("/runs", secs(10.0), secs(120.0), 429));
    let (seen, _) = watch(world, RTT, &ids, stall(60.0, true), true).await;
    assert_eq!((stalls(&seen).len(), seen.exits), (0, vec![Exit::Done]));
}

#[tokio::test(start_paused = true)]
async fn the_end_can_be_reported_after_the_callback() {
    let ids = ids(1);
    for (waits, bounds) in [(true, (40.0, 45.0)), (false, (10.0, 12.0))] {
        let mut world = World::new([(ids[0].clone(), secs(10.0))]);
        world.called = Some(secs(40.0));
        let options = FollowOptions { wait_callback: waits, ..options() };
        let (seen, world) = watch(world, RTT, &ids, options, true).await;
        let Some((at, Event::Ended(ending))) = seen.events.last() else { panic!("{:?}", seen.events) };
        assert!(*at >= secs(bounds.0) && *at <= secs(bounds.1), "{at:?}");
        assert_eq!(ending.run.document().present("callback_sent_at").is_some(), waits);
        assert_eq!(seen.of(|event| matches!(event, Event::Callback { .. })).len(), usize::from(waits));
        assert!(polls(&world) < 100, "{} polls", polls(&world));
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_without_a_callback_ends_without_waiting_for_one() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(1.0))]);
    let (seen, _) = watch(world, RTT, &ids, FollowOptions { wait_callback: true, ..options() }, true).await;
    assert_eq!(seen.exits, [Exit::Done]);
    assert!(seen.took < secs(2.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_hint_causes_a_poll_at_once_and_is_never_trusted() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(3600.0))]);
    // Ten thousand false hints in a second, then a true one, slightly early.
    world.hints = (0..10_000).map(|n| (secs(100.0 + f64::from(n) / 10_000.0), ids[0].clone())).collect();
    world.hints.push((secs(3599.9), ids[0].clone()));
    let (seen, world) = watch(world, RTT, &ids, FollowOptions { relaxed: true, ..options() }, true).await;
    assert_eq!(seen.exits, [Exit::Done]);
    assert!(seen.took >= secs(3600.0) && seen.took < secs(3600.5), "{:?}", seen.took);
    assert!(polls(&world) < 900, "{} polls", polls(&world));
}

#[tokio::test(start_paused = true)]
async fn relaxed_polling_finds_the_end_without_a_hint() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(60.0))]);
    let (seen, world) = watch(world, RTT, &ids, FollowOptions { relaxed: true, ..options() }, true).await;
    assert_eq!(seen.exits, [Exit::Done]);
    assert!(seen.took <= secs(66.0), "{:?}", seen.took);
    assert!(polls(&world) <= 15, "{} polls", polls(&world));
}

#[tokio::test(start_paused = true)]
async fn a_hint_about_another_run_changes_nothing() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(60.0))]);
    world.hints = (0..100).map(|n| (secs(f64::from(n) / 10.0), "run-ffffffff".to_owned())).collect();
    let (seen, world) = watch(world, RTT, &ids, FollowOptions { relaxed: true, ..options() }, true).await;
    assert_eq!((seen.exits, world.count("run-ffffffff")), (vec![Exit::Done], 0));
    assert!(polls(&world) <= 15, "{} polls", polls(&world));
}
