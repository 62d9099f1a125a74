//! Tests of following on a virtual clock, against a server in memory.

mod model;
mod signs;
mod world;

use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use super::{Event, FollowOptions, FollowTarget, Messages, follow};
use crate::api::{Client, Transport};
use crate::exit::Exit;
use crate::model::Run;
use crate::report::Failure;
use world::{World, polls, watch};

const RTT: Duration = Duration::from_millis(20);

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("run-{n:08x}")).collect()
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn options() -> FollowOptions {
    FollowOptions::default()
}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_minute_costs_at_most_sixty_polls_and_is_seen_at_most_a_tenth_late() {
    for _ in 0..20 {
        let ids = ids(1);
        let world = World::new([(ids[0].clone(), secs(60.0))]);
        let (seen, world) = watch(world, RTT, &ids, options(), true).await;
        assert_eq!(seen.exits, [Exit::Done]);
        assert!(polls(&world) <= 60, "{} polls", polls(&world));
        assert!(seen.took <= secs(66.0) + 3 * RTT, "{:?}", seen.took);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_runs_cost_at_most_1200_requests() {
    let ids = ids(1000);
    // Half of them end within the first minute, all within the second.
    let end = |n: usize| secs(5.0 + 110.0 * (n as f64 / 1000.0).powf(1.5));
    let world = World::new(ids.iter().enumerate().map(|(n, id)| (id.clone(), end(n))));
    let without_figures = FollowOptions { figures: false, ..options() };
    let (seen, world) = watch(world, RTT, &ids, without_figures, true).await;
    assert_eq!(seen.exits, vec![Exit::Done; 1000]);
    assert!(world.requests.len() <= 1200, "{} requests", world.requests.len());
    for (at, event) in seen.of(|event| matches!(event, Event::Ended(_))) {
        let Event::Ended(ending) = event else { continue };
        let ended = world.ends[ending.run.id().as_str()];
        // Lists find ends within their interval; the last two runs are polled by themselves, a tenth late.
        let bound = ended + secs(6.0).max(ended / 10) + 3 * RTT;
        assert!(*at <= bound, "{} ended at {ended:?} and was seen at {at:?}", ending.run.id());
    }
}

#[tokio::test(start_paused = true)]
async fn figures_cost_two_requests_a_run_and_no_more_polls() {
    let ids = ids(100);
    let world = World::new(ids.iter().map(|id| (id.clone(), secs(20.0))));
    let (seen, world) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, vec![Exit::Done; 100]);
    assert_eq!(world.requests.len() - polls(&world), 200);
    assert!(polls(&world) <= 140, "{} polls", polls(&world));
}

#[tokio::test(start_paused = true)]
async fn without_a_list_endpoint_each_run_is_polled() {
    let ids = ids(10);
    let mut world = World::new(ids.iter().map(|id| (id.clone(), secs(30.0))));
    world.has_list = false;
    let (seen, world) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, vec![Exit::Done; 10]);
    assert!(
        polls(&world) <= 10 + 5 * seen.took.as_secs_f64().ceil() as usize,
        "{} polls in {:?}",
        polls(&world),
        seen.took
    );
    assert!(seen.took <= secs(35.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn if_the_server_rejects_the_filter_the_older_one_is_used() {
    let ids = ids(5);
    let mut world = World::new(ids.iter().map(|id| (id.clone(), secs(20.0))));
    world.faults.push(("statuses", Duration::ZERO, secs(1e6), 422));
    let (seen, world) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, vec![Exit::Done; 5]);
    assert_eq!(world.count("statuses"), 1);
    assert!(world.count("active=true") > 1);
}

#[tokio::test(start_paused = true)]
async fn following_survives_an_outage_of_thirty_seconds_with_few_requests() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(40.0))]);
    world.faults.push(("/v1/runs/", secs(5.0), secs(35.0), 408));
    let (seen, world) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, [Exit::Done]);
    let during = world.requests.iter().filter(|(at, _)| (secs(5.0)..secs(35.0)).contains(at)).count();
    assert!(during <= 12, "{during} requests during the outage");
    assert_eq!(seen.of(|event| matches!(event, Event::Recovered { .. })).len(), 1);
    assert!(seen.took <= secs(52.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn many_runs_cause_few_requests_during_an_outage() {
    let ids = ids(50);
    let mut world = World::new(ids.iter().map(|id| (id.clone(), secs(100.0))));
    world.faults.push(("/v1/runs/", secs(10.0), secs(70.0), 408));
    let (seen, world) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, vec![Exit::Done; 50]);
    let during = world.requests.iter().filter(|(at, _)| (secs(10.0)..secs(70.0)).contains(at)).count();
    assert!(during <= 24, "{during} requests during the outage");
}

#[tokio::test(start_paused = true)]
async fn an_outage_longer_than_max_outage_ends_following() {
    let ids = ids(3);
    let mut world = World::new(ids.iter().map(|id| (id.clone(), secs(1e6))));
    world.faults.push(("/v1/runs/", secs(10.0), secs(1e6), 408));
    let (seen, _) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, vec![Exit::TimedOut; 3]);
    assert!((secs(310.0)..secs(320.0)).contains(&seen.took), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn the_first_request_has_the_usual_retry_budget() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(1.0))]);
    world.faults.push(("/v1/runs/", Duration::ZERO, secs(1e6), 408));
    let (seen, _) = watch(world, RTT, &ids, options(), false).await;
    assert_eq!(seen.exits, [Exit::Unreachable]);
    assert!(seen.took <= secs(61.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_just_sent_may_be_unknown_for_ten_seconds() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(12.0))]);
    world.faults.push(("/v1/runs/", Duration::ZERO, secs(8.0), 404));
    let (seen, _) = watch(world, RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, [Exit::Done]);
    let (seen, _) = watch(World::new([]), RTT, &ids, options(), true).await;
    assert_eq!(seen.exits, [Exit::NotFound]);
    assert!((secs(10.0)..secs(12.0)).contains(&seen.took), "{:?}", seen.took);
    let (seen, _) = watch(World::new([]), RTT, &ids, options(), false).await;
    assert!(seen.exits == [Exit::NotFound] && seen.took < secs(1.0), "a typing error is told at once");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_one_run_does_not_stop_the_others() {
    let ids = ids(4);
    let world = World::new(ids[..3].iter().map(|id| (id.clone(), secs(10.0))));
    let (seen, _) = watch(world, RTT, &ids, options(), false).await;
    let mut exits = seen.exits.clone();
    exits.sort_by_key(|exit| exit.code());
    assert_eq!(exits, [Exit::Done, Exit::Done, Exit::Done, Exit::NotFound]);
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_ends_following_and_keeps_earlier_results() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(1e6))]);
    let limit = FollowOptions { timeout: Some(secs(30.0)), ..options() };
    let (seen, _) = watch(world, RTT, &ids, limit, false).await;
    assert_eq!((seen.exits.as_slice(), seen.took), ([Exit::TimedOut].as_slice(), secs(30.0)));
    let lost = seen.of(|event| matches!(event, Event::Lost { run: Some(_), .. }));
    assert_eq!(lost.len(), 1, "the last known run is told");
}

#[tokio::test(start_paused = true)]
async fn any_ends_with_the_first_run_that_ends() {
    let ids = ids(3);
    let world = World::new(ids.iter().zip([300.0, 5.0, 200.0]).map(|(id, end)| (id.clone(), secs(end))));
    let any = FollowOptions { any: true, ..options() };
    let (seen, _) = watch(world, RTT, &ids, any, false).await;
    assert_eq!(seen.exits, [Exit::Done]);
    assert!(seen.took < secs(10.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_fixed_interval_is_kept() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(60.0))]);
    let fixed = FollowOptions { interval: Some(secs(10.0)), ..options() };
    let (_, world) = watch(world, RTT, &ids, fixed, true).await;
    assert_eq!(polls(&world), 7);
}

#[tokio::test(start_paused = true)]
async fn the_same_run_named_twice_is_followed_once() {
    let ids = vec![ids(1).remove(0); 3];
    let world = World::new([(ids[0].clone(), secs(2.0))]);
    let (seen, _) = watch(world, RTT, &ids, options(), false).await;
    assert_eq!(seen.exits, [Exit::Done]);
}

#[tokio::test(start_paused = true)]
async fn figures_that_cannot_be_fetched_delay_no_end() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(1.0))]);
    world.faults.push(("/metrics", Duration::ZERO, secs(1e6), 408));
    world.faults.push(("/usage", Duration::ZERO, secs(1e6), 408));
    let (seen, _) = watch(world, RTT, &ids, options(), true).await;
    assert!(seen.exits == [Exit::Done] && seen.took < secs(1.5), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn figures_without_an_answer_are_given_up() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(1.0))]);
    world.hanging = Some("/metrics");
    let limit = FollowOptions { timeout: Some(secs(2.0)), ..options() };
    let (seen, _) = watch(world, RTT, &ids, limit, true).await;
    assert_eq!(seen.exits, [Exit::Done], "how the run went is known");
    let mut world = World::new([(ids[0].clone(), secs(1.0))]);
    world.hanging = Some("/metrics");
    let (seen, _) = watch(world, RTT, &ids, options(), true).await;
    assert!(seen.exits == [Exit::Done] && seen.took < secs(4.0), "{:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn messages_that_cannot_be_fetched_are_requested_again() {
    let ids = ids(1);
    let mut world = World::new([(ids[0].clone(), secs(1.0))]);
    world.faults.push(("/messages", Duration::ZERO, secs(100.0), 408));
    let with_messages = FollowOptions { messages: Messages::AtEnd, ..options() };
    let (seen, _) = watch(world, RTT, &ids, with_messages, true).await;
    // After the fault the endpoint is missing, as on a small server: that is no error.
    assert!(seen.exits == [Exit::Done] && seen.took > secs(100.0), "{:?} {:?}", seen.exits, seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_tick_is_emitted_every_second() {
    let ids = ids(1);
    let world = World::new([(ids[0].clone(), secs(60.0))]);
    let ticking = FollowOptions { ticks: true, ..options() };
    let (seen, _) = watch(world, RTT, &ids, ticking, true).await;
    let ticks = seen.of(|event| matches!(event, Event::Tick)).len() as u64;
    assert!(ticks.abs_diff(seen.took.as_secs()) <= 1, "{ticks} ticks in {:?}", seen.took);
}

#[tokio::test(start_paused = true)]
async fn a_stop_reason_under_an_open_status_counts_as_the_end_after_ten_seconds() {
    let router = Router::new().fallback(|| async {
        Response::new(Body::from(r#"{"id":"run-12345678","status":"running","stop_reason":"max_steps"}"#))
    });
    let api = Client::new(Transport::InProcess(router), "", Rc::new(|_| {}));
    let (sender, receiver) = unbounded_channel();
    let run = Run::parse(r#"{"id":"run-12345678"}"#).expect("a run");
    sender.send(FollowTarget::from(run)).expect("a receiver");
    drop(sender);
    let start = Instant::now();
    let mut notes = 0;
    let mut outcome = None;
    let mut emit = |event: Event| -> Result<(), Failure> {
        match event {
            Event::Note { .. } => notes += 1,
            Event::Ended(ending) => outcome = Some(ending.facts.outcome),
            _ => {}
        }
        Ok(())
    };
    let exits = follow(&api, receiver, &options(), &mut emit).await.expect("no error");
    assert_eq!((exits, notes, outcome), (vec![Exit::Done], 1, Some(crate::core::Outcome::Truncated)));
    assert!((secs(10.0)..secs(11.0)).contains(&start.elapsed()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_open_again_after_its_end_is_reported_with_its_final_outcome() {
    let start = Instant::now();
    let router = Router::new().fallback(move || async move {
        // Cancelled at once; the step that was at work completes it after one second.
        let status = if start.elapsed() < secs(1.0) { "cancelled" } else { "completed" };
        Response::new(Body::from(json!({"id": "run-12345678", "status": status}).to_string()))
    });
    let api = Client::new(Transport::InProcess(router), "", Rc::new(|_| {}));
    let (sender, receiver) = unbounded_channel();
    sender.send(FollowTarget::from(Run::parse(r#"{"id":"run-12345678"}"#).expect("a run"))).expect("a receiver");
    drop(sender);
    let mut outcome = None;
    let mut emit = |event: Event| -> Result<(), Failure> {
        if let Event::Ended(ending) = event {
            outcome = Some(ending.facts.outcome);
        }
        Ok(())
    };
    let options = FollowOptions { confirm_end_for: secs(2.0), ..options() };
    follow(&api, receiver, &options, &mut emit).await.expect("no error");
    assert_eq!(outcome, Some(crate::core::Outcome::Succeeded));
    assert!((secs(3.0)..secs(4.0)).contains(&start.elapsed()), "{:?}", start.elapsed());
}
