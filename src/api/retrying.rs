//! Asking a server: one try, the ordinary retries, and what is told and learnt on the way.

use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Client;
use super::error::{ApiError, Kind};
use super::exchange::{Answer, Call};
use super::response::judge;
use crate::core::retry::{self, Spent, Verdict};
use crate::model::{AgentId, RunId};
use crate::text::duration;

/// What the transport has to say while it works.
#[derive(Clone, Debug)]
pub enum Heard<'a> {
    /// The first try of a request was lost; others follow.
    Waiting { server: &'a str, cause: String },
    /// A message was lost so that it may have been accepted; its run is being looked for.
    Lost { server: &'a str, agent: &'a AgentId, cause: String },
    /// The run of a lost message was found.
    Found { id: &'a RunId },
    /// A request and what came of it.
    Exchange { request: String, result: String, took: Duration },
    /// A body as it went over the wire.
    Body { sent: bool, text: &'a str },
}

/// Who listens to [`Heard`].
pub type Listener = Rc<dyn Fn(Heard<'_>)>;

/// What the server's clock showed, and when that was by ours.
#[derive(Clone, Copy, Debug)]
pub struct Date {
    /// Its time, in whole seconds.
    pub server: Timestamp,
    /// When the answer with it came.
    pub heard: Instant,
}

impl Client {
    /// Makes a request with the ordinary retries.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, ApiError> {
        self.ask_for(call, |answer| Ok(answer.clone())).await
    }

    /// Makes a request with the ordinary retries, and reads its answer.
    pub(super) async fn ask_for<T>(
        &self,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.repeat(call, async |left| self.exchange_seen(call, left, |_| ()).await.and_then(|answer| read(&answer)))
            .await
    }

    /// Makes one attempt after another, as the retry policy allows. Each is told what time is left for it, if that counts.
    pub(super) async fn repeat<T>(
        &self,
        call: &Call,
        attempt: impl AsyncFn(Option<Duration>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let (started, mut tries, mut left) = (Instant::now(), 0, None);
        loop {
            tries += 1;
            let mut error = match attempt(left).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            (error.tries, error.elapsed) = (tries, started.elapsed());
            let spent = Spent { tries, elapsed: error.elapsed };
            match retry::judge(call.intent, error.loss(), spent, fastrand::f64()) {
                Verdict::Again(pause) if self.bucket.borrow_mut().pay(error.loss()) => self.pause(&error, pause).await,
                Verdict::Again(_) | Verdict::Stop => return Err(error),
                Verdict::StopAsked(asked) => return Err(asked_to_wait(error, asked)),
            }
            left = retry::left(call.intent, error.loss(), started.elapsed());
        }
    }

    /// Waits before another try. That it waits is said once a request.
    async fn pause(&self, error: &ApiError, pause: Duration) {
        if error.tries == 1 {
            (self.listener)(Heard::Waiting { server: &self.server, cause: error.words() });
        }
        tokio::time::sleep(pause).await;
    }

    /// Makes one try of a request.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Answer, ApiError> {
        self.exchange_seen(call, None, |_| ()).await
    }

    /// The same, within what time is left; an answer of any status is seen before it is judged.
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
        let answer = answer.and_then(judge).map_err(|lost| lost.into_error(call, &self.server));
        self.tell(call, &answer, started.elapsed());
        answer
    }

    /// Keeps what an answer of any status says about the server.
    fn learn(&self, answer: &Answer) {
        if answer.header("idempotency-supported").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
            self.honours_keys.set(true);
        }
        let date = answer.header("date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        if let Some(server) = date.and_then(|date| Timestamp::try_from(date).ok()) {
            self.date.set(Some(Date { server, heard: Instant::now() }));
        }
        if answer.is_success() {
            self.bucket.borrow_mut().earn();
        }
    }

    fn tell(&self, call: &Call, answer: &Result<Answer, ApiError>, took: Duration) {
        let result = match answer {
            Ok(answer) => came(answer),
            Err(error) => error.words(),
        };
        let request = format!("{} {}", call.method, call.path_and_query());
        (self.listener)(Heard::Exchange { request, result, took });
        if let Some(body) = &call.body {
            (self.listener)(Heard::Body { sent: true, text: body });
        }
        if let Some(text) = answer.as_ref().ok().and_then(Answer::text) {
            (self.listener)(Heard::Body { sent: false, text });
        }
    }
}

/// What came, in words. JSON is read under any content type; another one is worth a note.
fn came(answer: &Answer) -> String {
    let kind = answer.content_type();
    let odd = if kind.contains("json") { String::new() } else { format!(" of {kind}") };
    format!("{} ({} bytes{odd})", answer.status, answer.body.len())
}

/// The server wants more patience than a command has.
fn asked_to_wait(mut error: ApiError, asked: Duration) -> ApiError {
    if let Kind::Status { fault, .. } = &mut error.kind {
        let asks = format!("the server asks to wait {}", duration::format(asked));
        fault.message = if fault.message.is_empty() { asks } else { format!("{}; {asks}", fault.message) };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Transport;
    use crate::api::response::Lost;
    use crate::core::retry::BUDGET;

    /// A server that is lost at once, and then takes for each try all the time that it gets.
    #[tokio::test(start_paused = true)]
    async fn a_try_is_given_up_where_the_budget_ends() {
        let api = Client::new(Transport::InProcess(axum::Router::new()), "", Rc::new(|_| {}));
        for _ in 0..20 {
            let (call, began) = (Call::get("/runs/"), Instant::now());
            let tries = std::cell::Cell::new(0);
            let lost = api.repeat(&call, async |left: Option<Duration>| {
                tries.set(tries.get() + 1);
                let hangs = tries.get() > 2;
                tokio::time::sleep(if hangs { left.unwrap_or(call.usual_time_limit()) } else { Duration::ZERO }).await;
                let lost = Lost::new(if hangs { Kind::Late } else { Kind::Interrupted }, "lost");
                Err::<(), _>(lost.into_error(&call, "server"))
            });
            let error = lost.await.expect_err("lost");
            assert_eq!((error.tries, began.elapsed()), (3, BUDGET));
            api.bucket.replace(Default::default());
        }
    }
}
