//! The body: read whole before a route sees it, within limits of size and time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use tokio::time::timeout;

use crate::server::refusal::Refusal;

/// The largest request body.
pub(in crate::server) const MOST_BYTES: usize = 32 << 20;
/// How long a client may take to send one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the body. One that says that it is too large is not read at all.
pub(super) async fn read(parts: &Parts, body: Body) -> Result<Body, Refusal> {
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MOST_BYTES as u64) {
        return Err(Refusal::too_large());
    }
    match timeout(PATIENCE, to_bytes(body, MOST_BYTES)).await {
        Ok(Ok(bytes)) => Ok(Body::from(bytes)),
        Ok(Err(error)) if is_too_large(&error) => Err(Refusal::too_large()),
        Ok(Err(_)) => Err(Refusal::bad_request("The request's body ended early")),
        Err(_) => Err(Refusal::Detail(StatusCode::REQUEST_TIMEOUT, "The request's body came too slowly".to_owned())),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(error);
    std::iter::from_fn(|| {
        let this = next?;
        next = this.source();
        Some(this)
    })
    .any(|error| error.is::<http_body_util::LengthLimitError>())
}
