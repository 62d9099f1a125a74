//! The response headers that tell clients about `Idempotency-Key`.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

/// On every response: a request with an `Idempotency-Key` may be sent again.
const SUPPORTED: HeaderName = HeaderName::from_static("idempotency-supported");

/// On the response to a request that had been accepted before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Adds `Idempotency-Supported`.
pub fn mark_supported(mut response: Response) -> Response {
    response.headers_mut().insert(SUPPORTED, TRUE);
    response
}

/// Adds `Idempotency-Replayed` if the request had been accepted before.
pub fn mark_replayed(replayed: bool, mut response: Response) -> Response {
    if replayed {
        response.headers_mut().insert(REPLAYED, TRUE);
    }
    response
}
