//! The error of a run, as the response of a waiting sender, and as a message of its stream.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::server::types::run_error::{RunError, RunErrorKind};

/// Returns the status of the response to a sender that waits.
pub fn error_status(kind: RunErrorKind) -> StatusCode {
    match kind {
        RunErrorKind::BadRequest
        | RunErrorKind::ContextWindowExceeded
        | RunErrorKind::NoPendingCall
        | RunErrorKind::CallMismatch => StatusCode::BAD_REQUEST,
        RunErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RunErrorKind::InsufficientCredits => StatusCode::PAYMENT_REQUIRED,
        RunErrorKind::PendingApproval => StatusCode::CONFLICT,
        RunErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        RunErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Returns the body of that response: the error of a provider has a type, any other has a `detail` only.
pub fn error_body(error: &RunError) -> Value {
    match of_provider(error.kind) {
        Some((kind, message)) => json!({"error": {"type": kind, "message": message, "detail": error.message}}),
        None => json!({"detail": error.message}),
    }
}

/// Returns the error as a message, for streams and for the run's metadata.
pub fn error_message(error: &RunError, run: &str, seq_id: Option<i64>) -> Value {
    let (kind, message) = of_provider(error.kind).unwrap_or(("internal_error", &error.message));
    json!({
        "message_type": "error_message",
        "run_id": run,
        "error_type": kind,
        "message": message,
        "detail": error.message,
        "seq_id": seq_id,
    })
}

/// Returns the type and the message of a provider's error.
fn of_provider(kind: RunErrorKind) -> Option<(&'static str, &'static str)> {
    match kind {
        RunErrorKind::BadRequest | RunErrorKind::ContextWindowExceeded => {
            Some(("llm_bad_request", "The request to the LLM model provider was invalid."))
        }
        RunErrorKind::Unauthenticated => {
            Some(("llm_authentication", "Authentication failed with the LLM model provider."))
        }
        RunErrorKind::InsufficientCredits => {
            Some(("llm_insufficient_credits", "Insufficient credits for LLM request. Please check your account."))
        }
        RunErrorKind::RateLimited => Some((
            "llm_rate_limit",
            "Rate limit exceeded for LLM model provider. Please wait before making another request.",
        )),
        RunErrorKind::Timeout => Some(("llm_timeout", "The LLM request timed out. Please try again.")),
        kind if kind.is_of_provider() => Some(("llm_error", "An error occurred with the LLM request.")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_and_the_type_follow_the_kind_whatever_the_message_says() {
        for (kind, status, shown) in [
            (RunErrorKind::RateLimited, 429, "llm_rate_limit"),
            (RunErrorKind::BadRequest, 400, "llm_bad_request"),
            (RunErrorKind::Unprocessable, 500, "llm_error"),
            (RunErrorKind::ScriptFailed, 500, "internal_error"),
            (RunErrorKind::CallMismatch, 400, "internal_error"),
        ] {
            let error = RunError::new(kind, "RATE_LIMIT_EXCEEDED: x");
            assert_eq!(error_status(kind).as_u16(), status, "{kind:?}");
            let message = error_message(&error, "run-1", None);
            assert_eq!((&message["error_type"], &message["detail"]), (&json!(shown), &json!("RATE_LIMIT_EXCEEDED: x")));
        }
        let full = RunError::new(RunErrorKind::ScriptFailed, "the disk is full");
        assert_eq!(error_body(&full), json!({"detail": "the disk is full"}));
    }
}
