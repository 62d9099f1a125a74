//! Extracts a request body for the handlers, unparsed.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, SendRoute, ValidationError};
use crate::server::store::idempotency::IdempotencyKey;

/// A request body, with the headers that describe it.
pub struct Payload {
    headers: HeaderMap,
    bytes: Bytes,
}

impl Payload {
    /// Whether the body is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Parses the body, which must be a JSON object.
    pub fn object(&self) -> Result<Map<String, Value>, ValidationError> {
        validate::object(&self.headers, &self.bytes)
    }

    /// Parses the body; an empty one counts as `{}`.
    pub fn optional_object(&self) -> Result<Map<String, Value>, ValidationError> {
        if self.bytes.is_empty() { Ok(Map::new()) } else { self.object() }
    }

    /// Returns the `Idempotency-Key` with its route and a digest of the body, if there is one.
    pub fn idempotency_key(&self, route: SendRoute) -> Result<Option<IdempotencyKey>, ValidationError> {
        let text = validate::idempotency_key(&self.headers)?;
        let hash = || digest(&SHA256, &self.bytes).as_ref().try_into().unwrap_or_default();
        Ok(text.map(|text| IdempotencyKey { text, route: route.name(), body: hash() }))
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = ErrorResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, ErrorResponse> {
        let headers = request.headers().clone();
        match Bytes::from_request(request, state).await {
            Ok(bytes) if validate::has_too_many_values(&bytes) => Err(ErrorResponse::too_many()),
            Ok(bytes) => Ok(Self { headers, bytes }),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ErrorResponse::too_large()),
            Err(_) => Err(ErrorResponse::bad_request("The request's body ended early")),
        }
    }
}
