//! The body: read whole before a route sees it, within limits of size and time, and as far as there is room.

use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, HttpBody as _};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use crate::server::http::error_response::ErrorResponse;
use crate::server::types::memory_budget::MemoryBudget;

/// The largest request body.
pub const MOST_BYTES: usize = 32 << 20;
/// How long a client may take to send one, and how long it waits for room before that.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many times its bytes a body takes while it is read, understood and stored, as measured.
const TIMES: usize = 8;

/// Reads the body. One that says that it is too large is not read at all, and one that is large only once there is room.
pub async fn read(parts: &Parts, body: Body, room: &MemoryBudget) -> Result<Body, ErrorResponse> {
    let length = parts.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MOST_BYTES as u64) {
        return Err(ErrorResponse::too_large());
    }
    let most = match (length, body.is_end_stream()) {
        (_, true) => 0,
        (Some(length), false) => usize::try_from(length).unwrap_or(MOST_BYTES),
        // In pieces, nobody knows how many.
        (None, false) => MOST_BYTES,
    };
    let room = timeout(PATIENCE, room.take(most, TIMES)).await.map_err(|_| ErrorResponse::Busy)?;
    read_whole(body, most).await.map(|bytes| Body::from(room.around(bytes)))
}

async fn read_whole(body: Body, most: usize) -> Result<Vec<u8>, ErrorResponse> {
    match timeout(PATIENCE, collect(body, most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(ErrorResponse::too_large()),
        Ok(Err(_)) => Err(ErrorResponse::bad_request("The request's body ended early")),
        Err(_) => {
            Err(ErrorResponse::Detail(StatusCode::REQUEST_TIMEOUT, "The request's body came too slowly".to_owned()))
        }
    }
}

/// Puts the pieces together as they come, so that they are not there twice.
async fn collect(body: Body, most: usize) -> Result<Vec<u8>, BoxError> {
    let mut pieces = Limited::new(body, MOST_BYTES);
    let mut whole = Vec::with_capacity(most);
    while let Some(frame) = pieces.frame().await {
        if let Ok(piece) = frame?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole)
}

fn is_too_large(error: &BoxError) -> bool {
    let mut next: Option<&dyn std::error::Error> = Some(&**error);
    std::iter::from_fn(|| {
        let this = next?;
        next = this.source();
        Some(this)
    })
    .any(|error| error.is::<LengthLimitError>())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn status(room: &MemoryBudget, head: &[(&str, &str)], body: &'static str) -> u16 {
        let head = head.iter().fold(axum::http::Request::builder(), |head, (name, value)| head.header(*name, *value));
        let (parts, ()) = head.body(()).expect("a request").into_parts();
        match read(&parts, Body::from(body), room).await {
            Ok(_) => 200,
            Err(refusal) => axum::response::IntoResponse::into_response(refusal).status().as_u16(),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_body_waits_for_room_but_not_for_ever() {
        let room = MemoryBudget::default();
        let (small, large) = ([("content-length", "5")], [("content-length", "100000")]);
        assert_eq!(status(&room, &large, "whatever").await, 200);
        let others = room.take(usize::MAX, 1).await;
        assert_eq!(status(&room, &small, "small").await, 200);
        assert_eq!(status(&room, &[], "").await, 200, "nothing needs no room");
        assert_eq!(status(&room, &large, "whatever").await, 503);
        assert_eq!(status(&room, &[], "in pieces").await, 503);
        drop(others);
        assert_eq!(status(&room, &[], "in pieces").await, 200);
    }
}
