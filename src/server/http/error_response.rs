//! The error responses of the API: a status, and a `detail` in one of two shapes.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::internal_error::InternalError;
use super::validate::ValidationError;
use crate::db;
use crate::server::Behaviour;
use crate::server::store::StoreError;

/// The only user of the real server, as its error messages print it.
const ACTOR: &str = "id='user-00000000-0000-4000-8000-000000000000' \
    organization_id='org-00000000-0000-4000-8000-000000000000' name='default_user' \
    created_at=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=TzInfo(UTC)) \
    updated_at=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=TzInfo(UTC)) is_deleted=False";

/// The response to a request that failed.
#[derive(Debug)]
pub enum ErrorResponse {
    /// A status with a `detail`.
    Detail(StatusCode, String),
    /// A status with another body.
    Body(StatusCode, Value),
    /// 422 with the validation errors.
    Invalid(Vec<ValidationError>),
    /// 500 for a fault of this program.
    InternalError(InternalError),
    /// 503: too many requests wait for memory or the database, or the limit of open runs is reached. Nothing was stored.
    Busy,
}

impl ErrorResponse {
    /// 404 with a `detail`.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::NOT_FOUND, detail.into())
    }

    /// 404 for an id that does not exist.
    pub fn missing(what: &str, id: &str, behaviour: Behaviour) -> Self {
        Self::not_found(match behaviour.not_found_names_the_actor() {
            true => format!("{what} not found with id='['{id}']', access level in ['read'] for actor='{ACTOR}'"),
            false => format!("{what} not found with id='{id}'"),
        })
    }

    /// 422 for an `Idempotency-Key` that was used with another body.
    pub fn other_body() -> Self {
        let detail = "Idempotency-Key was used with another body before; nothing was stored.";
        Self::Detail(StatusCode::UNPROCESSABLE_ENTITY, detail.to_owned())
    }

    /// 400 with a `detail`.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::BAD_REQUEST, detail.into())
    }

    /// 413 for a body with too many bytes.
    pub fn too_large() -> Self {
        Self::Detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large".to_owned())
    }

    /// 413 for a body with too many JSON values.
    pub fn too_many() -> Self {
        Self::Detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body has too many values".to_owned())
    }

    /// 500 as the real server answers where it fails; not logged as a fault of this program.
    pub fn emulated_failure() -> Self {
        Self::Detail(StatusCode::INTERNAL_SERVER_ERROR, "An unknown error occurred".to_owned())
    }
}

impl From<StoreError> for ErrorResponse {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Sqlite(error) if db::is_busy(&error) => Self::Busy,
            StoreError::Sqlite(error) if db::is_full(&error) => {
                let detail = "The disk of the database is full. Nothing was stored.";
                Self::Detail(StatusCode::INSUFFICIENT_STORAGE, detail.to_owned())
            }
            StoreError::Sqlite(error) => {
                Self::Detail(StatusCode::INTERNAL_SERVER_ERROR, format!("A database error occurred: {error}"))
            }
            StoreError::Crowded => Self::Busy,
            StoreError::Lost | StoreError::Panicked => Self::InternalError(InternalError::new(error.to_string())),
        }
    }
}

impl From<ValidationError> for ErrorResponse {
    fn from(error: ValidationError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<Vec<ValidationError>> for ErrorResponse {
    fn from(errors: Vec<ValidationError>) -> Self {
        Self::Invalid(errors)
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        match self {
            Self::Detail(status, detail) => (status, Json(json!({"detail": detail}))).into_response(),
            Self::Invalid(errors) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(ValidationError::body(&errors))).into_response()
            }
            Self::Body(status, body) => (status, Json(body)).into_response(),
            Self::InternalError(error) => error.into_response(),
            Self::Busy => busy(),
        }
    }
}

fn busy() -> Response {
    let body = Json(json!({"detail": "The server is busy. Nothing was stored; try again."}));
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry_after, body).into_response()
}
