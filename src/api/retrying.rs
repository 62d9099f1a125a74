//! Repeats requests as the retry policy allows.

use std::time::Duration;

use tokio::time::Instant;

use super::Client;
use super::client_event::ClientEvent;
use super::error::{ApiError, ErrorKind};
use super::exchange::{Answer, Call};
use crate::core::retry::{self, RetryDecision, Spent};
use crate::text::duration;

impl Client {
    /// Makes a request with the usual retries.
    pub(super) async fn exchange_with_retries(&self, call: &Call) -> Result<Answer, ApiError> {
        self.decode_with_retries(call, |answer| Ok(answer.clone())).await
    }

    /// Makes a request with the usual retries, and decodes its answer. An answer that cannot be decoded is retried.
    pub(super) async fn decode_with_retries<T>(
        &self,
        call: &Call,
        read: impl Fn(&Answer) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        self.repeat(call, async |left| self.exchange_seen(call, left, |_| ()).await.and_then(|answer| read(&answer)))
            .await
    }

    /// Makes attempts until one succeeds or the retry policy stops. `attempt` gets the time limit of the attempt, if
    /// there is one.
    pub(super) async fn repeat<T>(
        &self,
        call: &Call,
        attempt: impl AsyncFn(Option<Duration>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let started = Instant::now();
        let mut tries = 0;
        let mut left = None;
        loop {
            tries += 1;
            let mut error = match attempt(left).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            error.tries = tries;
            error.elapsed = started.elapsed();
            let spent = Spent { tries, elapsed: error.elapsed };
            match retry::decide(call.intent, error.try_error(), spent, fastrand::f64()) {
                RetryDecision::Retry(pause) if self.retry_budget.borrow_mut().pay(error.try_error()) => {
                    self.pause(&error, pause).await
                }
                RetryDecision::Retry(_) | RetryDecision::Stop => return Err(error),
                RetryDecision::StopAsked(asked) => return Err(with_requested_pause(error, asked)),
            }
            left = retry::left(call.intent, error.try_error(), started.elapsed());
        }
    }

    /// Waits before another try, and reports the first wait of a request.
    async fn pause(&self, error: &ApiError, pause: Duration) {
        if error.tries == 1 {
            (self.listener)(ClientEvent::Retrying { server: &self.server, cause: error.words() });
        }
        tokio::time::sleep(pause).await;
    }
}

/// Adds the pause that the server asks for, which is longer than the time budget, to the error message.
fn with_requested_pause(mut error: ApiError, asked: Duration) -> ApiError {
    if let ErrorKind::Status { fault, .. } = &mut error.kind {
        let request = format!("the server asks to wait {}", duration::format(asked));
        fault.message = if fault.message.is_empty() { request } else { format!("{}; {request}", fault.message) };
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Transport;
    use crate::api::response::FailedTry;
    use crate::core::retry::BUDGET;
    use std::rc::Rc;

    /// The first two tries fail at once, and each later one uses its whole time limit.
    #[tokio::test(start_paused = true)]
    async fn a_try_is_abandoned_when_the_time_budget_ends() {
        let api = Client::new(Transport::InProcess(axum::Router::new()), "", Rc::new(|_| {}));
        for _ in 0..20 {
            let call = Call::get("/runs/");
            let began = Instant::now();
            let tries = std::cell::Cell::new(0);
            let lost = api.repeat(&call, async |left: Option<Duration>| {
                tries.set(tries.get() + 1);
                let hangs = tries.get() > 2;
                tokio::time::sleep(if hangs { left.unwrap_or(call.usual_time_limit()) } else { Duration::ZERO }).await;
                let lost = FailedTry::new(if hangs { ErrorKind::TimedOut } else { ErrorKind::Interrupted }, "lost");
                Err::<(), _>(lost.into_error(&call, "server"))
            });
            let error = lost.await.expect_err("lost");
            assert_eq!((error.tries, began.elapsed()), (3, BUDGET));
            api.retry_budget.replace(Default::default());
        }
    }
}
