//! The checks of `doctor` that make requests: certificate, version, key, agent, latency, clocks.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, timeout};

use super::check::Check;
use crate::api::error::ErrorKind;
use crate::api::exchange::{Answer, Call};
use crate::api::{ApiError, Raw};
use crate::commands::support::session::{Session, not_an_agent};
use crate::config::{Given, Settings};
use crate::exit::Exit;
use crate::model::{AgentRef, Document};
use crate::report::Failure;
use crate::text::duration;

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many requests the latency is measured with, and how long they may take together.
const SAMPLES: usize = 5;
const SAMPLING: Duration = Duration::from_secs(10);
/// The smallest difference between clocks that is a warning.
const SKEW: Duration = Duration::from_secs(30);

/// The answer to a health request, and the time when it arrived.
pub struct Health {
    raw: Raw,
    at: Timestamp,
}

/// Makes a health request.
pub async fn health(session: &Session) -> Health {
    let raw = session.api.raw_once(&Call::get("/health/").within(PATIENCE)).await;
    Health { raw, at: Timestamp::now() }
}

impl Health {
    /// Checks that the TLS connection was established.
    pub fn tls(&self, scheme: &str) -> Check {
        match &self.raw.error {
            _ if scheme != "https" => Check::skipped("tls", "the base URL is plain http"),
            Some(error) if matches!(error.kind, ErrorKind::Certificate | ErrorKind::Handshake) => failed("tls", error),
            // The check of the connection has succeeded before, so TLS failed.
            Some(error) if matches!(error.kind, ErrorKind::NotConnected { .. }) => {
                Check::failed("tls", &error.failure().hint("check that https and the port are right"))
            }
            Some(_) if self.raw.answer.is_none() => Check::skipped("tls", "no answer came"),
            _ => Check::ok("tls", "the certificate is valid"),
        }
    }

    /// Checks that the answer is one of this API.
    pub fn server(&self) -> Check {
        let answer = match (&self.raw.answer, &self.raw.error) {
            (_, Some(error)) => return failed("server", error),
            (None, None) => return Check::skipped("server", "nothing came"),
            (Some(answer), None) => answer,
        };
        let document = answer.text().and_then(|text| Document::parse(text).ok());
        match document.as_ref().map(|document| document.text("version")) {
            Some(Some(version)) => Check::ok("server", format!("version {version}")),
            Some(None) => Check::ok("server", "it answers, and does not say its version"),
            None => {
                let failure = Failure::new(Exit::NotThisApi, "not_this_api", "the answer is not from this API");
                let failure = failure.cause(format!("/v1/health/ returned {}", answer.content_type()));
                Check::failed("server", &failure.hint("check the base URL: it must be the address of the API"))
            }
        }
    }

    /// Reports whether the server declares that it honours `Idempotency-Key`, which decides how a lost message is handled.
    pub fn idempotency(&self) -> Check {
        let says = self.header("idempotency-supported").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let message = if says {
            "the server honours Idempotency-Key: a lost message is safely sent again"
        } else {
            "the server does not declare it: a lost message is looked for, not sent again"
        };
        Check::ok("idempotency", message)
    }

    /// Compares the clocks of the server and this machine. The `Date` header has whole seconds.
    pub fn clock(&self) -> Check {
        let date = self.header("date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        let Some(server) = date.and_then(|date| Timestamp::try_from(date).ok()) else {
            return Check::skipped("clock", "the server sends no date");
        };
        clock(server, self.at)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.raw.answer.as_ref().and_then(|answer: &Answer| answer.header(name))
    }
}

fn clock(server: Timestamp, here: Timestamp) -> Check {
    let apart = server.duration_since(here).unsigned_abs();
    if apart < SKEW {
        return Check::ok("clock", "this machine and the server agree on the time");
    }
    let way = if server > here { "behind" } else { "ahead of" };
    let message = format!("this machine's clock is {} {way} the server's", duration::format_whole_seconds(apart));
    Check::warning("clock", message, "set the clock: times and ages of runs are off, durations are not")
}

/// Checks that the server accepts the key.
pub async fn key(session: &Session, settings: &Settings) -> Check {
    let call = Call::get("/agents/").query("limit", "1").list().within(PATIENCE);
    match session.api.raw_once(&call).await.error {
        Some(error) => failed("key", &error),
        None if settings.key.is_none() => Check::ok("key", "none is given, and none is needed"),
        None => Check::ok("key", format!("accepted (from {})", settings.key_provenance)),
    }
}

/// Checks that the default agent exists.
pub async fn agent(session: &Session, given: Option<&Given<String>>) -> Check {
    let Some(given) = given else {
        return Check::skipped("agent", "none is chosen; --agent or LETTA_AGENT_ID names one");
    };
    let named: AgentRef = match given.value.parse() {
        Ok(named) => named,
        Err(error) => return Check::failed("agent", &not_an_agent(&given.provenance, error)),
    };
    let found = match &named {
        AgentRef::Id(id) => session.api.agent(id).await.map(drop).map_err(Failure::from),
        AgentRef::Name(_) => session.agent(Some(&named)).await.map(drop),
    };
    match found {
        Ok(()) => Check::ok("agent", format!("{} exists (from {})", given.value, given.provenance)),
        Err(failure) => Check::failed("agent", &failure),
    }
}

/// Measures the median latency of small requests.
pub async fn latency(session: &Session) -> Check {
    let mut taken = Vec::new();
    let sampling = async {
        for _ in 0..SAMPLES {
            let started = Instant::now();
            if session.api.raw_once(&Call::get("/health/").within(PATIENCE)).await.error.is_none() {
                taken.push(started.elapsed());
            }
        }
    };
    // The samples that were taken until the timeout are enough.
    let _ = timeout(SAMPLING, sampling).await;
    taken.sort_unstable();
    match taken.get(taken.len() / 2) {
        Some(median) => Check::ok("latency", format!("{} (median of {})", took(*median), taken.len())),
        None => Check::warning("latency", "no request was answered in time", "try again when the server is less busy"),
    }
}

/// Formats a duration of a network request; below a millisecond the exact value does not matter.
pub fn took(duration: Duration) -> String {
    if duration < Duration::from_millis(1) { "under 1 ms".to_owned() } else { duration::format(duration) }
}

fn failed(name: &'static str, error: &ApiError) -> Check {
    Check::failed(name, &error.failure())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_are_apart_are_told_with_the_direction() {
        let here: Timestamp = "2026-11-23T15:00:00Z".parse().expect("a time");
        let at = |text: &str| clock(text.parse().expect("a time"), here).document();
        assert!(at("2026-11-23T15:00:20Z").contains("agree"));
        assert!(at("2026-11-23T15:05:00Z").contains("5 m 0 s behind"), "{}", at("2026-11-23T15:05:00Z"));
        assert!(at("2026-11-23T14:00:00Z").contains("ahead of"));
    }
}
