//! The 500 for a fault of this program. The response and the log share its id.

use std::any::Any;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

/// A fault of this program. The response carries it as an extension to the access middleware, which logs it.
#[derive(Clone, Debug)]
pub struct InternalError {
    /// The `error_id` of the response.
    pub id: String,
    /// The cause. It is logged, and not sent.
    pub message: String,
}

impl InternalError {
    /// A fault under a new id.
    pub fn new(message: impl Into<String>) -> Self {
        Self { id: format!("error-{}", Uuid::new_v4()), message: message.into() }
    }

    /// A panic, by its payload.
    pub fn panic(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self::new(format!("panicked: {}", text.unwrap_or("with a payload that is not text")))
    }
}

impl IntoResponse for InternalError {
    fn into_response(self) -> Response {
        let body = Json(json!({"detail": "An unknown error occurred", "error_id": self.id}));
        let mut response = (StatusCode::INTERNAL_SERVER_ERROR, body).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
