//! An in-memory server for tests on a virtual clock.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::Instant;

use crate::api::{Client, Transport};
use crate::exit::Exit;
use crate::follow::{Event, FollowOptions, FollowTarget, Inputs, follow};
use crate::model::RunId;
use crate::report::Failure;

/// A server whose runs end at given times.
pub(super) struct World {
    pub(super) start: Instant,
    pub(super) ends: HashMap<String, Duration>,
    /// Answers instead of the usual ones: (path part, from, to, status).
    pub(super) faults: Vec<(&'static str, Duration, Duration, u16)>,
    pub(super) has_list: bool,
    /// The age of the state that lists show.
    pub(super) list_lag: Duration,
    /// One in this many open runs is missing from each list, a different one each time; 0 for none.
    pub(super) list_misses: u64,
    /// When the callbacks of the runs are attempted; `None` for runs without a callback.
    pub(super) called: Option<Duration>,
    /// When a hint is sent, and for which run.
    pub(super) hints: Vec<(Duration, String)>,
    /// Paths with this part are not answered.
    pub(super) hanging: Option<&'static str>,
    pub(super) requests: Vec<(Duration, String)>,
}

impl World {
    pub(super) fn new(ends: impl IntoIterator<Item = (String, Duration)>) -> Self {
        Self {
            start: Instant::now(),
            ends: ends.into_iter().collect(),
            faults: Vec::new(),
            has_list: true,
            list_lag: Duration::ZERO,
            list_misses: 0,
            called: None,
            hints: Vec::new(),
            hanging: None,
            requests: Vec::new(),
        }
    }

    fn run(&self, id: &str) -> Option<Value> {
        let end = *self.ends.get(id)?;
        let done = self.start.elapsed() >= end;
        let (status, reason) = if done { ("completed", json!("end_turn")) } else { ("created", Value::Null) };
        let mut run = json!({"id": id, "status": status, "stop_reason": reason, "agent_id": "agent-x"});
        if let Some(called) = self.called {
            let sent = (self.start.elapsed() >= called).then_some("2026-11-23T14:56:09");
            run["callback_url"] = json!("http://127.0.0.1/");
            (run["callback_sent_at"], run["callback_status_code"]) = (json!(sent), json!(sent.map(|_| 204)));
        }
        Some(run)
    }

    fn answer(&mut self, path: &str) -> (u16, Value) {
        let now = self.start.elapsed();
        self.requests.push((now, path.to_owned()));
        let fault = self.faults.iter().find(|(part, from, to, _)| path.contains(part) && (*from..*to).contains(&now));
        if let Some((_, _, _, status)) = fault {
            return (*status, json!({"detail": "a fault"}));
        }
        match path.strip_prefix("/v1/runs/") {
            Some(rest) if rest.starts_with('?') && self.has_list => (200, self.open(rest)),
            Some(rest) => match self.run(rest) {
                Some(run) => (200, run),
                None => (404, json!({"detail": "Not Found"})),
            },
            None => (404, json!({"detail": "Not Found"})),
        }
    }

    /// Returns a page of the list of open runs, of the requested size.
    fn open(&self, query: &str) -> Value {
        let mut ids: Vec<&String> = self.ends.keys().collect();
        ids.sort();
        let pairs: HashMap<_, _> = url::form_urlencoded::parse(query.trim_start_matches('?').as_bytes()).collect();
        let after = pairs.get("after").map(ToString::to_string).unwrap_or_default();
        let limit: usize = pairs.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100);
        let shown_at = self.start.elapsed().saturating_sub(self.list_lag);
        let is_open = |id: &&String| self.ends[*id] > shown_at;
        let mut dice = fastrand::Rng::with_seed(self.requests.len() as u64);
        let mut is_shown = |_: &&String| self.list_misses == 0 || dice.u64(..self.list_misses) > 0;
        let ids = ids.into_iter().filter(|id| **id > after).filter(is_open).filter(|id| is_shown(id));
        ids.take(limit).map(|id| json!({"id": id, "status": "created", "agent_id": "agent-x"})).collect()
    }

    pub(super) fn count(&self, part: &str) -> usize {
        self.requests.iter().filter(|(_, path)| path.contains(part)).count()
    }
}

/// Counts the requests of polling: single runs and lists.
pub(super) fn polls(world: &World) -> usize {
    let extras = ["/metrics", "/usage", "/messages", "/steps"];
    world.requests.iter().filter(|(_, path)| !extras.iter().any(|extra| path.contains(extra))).count()
}

/// The result of following.
pub(super) struct Seen {
    pub(super) exits: Vec<Exit>,
    /// Each event with its time.
    pub(super) events: Vec<(Duration, Event)>,
    pub(super) took: Duration,
}

impl Seen {
    pub(super) fn of(&self, wanted: impl Fn(&Event) -> bool) -> Vec<&(Duration, Event)> {
        self.events.iter().filter(|(_, event)| wanted(event)).collect()
    }
}

/// Follows runs in a world; each request takes `rtt`.
pub(super) async fn watch(
    world: World,
    rtt: Duration,
    ids: &[String],
    options: FollowOptions,
    sent_here: bool,
) -> (Seen, World) {
    let coming = ids.iter().map(|id| (Duration::ZERO, id.clone())).collect();
    watch_added_at(world, rtt, coming, options, sent_here).await
}

/// Like [`watch`], but the runs are added at given times.
pub(super) async fn watch_added_at(
    world: World,
    rtt: Duration,
    mut coming: Vec<(Duration, String)>,
    options: FollowOptions,
    sent_here: bool,
) -> (Seen, World) {
    let start = world.start;
    let world = Arc::new(Mutex::new(world));
    let shared = Arc::clone(&world);
    let router = Router::new().fallback(move |request: Request<Body>| {
        let shared = Arc::clone(&shared);
        async move {
            tokio::time::sleep(rtt / 2).await;
            let hanging = shared.lock().expect("no panic").hanging;
            if hanging.is_some_and(|part| request.uri().path().contains(part)) {
                std::future::pending::<()>().await;
            }
            let (status, body) = shared.lock().expect("no panic").answer(&request.uri().to_string());
            tokio::time::sleep(rtt / 2).await;
            Response::builder().status(status).body(Body::from(body.to_string())).expect("a response")
        }
    });
    let api = Client::new(Transport::InProcess(router), "", Rc::new(|_| {}));
    let (sender, receiver) = unbounded_channel();
    coming.sort();
    let naming = async move {
        for (at, id) in coming {
            if at > start.elapsed() {
                tokio::time::sleep_until(start + at).await;
            }
            let id: RunId = id.parse().expect("an id");
            sender.send(FollowTarget { id, run: None, sent_here }).expect("a receiver");
        }
    };
    let (hint, hints) = unbounded_channel();
    let planned = std::mem::take(&mut world.lock().expect("no panic").hints);
    let hinting = tokio::spawn(async move {
        for (at, id) in planned {
            tokio::time::sleep_until(start + at).await;
            let _ = hint.send(id.parse().expect("an id"));
        }
    });
    let mut events = Vec::new();
    let mut emit = |event: Event| -> Result<(), Failure> {
        events.push((start.elapsed(), event));
        Ok(())
    };
    let inputs = Inputs { targets: receiver, hints: Some(hints) };
    let (exits, ()) = tokio::join!(follow(&api, inputs, &options, &mut emit), naming);
    let exits = exits.expect("no error of the display");
    let took = start.elapsed();
    hinting.abort();
    drop(api);
    let world = Arc::into_inner(world).expect("nobody else has it").into_inner().expect("no panic");
    (Seen { exits, events, took }, world)
}
