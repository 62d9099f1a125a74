//! Reads request bodies into memory before the routes run, limited in size, in time and by the memory budget.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::report::chain;
use crate::server::http::error_response::ErrorResponse;
use crate::server::types::memory_budget::MemoryBudget;

/// The largest request body, in bytes.
pub const MAX_BODY_BYTES: usize = 32 << 20;
/// The time limit of the wait for memory, and then again of receiving the body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// Peak memory of a request while it is read, parsed and stored, as a multiple of its body. Measured.
const MEMORY_FACTOR: usize = 8;

/// Reads the body. A `Content-Length` beyond the limit is rejected unread; a large body first waits for memory.
pub async fn read(parts: &Parts, body: Body, budget: &MemoryBudget) -> Result<Body, ErrorResponse> {
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BODY_BYTES as u64) {
        return Err(ErrorResponse::too_large());
    }
    let capacity = match (length, body.is_end_stream()) {
        (_, true) => 0,
        (Some(length), false) => usize::try_from(length).unwrap_or(MAX_BODY_BYTES),
        // A chunked body may have any length up to the limit.
        (None, false) => MAX_BODY_BYTES,
    };
    let permit =
        timeout(BODY_TIMEOUT, budget.acquire(capacity, MEMORY_FACTOR)).await.map_err(|_| ErrorResponse::Busy)?;
    read_all(body, capacity).await.map(|bytes| Body::from(permit.attach(bytes)))
}

async fn read_all(body: Body, capacity: usize) -> Result<Vec<u8>, ErrorResponse> {
    match timeout(BODY_TIMEOUT, collect(body, capacity)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(ErrorResponse::too_large()),
        Ok(Err(_)) => Err(ErrorResponse::bad_request("The request's body ended early")),
        Err(_) => {
            Err(ErrorResponse::Detail(StatusCode::REQUEST_TIMEOUT, "The request's body came too slowly".to_owned()))
        }
    }
}

/// Appends each chunk as it arrives, so that the body is in memory only once.
async fn collect(body: Body, capacity: usize) -> Result<Vec<u8>, BoxError> {
    let mut limited = Limited::new(body, MAX_BODY_BYTES);
    let mut bytes = Vec::with_capacity(capacity);
    while let Some(frame) = limited.frame().await {
        if let Ok(chunk) = frame?.into_data() {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(bytes)
}

fn is_too_large(error: &BoxError) -> bool {
    chain(&**error).any(|error| error.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(budget: &MemoryBudget, head: &[(&str, &str)], body: &'static str) -> u16 {
        let head = head.iter().fold(axum::http::Request::builder(), |head, (name, value)| head.header(*name, *value));
        let (parts, ()) = head.body(()).expect("a request").into_parts();
        match read(&parts, Body::from(body), budget).await {
            Ok(_) => 200,
            Err(error) => axum::response::IntoResponse::into_response(error).status().as_u16(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_waits_for_memory_until_its_timeout() {
        let budget = MemoryBudget::default();
        let small = [("content-length", "5")];
        let large = [("content-length", "100000")];
        assert_eq!(status(&budget, &large, "whatever").await, 200);
        let held = budget.acquire(usize::MAX, 1).await;
        assert_eq!(status(&budget, &small, "small").await, 200);
        assert_eq!(status(&budget, &[], "").await, 200, "an empty body needs no memory");
        assert_eq!(status(&budget, &large, "whatever").await, 503);
        assert_eq!(status(&budget, &[], "chunked").await, 503);
        drop(held);
        assert_eq!(status(&budget, &[], "chunked").await, 200);
    }
}
