//! A request's body, before anyone knows whether it is JSON.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::{self, Fault, Route};
use crate::server::store::idempotency::Key;

/// The bytes, and the headers that say what they are.
pub struct Payload {
    headers: HeaderMap,
    bytes: Bytes,
}

impl Payload {
    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The JSON object that it has to be.
    pub fn object(&self) -> Result<Map<String, Value>, Fault> {
        validate::object(&self.headers, &self.bytes)
    }

    /// The same, where it may be left out.
    pub fn optional_object(&self) -> Result<Map<String, Value>, Fault> {
        if self.bytes.is_empty() { Ok(Map::new()) } else { self.object() }
    }

    /// The key that makes the request count once on a route, if it has one.
    pub fn key(&self, route: Route) -> Result<Option<Key>, Fault> {
        let text = validate::idempotency_key(&self.headers)?;
        let body = || digest(&SHA256, &self.bytes).as_ref().try_into().unwrap_or_default();
        Ok(text.map(|text| Key { text, route: route.name(), body: body() }))
    }
}

impl<S: Send + Sync> FromRequest<S> for Payload {
    type Rejection = ErrorResponse;

    async fn from_request(request: Request, state: &S) -> Result<Self, ErrorResponse> {
        let headers = request.headers().clone();
        match Bytes::from_request(request, state).await {
            Ok(bytes) if validate::is_crowded(&bytes) => Err(ErrorResponse::too_many()),
            Ok(bytes) => Ok(Self { headers, bytes }),
            Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(ErrorResponse::too_large()),
            Err(_) => Err(ErrorResponse::bad_request("The request's body ended early")),
        }
    }
}
