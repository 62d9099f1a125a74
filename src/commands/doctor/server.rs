//! What `doctor` finds at the server: certificate, version, key, agent, latency, clocks.

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
/// How many requests the latency is taken from, and how long they may take together.
const SAMPLES: usize = 5;
const SAMPLING: Duration = Duration::from_secs(10);
/// Clocks that differ by less do no harm.
const SKEW: Duration = Duration::from_secs(30);

/// One request to the server's health, and when it was answered.
pub struct Health {
    raw: Raw,
    at: Timestamp,
}

/// Asks the server how it is.
pub async fn health(session: &Session) -> Health {
    let raw = session.api.raw_once(&Call::get("/health/").within(PATIENCE)).await;
    Health { raw, at: Timestamp::now() }
}

impl Health {
    /// Whether the secure connection came about.
    pub fn tls(&self, scheme: &str) -> Check {
        match &self.raw.error {
            _ if scheme != "https" => Check::skipped("tls", "the base URL is plain http"),
            Some(error) if matches!(error.kind, ErrorKind::Certificate | ErrorKind::Handshake) => failed("tls", error),
            // The server takes connections, as was found before.
            Some(error) if matches!(error.kind, ErrorKind::NotConnected { .. }) => {
                Check::failed("tls", &error.failure().hint("check that https and the port are right"))
            }
            Some(_) if self.raw.answer.is_none() => Check::skipped("tls", "no answer came"),
            _ => Check::ok("tls", "the certificate holds"),
        }
    }

    /// What answers there.
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
                let failure = Failure::new(Exit::NotThisApi, "not_this_api", "what answers is not this API");
                let failure = failure.cause(format!("/v1/health/ brought {}", answer.content_type()));
                Check::failed("server", &failure.hint("check the base URL: it must be the address of the API"))
            }
        }
    }

    /// What a lost message means there.
    pub fn idempotency(&self) -> Check {
        let says = self.header("idempotency-supported").is_some_and(|word| word.eq_ignore_ascii_case("true"));
        let message = if says {
            "the server honours Idempotency-Key: a lost message is sent again without harm"
        } else {
            "the server does not declare it: a lost message is looked for, not sent again"
        };
        Check::ok("idempotency", message)
    }

    /// How far the clocks are apart. The header has whole seconds.
    pub fn clock(&self) -> Check {
        let date = self.header("date").and_then(|date| httpdate::parse_http_date(date.trim()).ok());
        let Some(server) = date.and_then(|date| Timestamp::try_from(date).ok()) else {
            return Check::skipped("clock", "the server does not say what time it is");
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

/// Whether the key opens the door.
pub async fn key(session: &Session, settings: &Settings) -> Check {
    let call = Call::get("/agents/").query("limit", "1").list().within(PATIENCE);
    match session.api.raw_once(&call).await.error {
        Some(error) => failed("key", &error),
        None if settings.key.is_none() => Check::ok("key", "none is given, and none is needed"),
        None => Check::ok("key", format!("accepted (from {})", settings.key_origin)),
    }
}

/// Whether the agent that is meant when none is given is there.
pub async fn agent(session: &Session, given: Option<&Given<String>>) -> Check {
    let Some(given) = given else {
        return Check::skipped("agent", "none is chosen; --agent or LETTA_AGENT_ID names one");
    };
    let named: AgentRef = match given.value.parse() {
        Ok(named) => named,
        Err(error) => return Check::failed("agent", &not_an_agent(&given.origin, error)),
    };
    let found = match &named {
        AgentRef::Id(id) => session.api.agent(id).await.map(drop).map_err(Failure::from),
        AgentRef::Name(_) => session.agent(Some(&named)).await.map(drop),
    };
    match found {
        Ok(()) => Check::ok("agent", format!("{} is there (from {})", given.value, given.origin)),
        Err(failure) => Check::failed("agent", &failure),
    }
}

/// How long a small request takes.
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
    // What was measured until then is enough.
    let _ = timeout(SAMPLING, sampling).await;
    taken.sort_unstable();
    match taken.get(taken.len() / 2) {
        Some(median) => Check::ok("latency", format!("{} (median of {})", took(*median), taken.len())),
        None => Check::warning("latency", "no request was answered in time", "try again when the server is less busy"),
    }
}

/// A duration of this network. Anything shorter than a millisecond is as good as none.
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
