//! What a refused request is answered: a status and a `detail`, in the two shapes of the API.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::internal_error::InternalError;
use super::validate::Fault;
use crate::db;
use crate::server::Manners;
use crate::server::store::StoreError;

/// How the real server prints the one user that it has.
const ACTOR: &str = "id='user-00000000-0000-4000-8000-000000000000' \
    organization_id='org-00000000-0000-4000-8000-000000000000' name='default_user' \
    created_at=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=TzInfo(UTC)) \
    updated_at=datetime.datetime(2026, 1, 1, 0, 0, tzinfo=TzInfo(UTC)) is_deleted=False";

/// Why a request gets no 2xx.
#[derive(Debug)]
pub enum ErrorResponse {
    /// A status with words.
    Detail(StatusCode, String),
    /// A status with a body of another shape.
    Body(StatusCode, Value),
    /// Input that does not pass validation.
    Invalid(Vec<Fault>),
    /// A fault of this program.
    InternalError(InternalError),
    /// Too much is to be written, or another process holds the database for too long; nothing was stored.
    Busy,
}

impl ErrorResponse {
    /// 404 with these words.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::NOT_FOUND, detail.into())
    }

    /// 404 for a thing that is not there.
    pub fn missing(what: &str, id: &str, manners: Manners) -> Self {
        Self::not_found(match manners.tells_the_actor() {
            true => format!("{what} not found with id='['{id}']', access level in ['read'] for actor='{ACTOR}'"),
            false => format!("{what} not found with id='{id}'"),
        })
    }

    /// 422 for a key that came with another body before.
    pub fn other_body() -> Self {
        let words = "Idempotency-Key was used with another body before; nothing was stored.";
        Self::Detail(StatusCode::UNPROCESSABLE_ENTITY, words.to_owned())
    }

    /// 400 with these words.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::Detail(StatusCode::BAD_REQUEST, detail.into())
    }

    /// The answer to a body beyond the limit.
    pub fn too_large() -> Self {
        Self::Detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body too large".to_owned())
    }

    /// The answer to a body with more values than is taken.
    pub fn too_many() -> Self {
        Self::Detail(StatusCode::PAYLOAD_TOO_LARGE, "Request body has too many values".to_owned())
    }

    /// What the real server answers where it should not fail, and no more.
    pub fn internal() -> Self {
        Self::Detail(StatusCode::INTERNAL_SERVER_ERROR, "An unknown error occurred".to_owned())
    }
}

impl From<StoreError> for ErrorResponse {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Sqlite(error) if db::is_busy(&error) => Self::Busy,
            StoreError::Sqlite(error) if db::is_full(&error) => {
                let words = "The disk of the database is full. Nothing was stored.";
                Self::Detail(StatusCode::INSUFFICIENT_STORAGE, words.to_owned())
            }
            StoreError::Sqlite(error) => {
                Self::Detail(StatusCode::INTERNAL_SERVER_ERROR, format!("A database error occurred: {error}"))
            }
            StoreError::Crowded => Self::Busy,
            StoreError::Lost | StoreError::Panicked => Self::InternalError(InternalError::new(error.to_string())),
        }
    }
}

impl From<Vec<Fault>> for ErrorResponse {
    fn from(faults: Vec<Fault>) -> Self {
        Self::Invalid(faults)
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        match self {
            Self::Detail(status, detail) => (status, Json(json!({"detail": detail}))).into_response(),
            Self::Invalid(faults) => (StatusCode::UNPROCESSABLE_ENTITY, Json(Fault::body(&faults))).into_response(),
            Self::Body(status, body) => (status, Json(body)).into_response(),
            Self::InternalError(bug) => bug.into_response(),
            Self::Busy => busy(),
        }
    }
}

fn busy() -> Response {
    let body = Json(json!({"detail": "The server is busy. Nothing was stored; try again."}));
    let retry_after = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
    (StatusCode::SERVICE_UNAVAILABLE, retry_after, body).into_response()
}
