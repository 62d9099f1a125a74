//! Callbacks: a POST when a run has ended, repeated until the receiver accepts it, and a record of each attempt.
//!
//! `types::callback_target` decides which URLs are allowed. The body of the response is not read.

use std::time::Duration;

use rusqlite::Transaction;
use serde_json::Value;

use super::callback_backoff::{self, ATTEMPTS};
use super::state::Engine;
use crate::report::chain;
use crate::server::render;
use crate::server::store::outbox::{self, Attempt};
use crate::server::store::{Result, message_refs, messages, runs, steps};
use crate::server::types::behaviour::Behaviour;
use crate::server::types::callback_target::CallbackTarget;
use crate::server::types::clock;
use crate::server::types::memory_budget::MemoryPermit;

/// The timeout of an attempt.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The total size of the messages of a payload, in bytes. Later messages are left out, as are those after the
/// hundredth.
const MOST_BYTES: usize = 32 << 20;

/// A callback to deliver.
struct Callback {
    run: String,
    /// The `webhook-id`, the same for every attempt.
    id: String,
    url: String,
    payload: Value,
    /// The number of attempts made before.
    attempts: usize,
}

/// The outcome of an attempt.
#[derive(Debug)]
enum DeliveryOutcome {
    /// The status of the response.
    Answered(u16),
    /// No response arrived; with the reason.
    Lost(String),
    /// No attempt can succeed; with the reason.
    Impossible(String),
}

/// Makes one attempt to deliver a run's callback, once it has a permit, and records the outcome.
pub async fn deliver(engine: &Engine, run: &str) -> Result<()> {
    // The semaphore is never closed.
    let _permit = engine.callback_permits.acquire().await;
    let Some((callback, _memory)) = prepare(engine, run).await? else { return Ok(()) };
    let sent = clock::now();
    #[cfg(sabotage)]
    crate::sabotage::may_die("before-callback");
    let outcome = match engine.targets.check(&callback.url) {
        Ok(target) => post(&target, &callback, sent).await,
        // The server that accepted the run allowed it, and this one does not.
        Err(denied) => DeliveryOutcome::Impossible(denied.to_string()),
    };
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-callback");
    let attempt = assess(&callback, &outcome, engine.behaviour, sent, clock::now(), fastrand::f64());
    engine.db.work(move |tx| outbox::record(tx, &callback.run, &attempt)).await
}

/// Reads the callback, with a permit for the memory that it takes.
async fn prepare(engine: &Engine, run: &str) -> Result<Option<(Callback, MemoryPermit)>> {
    let run = run.to_owned();
    let behaviour = engine.behaviour;
    let choose = move |tx: &Transaction<'_>| {
        let Some(attempts) = outbox::attempts(tx, &run)? else { return Ok(None) };
        let Some(run) = runs::get(tx, &run)? else { return Ok(None) };
        let Some(url) = run.callback_url.clone() else { return Ok(None) };
        let mut refs = messages::of_run(tx, &run, behaviour.hides_input_until_a_step())?;
        refs.truncate(message_refs::front(&refs, MOST_BYTES).len());
        Ok(Some((run, url, refs, attempts as usize)))
    };
    let Some((run, url, refs, attempts)) = engine.db.read(choose).await? else { return Ok(None) };
    let permit = engine.memory_budget.acquire(message_refs::bytes(&refs), render::TIMES).await;
    let read = move |tx: &Transaction<'_>| {
        let payload = render::callback(&run, message_refs::messages(tx, &refs)?, steps::usage(tx, &run.id)?, behaviour);
        let id = run.id.replacen("run-", "callback-", 1);
        Ok(Callback { id, url, payload, attempts, run: run.id })
    };
    Ok(Some((engine.db.read(read).await?, permit)))
}

/// Decides what to record of an attempt, and when to make the next one. `jitter` is between 0 and 1.
fn assess(
    callback: &Callback,
    outcome: &DeliveryOutcome,
    behaviour: Behaviour,
    sent: i64,
    now: i64,
    jitter: f64,
) -> Attempt {
    let made = callback.attempts + 1;
    let again = match (outcome, behaviour.calls_back_once()) {
        (DeliveryOutcome::Answered(200..=299 | 410) | DeliveryOutcome::Impossible(_), _) | (_, true) => None,
        _ => callback_backoff::wait(made, jitter),
    };
    let again = again.map(|wait| now + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
    let (status, problem) = match outcome {
        DeliveryOutcome::Answered(status) => (Some(*status), problem(*status, behaviour)),
        DeliveryOutcome::Lost(why) | DeliveryOutcome::Impossible(why) => {
            (None, Some(format!("Failed to dispatch callback for run {} to {}: {why}", callback.run, callback.url)))
        }
    };
    let error = problem.map(|problem| match (again, outcome, behaviour.calls_back_once()) {
        (Some(due), ..) => format!("{problem}; attempt {made} of {ATTEMPTS}, the next is at {}", clock::micros(due)),
        (None, DeliveryOutcome::Lost(_) | DeliveryOutcome::Answered(_), false) if made == ATTEMPTS => {
            format!("{problem}; given up after {made} attempts")
        }
        _ => problem,
    });
    Attempt { sent, status, error, again }
}

/// Returns what is wrong with a response. A callback without further attempts accepts every status.
fn problem(status: u16, behaviour: Behaviour) -> Option<String> {
    match (status, behaviour.calls_back_once()) {
        (200..=299, _) | (_, true) => None,
        (410, _) => Some("the receiver wants no more of it (410)".to_owned()),
        _ => Some(format!("the receiver answered {status}")),
    }
}

/// Sends the payload. The error is one line without the URL, which the record contains already.
async fn post(target: &CallbackTarget, callback: &Callback, sent: i64) -> DeliveryOutcome {
    match request(target, callback, sent) {
        Err(error) => DeliveryOutcome::Impossible(describe(error)),
        Ok(request) => match request.send().await {
            Ok(response) => DeliveryOutcome::Answered(response.status().as_u16()),
            Err(error) if error.is_timeout() => {
                DeliveryOutcome::Lost(format!("no answer within {} s", TIMEOUT.as_secs()))
            }
            Err(error) if error.is_builder() => DeliveryOutcome::Impossible(describe(error)),
            Err(error) => DeliveryOutcome::Lost(describe(error)),
        },
    }
}

/// Builds the request. Receivers detect repeated callbacks by their `webhook-id` (Standard Webhooks).
fn request(target: &CallbackTarget, callback: &Callback, sent: i64) -> reqwest::Result<reqwest::RequestBuilder> {
    let request =
        target.post(TIMEOUT)?.header("webhook-id", &callback.id).header("webhook-timestamp", sent / 1_000_000);
    Ok(request.json(&callback.payload))
}

/// Joins an error and its causes.
fn describe(error: reqwest::Error) -> String {
    let messages: Vec<String> = chain(&error.without_url()).map(ToString::to_string).collect();
    messages.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assessed(attempts: usize, outcome: &DeliveryOutcome, behaviour: Behaviour) -> Attempt {
        let callback = Callback {
            run: "run-1".to_owned(),
            url: "http://127.0.0.1/".to_owned(),
            id: String::new(),
            payload: Value::Null,
            attempts,
        };
        assess(&callback, outcome, behaviour, 7, 1_000_000, 0.5)
    }

    #[test]
    fn only_a_success_or_410_ends_the_attempts_before_the_last() {
        for status in [100, 302, 404, 409, 429, 500, 503] {
            let attempt = assessed(0, &DeliveryOutcome::Answered(status), Behaviour::Documented);
            assert_eq!((attempt.sent, attempt.status, attempt.again), (7, Some(status), Some(6_000_000)));
            let error =
                format!("the receiver answered {status}; attempt 1 of 8, the next is at 1970-01-01T00:00:06.000000Z");
            assert_eq!(attempt.error.as_deref(), Some(&*error));
        }
        for status in [200, 204, 299] {
            let attempt = assessed(3, &DeliveryOutcome::Answered(status), Behaviour::Documented);
            assert_eq!((attempt.again, attempt.error), (None, None));
        }
        let gone = assessed(0, &DeliveryOutcome::Answered(410), Behaviour::Documented);
        assert_eq!((gone.again, gone.error.as_deref()), (None, Some("the receiver wants no more of it (410)")));
        let lost = assessed(6, &DeliveryOutcome::Lost("no answer".to_owned()), Behaviour::Documented);
        assert_eq!(lost.again, Some(86_401_000_000), "a day later");
    }

    #[test]
    fn the_last_failed_attempt_is_recorded_as_given_up() {
        let attempt = assessed(7, &DeliveryOutcome::Answered(503), Behaviour::Documented);
        assert_eq!(attempt.error.as_deref(), Some("the receiver answered 503; given up after 8 attempts"));
        assert_eq!(attempt.again, None);
        let impossible = assessed(0, &DeliveryOutcome::Impossible("not an address".to_owned()), Behaviour::Documented);
        assert_eq!(impossible.again, None, "an impossible callback is not tried again");
    }

    #[test]
    fn a_callback_without_further_attempts_records_any_status() {
        let attempt = assessed(0, &DeliveryOutcome::Answered(500), Behaviour::Quirky);
        assert_eq!((attempt.status, attempt.error, attempt.again), (Some(500), None, None));
        assert_eq!(assessed(0, &DeliveryOutcome::Lost("no answer".to_owned()), Behaviour::Quirky).again, None);
    }
}
