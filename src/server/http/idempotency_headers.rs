//! What every answer says about this server.

use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

/// The header by which clients know that a request with an `Idempotency-Key` may be sent again.
const SUPPORTED: HeaderName = HeaderName::from_static("idempotency-supported");

/// The header of an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Declares that keys are honoured.
pub fn declare(mut answer: Response) -> Response {
    answer.headers_mut().insert(SUPPORTED, TRUE);
    answer
}

/// Marks an answer whose request had been accepted before.
pub fn mark(replayed: bool, mut answer: Response) -> Response {
    if replayed {
        answer.headers_mut().insert(REPLAYED, TRUE);
    }
    answer
}
