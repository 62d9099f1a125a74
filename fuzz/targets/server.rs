//! A client whose server answers with the bytes of the fuzzer, and what must hold for whatever it prints.
#![allow(dead_code, reason = "not every target needs all of it")]

use std::rc::Rc;

use agentctl::api::{Client, Transport};
use agentctl::model::RunId;
use agentctl::render::Context;
use agentctl::text::page::Page;
use agentctl::text::show::is_hidden;
use agentctl::text::style::Style;
use axum::Router;
use axum::body::Body;
use http::{Response, StatusCode};

/// The id of the run that is asked for: a body with this id is about it.
pub const RUN: &str = "run-12345678";

/// A client of a server that answers everything like this.
pub fn answering(status: u16, body: &[u8]) -> Client {
    let body = body.to_vec();
    let answer = move || {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        let body = body.clone();
        std::future::ready(Response::builder().status(status).body(Body::from(body)).expect("a response"))
    };
    Client::new(Transport::InProcess(Router::new().fallback(answer)), "the fuzzer", Rc::new(|_| {}))
}

/// The run that is asked for.
pub fn run_id() -> RunId {
    RUN.parse().expect("an id")
}

/// Waits for an answer, on a paused clock.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(work)
}

/// A terminal of this width.
pub fn context(width: usize) -> Context {
    Context {
        style: Style { width: Some(width), ..Style::default() },
        now: jiff::Timestamp::UNIX_EPOCH,
        zone: jiff::tz::TimeZone::UTC,
        command_suffix: String::new(),
    }
}

/// A document is one line of JSON without anything that a terminal could act upon.
pub fn check_line(line: &str) {
    assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    assert!(!line.contains(['\n', '\t']) && !line.chars().any(is_hidden), "{line:?}");
}

/// A page has nothing that a terminal could act upon.
pub fn check_page(page: &Page) {
    let text = page.text(false);
    assert!(!text.chars().any(is_hidden), "{text:?}");
}
