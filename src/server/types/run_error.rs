//! The error of a run: its kind, and a message for people.

use serde::{Deserialize, Serialize};

use crate::model::StopReason;

/// The error of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunError {
    pub kind: RunErrorKind,
    pub message: String,
}

/// The kinds of errors. Runs are stored with the kind, so no text has to be classified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunErrorKind {
    /// The request has no message.
    EmptyRequest,
    /// A message of the request has no content.
    EmptyContent,
    /// The agent waits for a decision on a tool call, and the request brings none.
    PendingApproval,
    /// The request decides on a tool call, and none waits.
    NoPendingCall,
    /// The request decides on a tool call other than the one that waits.
    CallMismatch,
    /// No model has the handle.
    UnknownModel,
    /// The text is not a valid script.
    InvalidScript,
    /// The script has a `@fail` line.
    ScriptFailed,
    /// The model panicked.
    ModelPanicked,
    /// The conversation does not fit into the model's context window.
    ContextWindowExceeded,
    /// The provider rejected the request (400).
    BadRequest,
    /// The provider rejected the key (401).
    Unauthenticated,
    /// The account at the provider has no credit left (402).
    InsufficientCredits,
    /// The provider denies access to the model (403).
    PermissionDenied,
    /// The provider does not have the model (404).
    NotFound,
    /// The provider rejected the content of the request (422).
    Unprocessable,
    /// The provider limits the rate of requests (429).
    RateLimited,
    /// The provider did not answer in time.
    Timeout,
    /// The connection to the provider failed.
    Connection,
    /// The provider answered with any other error, or with something that is no answer.
    Provider,
    /// The provider's answer is empty.
    EmptyAnswer,
    /// The run ended with a stop reason that is a failure.
    Stopped,
    /// Too many processes died while they executed the run.
    WorkerLost,
    /// The stored request cannot be read.
    UnreadableRequest,
}

impl RunError {
    pub fn new(kind: RunErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl RunErrorKind {
    /// Returns the name of the exception that the API's server 0.16.8 raises, for the `error_type` of steps.
    pub fn exception(self) -> &'static str {
        match self {
            Self::EmptyRequest => "IndexError",
            Self::EmptyContent | Self::NoPendingCall | Self::CallMismatch => "ValueError",
            Self::PendingApproval => "PendingApprovalError",
            Self::UnknownModel => "NotFoundError",
            Self::InvalidScript => "InvalidScriptError",
            Self::ScriptFailed => "ScriptedError",
            Self::ModelPanicked => "PanicError",
            Self::ContextWindowExceeded => "ContextWindowExceededError",
            Self::BadRequest => "LLMBadRequestError",
            Self::Unauthenticated => "LLMAuthenticationError",
            Self::InsufficientCredits => "LLMInsufficientCreditsError",
            Self::PermissionDenied => "LLMPermissionDeniedError",
            Self::NotFound => "LLMNotFoundError",
            Self::Unprocessable => "LLMUnprocessableEntityError",
            Self::RateLimited => "LLMRateLimitError",
            Self::Timeout => "LLMTimeoutError",
            Self::Connection => "LLMConnectionError",
            Self::Provider => "LLMServerError",
            Self::EmptyAnswer => "LLMEmptyResponseError",
            Self::Stopped | Self::WorkerLost | Self::UnreadableRequest => "RuntimeError",
        }
    }

    /// Whether the error comes from a provider, or from the way to it.
    pub fn is_of_provider(self) -> bool {
        matches!(
            self,
            Self::ContextWindowExceeded
                | Self::BadRequest
                | Self::Unauthenticated
                | Self::InsufficientCredits
                | Self::PermissionDenied
                | Self::NotFound
                | Self::Unprocessable
                | Self::RateLimited
                | Self::Timeout
                | Self::Connection
                | Self::Provider
                | Self::EmptyAnswer
        )
    }

    /// Returns the stop reason of a step that ends with this error.
    pub fn stop_reason(self) -> StopReason {
        match self {
            Self::EmptyAnswer => StopReason::InvalidLlmResponse,
            kind if kind.is_of_provider() => StopReason::LlmApiError,
            _ => StopReason::Error,
        }
    }
}
