//! What went wrong at an endpoint, in the words and the kinds that the API's server has for it.

use std::time::Duration;

use serde_json::{Value, json};

use super::Mishap;
use super::answer::Useless;
use crate::core::retry::Loss;
use crate::model::StopReason;
use crate::net::address;
use crate::report;
use crate::server::models::Failure;
use crate::server::models::providers::Provider;
use crate::server::types::python_repr::Py;
use crate::text::show;

/// How much of a refusal is told.
const MOST_CHARS: usize = 2000;

fn mishap(kind: &'static str, message: String, loss: Option<Loss>) -> Mishap {
    Mishap { failure: Failure { kind, reason: StopReason::LlmApiError, message }, loss }
}

/// An answer with a status that is not success.
pub fn refusal(provider: &Provider, status: u16, body: &[u8], retry_after: Option<Duration>) -> Mishap {
    let title = provider.title;
    let body = serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)));
    let code = body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    let (kind, words) = match (status, code) {
        (400, "context_length_exceeded") => (
            "ContextWindowExceededError",
            "CONTEXT_WINDOW_EXCEEDED: Bad request to OpenAI-compatible endpoint".to_owned(),
        ),
        (400, _) => ("LLMBadRequestError", "INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint".to_owned()),
        (401, _) => ("LLMAuthenticationError", format!("UNAUTHENTICATED: Authentication failed with {title}")),
        (402, _) | (429, "insufficient_quota") => {
            ("LLMInsufficientCreditsError", "PAYMENT_REQUIRED: Insufficient credits".to_owned())
        }
        (403, _) => ("LLMPermissionDeniedError", format!("PERMISSION_DENIED: Permission denied by {title}")),
        (404, _) => ("LLMNotFoundError", format!("NOT_FOUND: Resource not found in {title}")),
        (408 | 504, _) => ("LLMTimeoutError", format!("TIMEOUT: Request to {title} timed out")),
        (422, _) => ("LLMUnprocessableEntityError", format!("INVALID_ARGUMENT: Invalid request content for {title}")),
        (429, _) => ("LLMRateLimitError", format!("RATE_LIMIT_EXCEEDED: Rate limited by {title}")),
        _ => ("LLMServerError", format!("INTERNAL_SERVER_ERROR: {title} API error")),
    };
    let told = show::clip(&Py::Json(body).repr(), MOST_CHARS);
    let loss = (kind != "LLMInsufficientCreditsError").then_some(Loss::Status { code: status, retry_after });
    mishap(kind, format!("{words}: Error code: {status} - {told}"), loss)
}

/// No connection came about, or it ended before there was an answer.
pub fn unreachable(provider: &Provider, error: &reqwest::Error) -> Mishap {
    let loopback = address::is_loopback_host(provider.url("").host_str().unwrap_or_default());
    let loss = if error.is_connect() { Loss::NotConnected { loopback } } else { Loss::Interrupted };
    let (title, at) = (provider.title, provider.address());
    let message = format!("INTERNAL_SERVER_ERROR: Failed to connect to {title} at {at}: {}", cause(error));
    mishap("LLMConnectionError", message, Some(loss))
}

/// The connection ended in the middle of the answer.
pub fn cut(provider: &Provider, error: &reqwest::Error) -> Mishap {
    lost(provider, cause(error))
}

fn lost(provider: &Provider, why: String) -> Mishap {
    let message = format!("INTERNAL_SERVER_ERROR: Connection to {} was lost: {why}", provider.title);
    mishap("LLMConnectionError", message, Some(Loss::Interrupted))
}

/// Nothing came for too long.
pub fn silent(provider: &Provider) -> Mishap {
    let seconds = super::SILENCE.as_secs();
    let message = format!("TIMEOUT: Request to {} timed out: nothing came for {seconds} s", provider.title);
    mishap("LLMTimeoutError", message, None)
}

/// The endpoint must not be called, or cannot be.
pub fn unusable(provider: &Provider, failure: &report::Failure) -> Mishap {
    let message = format!("INTERNAL_SERVER_ERROR: {} cannot be called: {}", provider.title, failure.message);
    mishap("LLMConnectionError", message, None)
}

/// What came is not what such an endpoint answers.
pub fn unreadable(provider: &Provider, why: &str) -> Mishap {
    mishap("LLMServerError", format!("INTERNAL_SERVER_ERROR: {} API error: {why}", provider.title), None)
}

/// The answer came, and is of no use.
pub fn unusable_answer(provider: &Provider, why: Useless) -> Mishap {
    match why {
        Useless::Cut => lost(provider, "the answer ended before it was whole".to_owned()),
        Useless::Error(error) => unreadable(provider, &show::clip(&Py::Json(error).repr(), MOST_CHARS)),
        Useless::Empty => {
            let message = format!("INTERNAL_SERVER_ERROR: {} returned an empty answer", provider.title);
            let failure = Failure { kind: "LLMEmptyResponseError", reason: StopReason::InvalidLlmResponse, message };
            Mishap { failure, loss: None }
        }
    }
}

/// The innermost cause: what stands around it names addresses and says less.
fn cause(error: &reqwest::Error) -> String {
    let errors = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    errors.last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Providers;

    fn provider() -> Provider {
        let get = |name: &str| (name == "OPENAI_BASE_URL").then(|| "http://127.0.0.1:1/v1".to_owned());
        Providers::read(get).expect("read").all()[0].clone()
    }

    #[test]
    fn refusals_read_as_the_api_server_tells_them() {
        let body = br#"{"error": {"message": "no", "code": "x"}}"#;
        for (status, kind, beginning, again) in [
            (400, "LLMBadRequestError", "INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint: ", false),
            (401, "LLMAuthenticationError", "UNAUTHENTICATED: Authentication failed with OpenAI: ", false),
            (402, "LLMInsufficientCreditsError", "PAYMENT_REQUIRED: Insufficient credits: ", false),
            (403, "LLMPermissionDeniedError", "PERMISSION_DENIED: Permission denied by OpenAI: ", false),
            (404, "LLMNotFoundError", "NOT_FOUND: Resource not found in OpenAI: ", false),
            (422, "LLMUnprocessableEntityError", "INVALID_ARGUMENT: Invalid request content for OpenAI: ", false),
            (429, "LLMRateLimitError", "RATE_LIMIT_EXCEEDED: Rate limited by OpenAI: ", true),
            (500, "LLMServerError", "INTERNAL_SERVER_ERROR: OpenAI API error: ", true),
            (503, "LLMServerError", "INTERNAL_SERVER_ERROR: OpenAI API error: ", true),
            (302, "LLMServerError", "INTERNAL_SERVER_ERROR: OpenAI API error: ", false),
        ] {
            let mishap = refusal(&provider(), status, body, None);
            let expected = format!("{beginning}Error code: {status} - {{'error': {{'message': 'no', 'code': 'x'}}}}");
            assert_eq!((mishap.failure.kind, mishap.failure.message.as_str()), (kind, expected.as_str()));
            assert_eq!(mishap.pause(1).is_some(), again, "{status}");
            assert_eq!(mishap.pause(3), None, "not for ever");
        }
    }

    #[test]
    fn a_pause_that_is_asked_for_is_kept_unless_it_is_too_long() {
        let asked = |seconds| refusal(&provider(), 429, b"", Some(Duration::from_secs(seconds))).pause(1);
        assert!(asked(7).is_some_and(|pause| pause >= Duration::from_secs(7)));
        assert_eq!(asked(3600), None);
        let quota = refusal(&provider(), 429, br#"{"error": {"code": "insufficient_quota"}}"#, None);
        assert_eq!((quota.failure.kind, quota.pause(1)), ("LLMInsufficientCreditsError", None));
    }

    #[test]
    fn what_is_no_json_is_told_as_text_and_not_at_length() {
        let page = "<html>".repeat(1000);
        let message = refusal(&provider(), 502, page.as_bytes(), None).failure.message;
        assert!(message.starts_with("INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 502 - '<html>"), "{message}");
        assert!(message.chars().count() < 2200);
    }
}
