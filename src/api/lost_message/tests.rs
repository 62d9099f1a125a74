//! The search for the run of a lost message, on a virtual clock: busy agents, lists in either direction, endless lists.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::{Client, Submission, Transport};
use crate::core::Acceptance;
use crate::exit::Exit;

const CALLBACK: &str = "http://127.0.0.1:9/ours";

/// An agent's runs and messages, oldest first, on a server that loses the answer to every message.
#[derive(Clone)]
struct Server {
    runs: Vec<Value>,
    messages: Vec<Value>,
    /// `after` and `before` of runs are swapped.
    inverted: bool,
    /// The messages of a page are sorted oldest first, even on the newest page.
    ascending: bool,
    /// Lists never end: each page has a next one.
    endless: bool,
    /// Every page after the first fails.
    first_page_only: bool,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Our run and its message, between runs that are an hour old and newer runs of others.
    fn busy(older: usize, newer: usize) -> Self {
        let now = Timestamp::now();
        let ages = (0..older).map(|n| (SignedDuration::from_secs(3600), n)).chain([(SignedDuration::ZERO, older)]);
        let ages = ages.chain((0..newer).map(|n| (SignedDuration::ZERO, older + 1 + n)));
        let mut runs = Vec::new();
        let mut messages = Vec::new();
        for (age, n) in ages {
            let id = format!("run-{n:08x}");
            let made = (now - age).to_string();
            let ours = n == older;
            runs.push(json!({"id": id, "created_at": made, "callback_url": ours.then_some(CALLBACK)}));
            let otid = if ours { "mine".to_owned() } else { format!("otid-{n}") };
            for kind in ["user_message", "assistant_message"] {
                let otid = if kind == "user_message" { otid.clone() } else { format!("answer-{n}") };
                let id = format!("message-{n}-{kind}");
                messages.push(json!({
                    "id": id, "message_type": kind, "otid": otid, "date": made, "run_id": format!("run-{n:08x}"),
                }));
            }
        }
        let requests = Arc::default();
        Self { runs, messages, inverted: false, ascending: false, endless: false, first_page_only: false, requests }
    }

    fn client(&self) -> Client {
        let server = self.clone();
        let router = Router::new().fallback(move |request: Request<Body>| {
            let (status, body) = server.answer(&request);
            async move { Response::builder().status(status).body(Body::from(body)).expect("an answer") }
        });
        Client::new(Transport::InProcess(router), "", Rc::new(|_| {}))
    }

    fn answer(&self, request: &Request<Body>) -> (u16, String) {
        let query = url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned();
        let query: HashMap<String, String> = query.collect();
        self.requests.lock().expect("no panic").push(request.uri().to_string());
        match request.uri().path() {
            "/v1/runs/" => self.page(&self.runs, &query, self.inverted),
            path if path.ends_with("/messages") => {
                let (status, page) = self.page(&self.messages, &query, false);
                if !self.ascending { (status, page) } else { (status, reversed(&page)) }
            }
            // A 2xx that cannot be read: the message may have been accepted.
            path if path.ends_with("/async") => (200, String::new()),
            _ => (404, "{}".to_owned()),
        }
    }

    /// Returns a page, newest first. Only the cursors of runs are swapped on an inverted server.
    fn page(&self, all: &[Value], query: &HashMap<String, String>, inverted: bool) -> (u16, String) {
        let before = query.get("before");
        let after = query.get("after");
        let is_runs = std::ptr::eq(all, self.runs.as_slice());
        let (older, newer) = if is_runs && !inverted { (after, before) } else { (before, after) };
        if self.first_page_only && (older.is_some() || newer.is_some()) {
            return (503, "{}".to_owned());
        }
        let asked: usize = query["limit"].parse().expect("a number");
        let limit = if self.endless { asked.min(30) } else { asked };
        let place = |id: &String| all.iter().position(|item| item["id"] == id.as_str()).unwrap_or(all.len());
        let range = match (older, newer) {
            (Some(_), _) if self.endless => all.len() - limit.min(all.len())..all.len(),
            (Some(id), _) => 0..place(id),
            (None, Some(id)) => place(id) + 1..all.len(),
            (None, None) => 0..all.len(),
        };
        let page: Vec<Value> =
            all[range].iter().rev().take(limit).cloned().map(|item| self.renewed(item, older)).collect();
        (200, Value::from(page).to_string())
    }

    /// On an endless server, an item after a cursor gets a new id.
    fn renewed(&self, mut item: Value, cursor: Option<&String>) -> Value {
        if self.endless && cursor.is_some() {
            let fresh = format!("{:08x}-{}", fastrand::u32(..), fastrand::u32(..));
            let prefix = if item["message_type"].is_null() { "run" } else { "message" };
            item["id"] = format!("{prefix}-{fresh}").into();
        }
        item
    }

    fn asked(&self, path: &str) -> usize {
        self.requests.lock().expect("no panic").iter().filter(|uri| uri.contains(path)).count()
    }
}

fn reversed(page: &str) -> String {
    let page: Vec<Value> = serde_json::from_str(page).expect("a list");
    page.into_iter().rev().collect::<Value>().to_string()
}

fn submission(own_callback: bool) -> Submission {
    let body = match own_callback {
        true => json!({"input": "hi", "callback_url": CALLBACK}),
        false => json!({"messages": [{"role": "user", "content": "hi", "otid": "mine"}]}),
    };
    Submission {
        agent: "agent-11111111-1111-4111-8111-111111111111".parse().expect("an id"),
        body: body.to_string(),
        key: "key".to_owned(),
        own_callback,
        acceptance: Acceptance::Impossible.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_agent_does_not_hide_the_run_of_a_lost_message() {
    for (inverted, ascending) in [(false, false), (true, false), (false, true), (true, true)] {
        for newer in [0, 99, 100, 600] {
            let server = Server { inverted, ascending, ..Server::busy(120, newer) };
            for own_callback in [true, false] {
                let run = server.client().send(&submission(own_callback), HashSet::new).await;
                let place = format!("{newer} newer, inverted {inverted}, ascending {ascending}, tag {own_callback}");
                let run = run.unwrap_or_else(|lost| panic!("{place}: {:?}", lost.error));
                assert_eq!(run.id().as_str(), format!("run-{:08x}", 120), "{place}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn runs_and_messages_older_than_the_message_are_not_read() {
    let server = Server { inverted: true, ..Server::busy(5000, 30) };
    server.client().send(&submission(false), HashSet::new).await.expect("found");
    assert_eq!((server.asked("/v1/runs/"), server.asked("/messages?")), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_failed_later_page_does_not_discard_the_first() {
    let server = Server { first_page_only: true, ..Server::busy(300, 40) };
    let run = server.client().send(&submission(false), HashSet::new).await.expect("its message is on the first page");
    assert_eq!(run.id().as_str(), format!("run-{:08x}", 300));
}

#[tokio::test(start_paused = true)]
async fn endless_lists_are_abandoned_and_the_message_stays_unknown() {
    let began = tokio::time::Instant::now();
    let server = Server { endless: true, ..Server::busy(0, 100) };
    let mut submission = submission(false);
    submission.body = submission.body.replace("mine", "not there");
    let lost = server.client().send(&submission, HashSet::new).await.expect_err("nothing proves it");
    assert_eq!((lost.error.acceptance(), lost.error.exit()), (Acceptance::Possible, Exit::Unknown));
    assert!(began.elapsed() < Duration::from_secs(70), "{:?}", began.elapsed());
    let runs = server.asked("/v1/runs/");
    let messages = server.asked("/messages?");
    assert!(runs <= 6 * 12 && messages <= 6 * 12, "{runs} and {messages} pages");
}
