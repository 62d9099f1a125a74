//! Callbacks: a POST when a run has ended, repeated until it gets through, and the record of what became of it.
//!
//! Where it may go is decided in `target`. The answer's body is not read.

use std::time::Duration;

use rusqlite::Transaction;
use serde_json::Value;

use super::Engine;
use super::callback_backoff::{self, ATTEMPTS};
use crate::server::Manners;
use crate::server::render;
use crate::server::store::outbox::{self, Attempt};
use crate::server::store::{Result, message_refs, messages, runs, steps};
use crate::server::types::clock;
use crate::server::types::memory_budget::Taken;
use crate::server::types::target::Target;

/// How long a receiver has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many are under way at once, over all agents. Each has a connection of its own.
pub const MOST_AT_ONCE: usize = 64;

/// How large the messages of a payload are together; those behind are left out, as those behind the first hundred are.
const MOST_BYTES: usize = 32 << 20;

/// A callback that is to be delivered.
struct Parcel {
    run: String,
    /// The same for every attempt.
    id: String,
    url: String,
    payload: Value,
    /// How many attempts there were.
    attempts: usize,
}

/// What came of an attempt.
#[derive(Debug)]
enum Outcome {
    Answered(u16),
    /// No answer, and why.
    Lost(String),
    /// It cannot be sent at all, and why.
    Never(String),
}

/// Makes an attempt to deliver a run's callback as soon as it is its turn, and records the outcome, whatever it is.
pub async fn deliver(engine: &Engine, run: &str) -> Result<()> {
    // It is never closed.
    let _turn = engine.calls.acquire().await;
    let Some((parcel, _room)) = prepare(engine, run).await? else { return Ok(()) };
    let sent = clock::now();
    #[cfg(sabotage)]
    crate::sabotage::may_die("before-callback");
    let outcome = match engine.targets.check(&parcel.url) {
        Ok(target) => post(&target, &parcel, sent).await,
        // It was allowed once, by another server.
        Err(denied) => Outcome::Never(denied.to_string()),
    };
    #[cfg(sabotage)]
    crate::sabotage::may_die("after-callback");
    let attempt = judge(&parcel, &outcome, engine.manners, sent, clock::now(), fastrand::f64());
    engine.db.work(move |tx| outbox::record(tx, &parcel.run, &attempt)).await
}

/// Makes the parcel, and says what room it takes.
async fn prepare(engine: &Engine, run: &str) -> Result<Option<(Parcel, Taken)>> {
    let (run, manners) = (run.to_owned(), engine.manners);
    let look = move |tx: &Transaction<'_>| {
        let Some(attempts) = outbox::attempts(tx, &run)? else { return Ok(None) };
        let Some(run) = runs::get(tx, &run)? else { return Ok(None) };
        let Some(url) = run.callback_url.clone() else { return Ok(None) };
        let mut spots = messages::of_run(tx, &run, manners.hides_input_until_a_step())?;
        spots.truncate(message_refs::front(&spots, MOST_BYTES).len());
        Ok(Some((run, url, spots, attempts as usize)))
    };
    let Some((run, url, spots, attempts)) = engine.db.read(look).await? else { return Ok(None) };
    let room = engine.room.take(message_refs::bytes(&spots), render::TIMES).await;
    let write = move |tx: &Transaction<'_>| {
        let payload = render::callback(&run, message_refs::messages(tx, &spots)?, steps::usage(tx, &run.id)?, manners);
        let id = run.id.replacen("run-", "callback-", 1);
        Ok(Parcel { id, url, payload, attempts, run: run.id })
    };
    Ok(Some((engine.db.read(write).await?, room)))
}

/// Decides what is recorded of an attempt, and whether there is another.
fn judge(parcel: &Parcel, outcome: &Outcome, manners: Manners, sent: i64, now: i64, dice: f64) -> Attempt {
    let made = parcel.attempts + 1;
    let again = match (outcome, manners.calls_back_once()) {
        (Outcome::Answered(200..=299 | 410) | Outcome::Never(_), _) | (_, true) => None,
        _ => callback_backoff::wait(made, dice),
    };
    let again = again.map(|wait| now + i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
    let (status, trouble) = match outcome {
        Outcome::Answered(status) => (Some(*status), trouble(*status, manners)),
        Outcome::Lost(why) | Outcome::Never(why) => {
            (None, Some(format!("Failed to dispatch callback for run {} to {}: {why}", parcel.run, parcel.url)))
        }
    };
    let error = trouble.map(|trouble| match (again, outcome, manners.calls_back_once()) {
        (Some(due), ..) => format!("{trouble}; attempt {made} of {ATTEMPTS}, the next is at {}", clock::micros(due)),
        (None, Outcome::Lost(_) | Outcome::Answered(_), false) if made == ATTEMPTS => {
            format!("{trouble}; given up after {made} attempts")
        }
        _ => trouble,
    });
    Attempt { sent, status, error, again }
}

/// What is wrong with an answer. A callback that is made once takes any for good.
fn trouble(status: u16, manners: Manners) -> Option<String> {
    match (status, manners.calls_back_once()) {
        (200..=299, _) | (_, true) => None,
        (410, _) => Some("the receiver wants no more of it (410)".to_owned()),
        _ => Some(format!("the receiver answered {status}")),
    }
}

/// Sends the payload. The error is one line without the address, which the record names before it.
async fn post(target: &Target, parcel: &Parcel, sent: i64) -> Outcome {
    match request(target, parcel, sent) {
        Err(error) => Outcome::Never(words(error)),
        Ok(request) => match request.send().await {
            Ok(response) => Outcome::Answered(response.status().as_u16()),
            Err(error) if error.is_timeout() => Outcome::Lost(format!("no answer within {} s", PATIENCE.as_secs())),
            Err(error) if error.is_builder() => Outcome::Never(words(error)),
            Err(error) => Outcome::Lost(words(error)),
        },
    }
}

/// The request. A receiver knows repetitions of one callback by their `webhook-id`.
fn request(target: &Target, parcel: &Parcel, sent: i64) -> reqwest::Result<reqwest::RequestBuilder> {
    let request = target.post(PATIENCE)?.header("webhook-id", &parcel.id).header("webhook-timestamp", sent / 1_000_000);
    Ok(request.json(&parcel.payload))
}

fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(attempts: usize, outcome: &Outcome, manners: Manners) -> Attempt {
        let (run, url) = ("run-1".to_owned(), "http://127.0.0.1/".to_owned());
        let parcel = Parcel { run, url, id: String::new(), payload: Value::Null, attempts };
        judge(&parcel, outcome, manners, 7, 1_000_000, 0.5)
    }

    #[test]
    fn only_success_and_gone_end_it_before_the_last_attempt() {
        for status in [100, 302, 404, 409, 429, 500, 503] {
            let attempt = judged(0, &Outcome::Answered(status), Manners::Documented);
            assert_eq!((attempt.sent, attempt.status, attempt.again), (7, Some(status), Some(6_000_000)));
            let error =
                format!("the receiver answered {status}; attempt 1 of 8, the next is at 1970-01-01T00:00:06.000000Z");
            assert_eq!(attempt.error.as_deref(), Some(&*error));
        }
        for status in [200, 204, 299] {
            let attempt = judged(3, &Outcome::Answered(status), Manners::Documented);
            assert_eq!((attempt.again, attempt.error), (None, None));
        }
        let gone = judged(0, &Outcome::Answered(410), Manners::Documented);
        assert_eq!((gone.again, gone.error.as_deref()), (None, Some("the receiver wants no more of it (410)")));
        let lost = judged(6, &Outcome::Lost("no answer".to_owned()), Manners::Documented);
        assert_eq!(lost.again, Some(86_401_000_000), "a day later");
    }

    #[test]
    fn it_is_given_up_aloud() {
        let attempt = judged(7, &Outcome::Answered(503), Manners::Documented);
        assert_eq!(attempt.error.as_deref(), Some("the receiver answered 503; given up after 8 attempts"));
        assert_eq!(attempt.again, None);
        let never = judged(0, &Outcome::Never("not an address".to_owned()), Manners::Documented);
        assert_eq!(never.again, None, "what cannot be sent is not tried again");
    }

    #[test]
    fn a_callback_that_is_made_once_records_any_answer_as_it_is() {
        let attempt = judged(0, &Outcome::Answered(500), Manners::Quirky);
        assert_eq!((attempt.status, attempt.error, attempt.again), (Some(500), None, None));
        assert_eq!(judged(0, &Outcome::Lost("no answer".to_owned()), Manners::Quirky).again, None);
    }
}
