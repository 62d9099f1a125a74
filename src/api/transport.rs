//! How a request gets to a server: over HTTP, or straight into the engine of this process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tower::ServiceExt as _;
use url::Url;

use super::classify;
use super::error::Kind;
use super::exchange::{Answer, Call, ERROR_CAP, LIST_CAP};
use super::redact::conceal;
use super::response::{Lost, compression};
use crate::model::fault::Fault;
use crate::net::Line;
use crate::net::proxy::Hop;

/// Where requests go.
#[derive(Clone)]
pub enum Transport {
    /// A server, reached over HTTP.
    Http(Box<Http>),
    /// The engine inside this process.
    InProcess(Router),
}

/// A server.
#[derive(Clone)]
pub struct Http {
    /// What connects to it.
    pub line: Line,
    /// Scheme, host, port and perhaps a path; no slash at the end.
    pub base: Url,
    /// Headers that go with every request; they win over what a request says by itself.
    pub headers: HeaderMap,
    /// `Bearer …`, marked as sensitive.
    pub authorization: Option<HeaderValue>,
    /// The proxy between.
    pub proxy: Option<Hop>,
    /// Overrides the time limit of one try.
    pub time_limit: Option<Duration>,
}

impl Transport {
    /// Makes one try of a request, within what time is left for it. An answer of any status is an answer.
    pub(super) async fn exchange(&self, call: &Call, left: Option<Duration>) -> Result<Answer, Lost> {
        match self {
            Self::Http(http) => http.exchange(call, left).await,
            Self::InProcess(router) => in_process(router, call).await,
        }
    }

    /// Whether a request can have got as far as to be written.
    pub(super) fn was_connected(&self) -> bool {
        match self {
            Self::Http(http) => http.line.was_connected(),
            Self::InProcess(_) => true,
        }
    }

    /// How the server is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Http(http) => http.base.as_str().trim_end_matches('/').to_owned(),
            Self::InProcess(_) => "the local engine".to_owned(),
        }
    }
}

impl Http {
    async fn exchange(&self, call: &Call, left: Option<Duration>) -> Result<Answer, Lost> {
        let limit = call.time_limit.or(self.time_limit).unwrap_or_else(|| call.usual_time_limit());
        let limit = left.map_or(limit, |left| left.min(limit));
        let response = self.request(call, limit).send().await.map_err(|error| classify::lost(&error, self, limit))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // Of plain http a proxy reads every request, and answers it itself where it lets nobody through.
        if let (407, "http", Some(hop)) = (status, self.base.scheme(), &self.proxy) {
            return Err(classify::kept_out(hop));
        }
        let cap = if response.status().is_success() { call.cap } else { ERROR_CAP };
        let read = if compression(&headers).is_some() { Ok(Bytes::new()) } else { read(response, cap).await };
        let body = match read {
            Ok(body) => body,
            // What an error body would have said is not worth losing the status for.
            Err(_) if !(200..300).contains(&status) => Bytes::new(),
            Err(Cut::TooLarge) => return Err(Lost::new(Kind::Unreadable, format!("larger than {} MiB", cap >> 20))),
            Err(Cut::Lost(error)) => return Err(classify::lost(&error, self, limit)),
        };
        Ok(conceal(Answer { status, headers, body }, self.authorization.as_ref()))
    }

    fn request(&self, call: &Call, limit: Duration) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path_and_query());
        let mut request = self.line.client.request(call.method.clone(), url).timeout(limit);
        request = request.header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(key) = &call.idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        request.headers(self.headers.clone())
    }
}

/// Why a body was not read to its end.
enum Cut {
    TooLarge,
    Lost(reqwest::Error),
}

/// How much of a body is kept together, in bytes, until all of it is there. It is copied out of what the connection reads
/// into, which can be much larger than what it has read.
const BLOCK: usize = 64 << 10;

/// Reads a body up to a limit. It is put together only once it is known to be whole: what is too large was never held
/// twice.
async fn read(mut response: reqwest::Response, cap: usize) -> Result<Bytes, Cut> {
    let (mut blocks, mut length) = (Vec::new(), 0);
    while let Some(chunk) = response.chunk().await.map_err(Cut::Lost)? {
        length += chunk.len();
        if length > cap {
            return Err(Cut::TooLarge);
        }
        keep(&mut blocks, &chunk);
    }
    Ok(if blocks.len() == 1 { blocks.remove(0).into() } else { blocks.concat().into() })
}

fn keep(blocks: &mut Vec<Vec<u8>>, mut chunk: &[u8]) {
    while !chunk.is_empty() {
        if blocks.last().is_none_or(|block| block.len() == BLOCK) {
            blocks.push(Vec::with_capacity(BLOCK));
        }
        let Some(block) = blocks.last_mut() else { return };
        let (now, later) = chunk.split_at(chunk.len().min(BLOCK - block.len()));
        block.extend_from_slice(now);
        chunk = later;
    }
}

async fn in_process(router: &Router, call: &Call) -> Result<Answer, Lost> {
    let failed = |what: String| Lost::new(Kind::Engine, what);
    let mut request = http::Request::builder().method(call.method.clone()).uri(call.path_and_query());
    request = request.header(CONTENT_TYPE, "application/json");
    let body = call.body.clone().map_or_else(Body::empty, Body::from);
    let request = request.body(body).map_err(|error| failed(error.to_string()))?;
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, LIST_CAP).await.map_err(|error| failed(error.to_string()))?;
    let status = parts.status.as_u16();
    if status >= 500 {
        // The engine commits before it answers: an error is certain, there is no network to blame.
        return Err(failed(Fault::parse(&String::from_utf8_lossy(&body)).message));
    }
    Ok(Answer { status, headers: parts.headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_blocks_is_what_came_and_only_the_last_has_room() {
        let body: Vec<u8> = (0..BLOCK * 3 + 5).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        for length in [0, 1, BLOCK, BLOCK + 1, body.len()] {
            for chunk in [7, BLOCK - 1, BLOCK, BLOCK * 2 + 1] {
                let mut blocks = Vec::new();
                body[..length].chunks(chunk).for_each(|chunk| keep(&mut blocks, chunk));
                assert!(blocks.concat() == body[..length], "{length} in chunks of {chunk}");
                assert_eq!(blocks.len(), length.div_ceil(BLOCK), "{length} in chunks of {chunk}");
            }
        }
    }
}
