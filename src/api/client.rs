//! A client of one server: makes one try of a request, and learns from the answer which features the server has.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::client_event::{ClientEvent, Listener};
use super::error::ApiError;
use super::exchange::{Answer, Call};
use super::response::check;
use super::transport::Transport;
use crate::core::retry_budget::RetryBudget;

/// The API of one server.
#[derive(Clone)]
pub struct Client {
    pub(super) transport: Transport,
    /// The server's name for messages, with the origin of its address.
    pub(super) server: String,
    pub(super) listener: Listener,
    /// The retries that this process has left.
    pub(super) retry_budget: Rc<RefCell<RetryBudget>>,
    /// Whether an answer declared that the server honours `Idempotency-Key`.
    pub(super) honours_keys: Rc<Cell<bool>>,
    /// The clock by the last `Date` that the server sent.
    pub(super) server_time: Rc<Cell<Option<ServerTime>>>,
}

/// A reading of the server's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct ServerTime {
    /// The server's time, in whole seconds.
    pub(super) time: Timestamp,
    /// The local time at which the answer with it arrived.
    pub(super) received_at: Instant,
}

impl Client {
    /// Returns a client for the server of a transport. `origin` names the source of its address, for messages.
    pub fn new(transport: Transport, origin: &str, listener: Listener) -> Self {
        let name = transport.name();
        let server = if origin.is_empty() { name } else { format!("{name} (from {origin})") };
        Self {
            transport,
            server,
            listener,
            retry_budget: Rc::default(),
            honours_keys: Rc::default(),
            server_time: Rc::default(),
        }
    }

    /// Returns the server's name for messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Makes one try of a request.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Answer, ApiError> {
        self.exchange_seen(call, None, |_| ()).await
    }

    /// Makes one try of a request within the time that is left. Calls `see` with an answer of any status.
    pub(super) async fn exchange_seen(
        &self,
        call: &Call,
        left: Option<Duration>,
        see: impl FnOnce(&Answer),
    ) -> Result<Answer, ApiError> {
        let started = Instant::now();
        let answer = self.transport.exchange(call, left).await;
        if let Ok(answer) = &answer {
            self.learn(answer);
            see(answer);
        }
        let answer = answer.and_then(check).map_err(|lost| lost.into_error(call, &self.server));
        self.report(call, &answer, started.elapsed());
        answer
    }

    /// Reads support for idempotency keys and the server's clock from the headers of an answer of any status.
    fn learn(&self, answer: &Answer) {
        if answer.header("idempotency-supported").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
            self.honours_keys.set(true);
        }
        let date = answer.header("date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        if let Some(time) = date.and_then(|date| Timestamp::try_from(date).ok()) {
            self.server_time.set(Some(ServerTime { time, received_at: Instant::now() }));
        }
        if answer.is_success() {
            self.retry_budget.borrow_mut().earn();
        }
    }

    fn report(&self, call: &Call, answer: &Result<Answer, ApiError>, took: Duration) {
        let result = match answer {
            Ok(answer) => describe(answer),
            Err(error) => error.words(),
        };
        let request = format!("{} {}", call.method, call.path_and_query());
        (self.listener)(ClientEvent::Exchange { request, result, took });
        if let Some(body) = &call.body {
            (self.listener)(ClientEvent::Body { sent: true, text: body });
        }
        if let Some(text) = answer.as_ref().ok().and_then(Answer::text) {
            (self.listener)(ClientEvent::Body { sent: false, text });
        }
    }
}

/// Describes an answer for `-v`. A content type other than JSON is named, since the body is read as JSON anyway.
fn describe(answer: &Answer) -> String {
    let kind = answer.content_type();
    let odd = if kind.contains("json") { String::new() } else { format!(" of {kind}") };
    format!("{} ({} bytes{odd})", answer.status, answer.body.len())
}
