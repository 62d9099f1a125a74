//! A fault of this program, under one number for whoever asked and for whoever runs the server.

use std::any::Any;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// What went wrong while a request was answered. The answer carries it to the door, where it is told.
#[derive(Clone, Debug)]
pub struct InternalError {
    /// The number, as in the answer's `error_id`.
    pub id: String,
    /// What the program says about it. The answer does not.
    pub what: String,
}

impl InternalError {
    pub fn new(what: impl Into<String>) -> Self {
        Self { id: format!("error-{}", Uuid::new_v4()), what: what.into() }
    }

    /// A panic, by what it left.
    pub fn panic(left: &(dyn Any + Send)) -> Self {
        let text = left.downcast_ref::<&str>().copied().or_else(|| left.downcast_ref::<String>().map(String::as_str));
        Self::new(format!("panicked: {}", text.unwrap_or("for a reason that is no text")))
    }
}

impl IntoResponse for InternalError {
    fn into_response(self) -> Response {
        let body = Json(json!({"detail": "An unknown error occurred", "error_id": self.id}));
        let mut answer = (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}
