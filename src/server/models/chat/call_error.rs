//! Errors of calls to an endpoint, in the words of the API's server 0.16.8.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::AnswerError;
use crate::core::retry::{self, Intent, TryError};
use crate::net::address;
use crate::report;
use crate::server::models::providers::Provider;
use crate::server::types::python_repr::Py;
use crate::server::types::run_error::{RunError, RunErrorKind};
use crate::text::show;

/// The longest time without a byte from an endpoint: the usual timeout of clients of such endpoints.
pub const SILENCE: Duration = Duration::from_secs(600);

/// The number of attempts of a call whose error may be temporary.
const TRIES: u32 = 3;

/// The longest pause between two attempts. A call is not repeated if `Retry-After` asks for a longer one.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The part of an error response that goes into the message, in characters.
const MOST_CHARS: usize = 2000;

/// Why a call failed.
pub struct CallError {
    pub error: RunError,
    /// How the response was lost, if another attempt may succeed.
    try_error: Option<TryError>,
}

impl CallError {
    fn new(kind: RunErrorKind, message: String, try_error: Option<TryError>) -> Self {
        Self { error: RunError { kind, message }, try_error }
    }

    /// Returns the pause before the next attempt, or `None` if the call is not repeated.
    pub fn pause(&self, tries: u32) -> Option<Duration> {
        let try_error =
            self.try_error.filter(|try_error| tries < TRIES && retry::repeatable(Intent::Read, *try_error))?;
        let pause = retry::pause(try_error, tries - 1, fastrand::f64());
        (pause <= LONGEST_PAUSE).then_some(pause)
    }
}

/// A response with an error status.
pub fn rejection(provider: &Provider, status: u16, body: &[u8], retry_after: Option<Duration>) -> CallError {
    let title = provider.title;
    let body = serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)));
    let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    let (kind, words) = match (status, code) {
        (400, "context_length_exceeded") => (
            RunErrorKind::ContextWindowExceeded,
            "CONTEXT_WINDOW_EXCEEDED: Bad request to OpenAI-compatible endpoint".to_owned(),
        ),
        (400, _) => {
            (RunErrorKind::BadRequest, "INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint".to_owned())
        }
        (401, _) => (RunErrorKind::Unauthenticated, format!("UNAUTHENTICATED: Authentication failed with {title}")),
        (402, _) | (429, "insufficient_quota") => {
            (RunErrorKind::InsufficientCredits, "PAYMENT_REQUIRED: Insufficient credits".to_owned())
        }
        (403, _) => (RunErrorKind::PermissionDenied, format!("PERMISSION_DENIED: Permission denied by {title}")),
        (404, _) => (RunErrorKind::NotFound, format!("NOT_FOUND: Resource not found in {title}")),
        (408 | 504, _) => (RunErrorKind::Timeout, format!("TIMEOUT: Request to {title} timed out")),
        (422, _) => (RunErrorKind::Unprocessable, format!("INVALID_ARGUMENT: Invalid request content for {title}")),
        (429, _) => (RunErrorKind::RateLimited, format!("RATE_LIMIT_EXCEEDED: Rate limited by {title}")),
        _ => (RunErrorKind::Provider, format!("INTERNAL_SERVER_ERROR: {title} API error")),
    };
    let told = show::clip(&Py::Json(body).repr(), MOST_CHARS);
    let try_error =
        (kind != RunErrorKind::InsufficientCredits).then_some(TryError::Status { code: status, retry_after });
    CallError::new(kind, format!("{words}: Error code: {status} - {told}"), try_error)
}

/// No connection could be made, or it ended before a response.
pub fn unreachable(provider: &Provider, error: &reqwest::Error) -> CallError {
    let loopback = address::is_loopback_host(provider.url("").host_str().unwrap_or_default());
    let try_error = if error.is_connect() { TryError::NotConnected { loopback } } else { TryError::Interrupted };
    let title = provider.title;
    let at = provider.address();
    let message = format!("INTERNAL_SERVER_ERROR: Failed to connect to {title} at {at}: {}", cause(error));
    CallError::new(RunErrorKind::Connection, message, Some(try_error))
}

/// The connection ended during the answer.
pub fn cut(provider: &Provider, error: &reqwest::Error) -> CallError {
    lost(provider, cause(error))
}

fn lost(provider: &Provider, why: String) -> CallError {
    let message = format!("INTERNAL_SERVER_ERROR: Connection to {} was lost: {why}", provider.title);
    CallError::new(RunErrorKind::Connection, message, Some(TryError::Interrupted))
}

/// No byte arrived for [`SILENCE`].
pub fn silent(provider: &Provider) -> CallError {
    let seconds = SILENCE.as_secs();
    let message = format!("TIMEOUT: Request to {} timed out: nothing came for {seconds} s", provider.title);
    CallError::new(RunErrorKind::Timeout, message, None)
}

/// No client for the endpoint can be made.
pub fn not_callable(provider: &Provider, failure: &report::Failure) -> CallError {
    let message = format!("INTERNAL_SERVER_ERROR: {} cannot be called: {}", provider.title, failure.message);
    CallError::new(RunErrorKind::Connection, message, None)
}

/// The response is not one of a chat completion endpoint.
pub fn unreadable(provider: &Provider, why: &str) -> CallError {
    CallError::new(RunErrorKind::Provider, format!("INTERNAL_SERVER_ERROR: {} API error: {why}", provider.title), None)
}

/// The answer makes no step.
pub fn invalid_answer(provider: &Provider, error: AnswerError) -> CallError {
    match error {
        AnswerError::Cut => lost(provider, "the answer ended before it was whole".to_owned()),
        AnswerError::Error(error) => unreadable(provider, &show::clip(&Py::Json(error).repr(), MOST_CHARS)),
        AnswerError::Empty => {
            let message = format!("INTERNAL_SERVER_ERROR: {} returned an empty answer", provider.title);
            CallError::new(RunErrorKind::EmptyAnswer, message, None)
        }
    }
}

/// Returns the innermost cause. The outer errors repeat the address and are less specific.
fn cause(error: &reqwest::Error) -> String {
    report::chain(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::models::providers::Providers;

    fn provider() -> Provider {
        let get = |name: &str| (name == "OPENAI_BASE_URL").then(|| "http://127.0.0.1:1/v1".to_owned());
        Providers::read(get).expect("read").all()[0].clone()
    }

    #[test]
    fn error_statuses_have_the_messages_of_the_api_server() {
        let body = br#"{"error": {"message": "no", "code": "x"}}"#;
        for (status, kind, beginning, again) in [
            (400, RunErrorKind::BadRequest, "INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint: ", false),
            (401, RunErrorKind::Unauthenticated, "UNAUTHENTICATED: Authentication failed with OpenAI: ", false),
            (402, RunErrorKind::InsufficientCredits, "PAYMENT_REQUIRED: Insufficient credits: ", false),
            (403, RunErrorKind::PermissionDenied, "PERMISSION_DENIED: Permission denied by OpenAI: ", false),
            (404, RunErrorKind::NotFound, "NOT_FOUND: Resource not found in OpenAI: ", false),
            (422, RunErrorKind::Unprocessable, "INVALID_ARGUMENT: Invalid request content for OpenAI: ", false),
            (429, RunErrorKind::RateLimited, "RATE_LIMIT_EXCEEDED: Rate limited by OpenAI: ", true),
            (500, RunErrorKind::Provider, "INTERNAL_SERVER_ERROR: OpenAI API error: ", true),
            (503, RunErrorKind::Provider, "INTERNAL_SERVER_ERROR: OpenAI API error: ", true),
            (302, RunErrorKind::Provider, "INTERNAL_SERVER_ERROR: OpenAI API error: ", false),
        ] {
            let failed = rejection(&provider(), status, body, None);
            let expected = format!("{beginning}Error code: {status} - {{'error': {{'message': 'no', 'code': 'x'}}}}");
            assert_eq!((failed.error.kind, failed.error.message.as_str()), (kind, expected.as_str()));
            assert_eq!(failed.pause(1).is_some(), again, "{status}");
            assert_eq!(failed.pause(3), None, "no attempt after the third");
        }
    }

    #[test]
    fn retry_after_is_followed_unless_it_is_too_long() {
        let asked = |seconds| rejection(&provider(), 429, b"", Some(Duration::from_secs(seconds))).pause(1);
        assert!(asked(7).is_some_and(|pause| pause >= Duration::from_secs(7)));
        assert_eq!(asked(3600), None);
        let quota = rejection(&provider(), 429, br#"{"error": {"code": "insufficient_quota"}}"#, None);
        assert_eq!((quota.error.kind, quota.pause(1)), (RunErrorKind::InsufficientCredits, None));
    }

    #[test]
    fn a_response_that_is_not_json_is_quoted_as_text_and_shortened() {
        let page = "<html>".repeat(1000);
        let message = rejection(&provider(), 502, page.as_bytes(), None).error.message;
        assert!(message.starts_with("INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 502 - '<html>"), "{message}");
        assert!(message.chars().count() < 2200);
    }
}
