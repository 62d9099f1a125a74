//! What is told of a run that raised, to those who wait for its answer or listen to its stream.

use axum::http::StatusCode;
use serde_json::{Value, json};

/// The error of a run, sorted by the code that it begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mishap<'a> {
    /// The status for those who wait.
    pub status: StatusCode,
    kind: &'static str,
    words: &'a str,
    detail: &'a str,
}

/// Beginnings of errors of a model's provider, with the status, the type and the words of each.
const KNOWN: &[(&str, StatusCode, &str, &str)] = &[
    (
        "INVALID_ARGUMENT: Bad request",
        StatusCode::BAD_REQUEST,
        "llm_bad_request",
        "The request to the LLM model provider was invalid.",
    ),
    (
        "CONTEXT_WINDOW_EXCEEDED: ",
        StatusCode::BAD_REQUEST,
        "llm_bad_request",
        "The request to the LLM model provider was invalid.",
    ),
    (
        "UNAUTHENTICATED: ",
        StatusCode::UNAUTHORIZED,
        "llm_authentication",
        "Authentication failed with the LLM model provider.",
    ),
    (
        "PAYMENT_REQUIRED: ",
        StatusCode::PAYMENT_REQUIRED,
        "llm_insufficient_credits",
        "Insufficient credits for LLM request. Please check your account.",
    ),
    (
        "RATE_LIMIT_EXCEEDED: ",
        StatusCode::TOO_MANY_REQUESTS,
        "llm_rate_limit",
        "Rate limit exceeded for LLM model provider. Please wait before making another request.",
    ),
    ("TIMEOUT: ", StatusCode::GATEWAY_TIMEOUT, "llm_timeout", "The LLM request timed out. Please try again."),
    ("INVALID_ARGUMENT: ", StatusCode::INTERNAL_SERVER_ERROR, "llm_error", LLM_ERROR),
    ("PERMISSION_DENIED: ", StatusCode::INTERNAL_SERVER_ERROR, "llm_error", LLM_ERROR),
    ("NOT_FOUND: Resource", StatusCode::INTERNAL_SERVER_ERROR, "llm_error", LLM_ERROR),
    ("INTERNAL_SERVER_ERROR: ", StatusCode::INTERNAL_SERVER_ERROR, "llm_error", LLM_ERROR),
];

/// Beginnings of errors that are the sender's.
const INPUT: &[&str] = &["Cannot process approval response: ", "Invalid tool call IDs. "];

const LLM_ERROR: &str = "An error occurred with the LLM request.";

impl<'a> Mishap<'a> {
    /// Sorts an error.
    pub fn of(error: &'a str) -> Self {
        let known = KNOWN.iter().find(|(beginning, ..)| error.starts_with(beginning));
        let wrong = INPUT.iter().any(|beginning| error.starts_with(beginning));
        let status = if wrong { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
        let other = ("", status, "internal_error", error);
        let (_, status, kind, words) = *known.unwrap_or(&other);
        Self { status, kind, words, detail: error }
    }

    /// The body for those who wait. What is no provider's doing is told as any other fault of a server.
    pub fn body(&self) -> Value {
        match self.kind {
            "internal_error" => json!({"detail": self.detail}),
            kind => json!({"error": {"type": kind, "message": self.words, "detail": self.detail}}),
        }
    }

    /// The same as a message, for those who listen and for the run's metadata.
    pub fn message(&self, run: &str, number: Option<i64>) -> Value {
        json!({
            "message_type": "error_message",
            "run_id": run,
            "error_type": self.kind,
            "message": self.words,
            "detail": self.detail,
            "seq_id": number,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_sorted_by_how_it_begins() {
        for (error, status, kind) in [
            ("RATE_LIMIT_EXCEEDED: Rate limited by OpenAI: Error code: 429", 429, "llm_rate_limit"),
            ("INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint: x", 400, "llm_bad_request"),
            ("INVALID_ARGUMENT: Invalid request content for OpenAI: x", 500, "llm_error"),
            ("the disk is full", 500, "internal_error"),
            ("Invalid tool call IDs. Expected ['call_2'], received ['call_1']", 400, "internal_error"),
        ] {
            let mishap = Mishap::of(error);
            assert_eq!((mishap.status.as_u16(), mishap.kind), (status, kind), "{error}");
            assert_eq!(mishap.message("run-1", None)["detail"], error);
        }
        assert_eq!(Mishap::of("the disk is full").body(), json!({"detail": "the disk is full"}));
    }
}
