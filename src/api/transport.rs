//! Sends a request over HTTP, or to the engine in this process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tower::ServiceExt as _;
use url::Url;

use super::classify::{self, Connection};
use super::error::ErrorKind;
use super::exchange::{Answer, Call, ERROR_CAP, LIST_CAP};
use super::redact::redact_key;
use super::response::{FailedTry, compression};
use crate::model::fault::Fault;
use crate::net::proxy::ProxyAddress;
use crate::net::{HttpClient, address};

/// The destination of requests.
#[derive(Clone)]
pub enum Transport {
    /// A server, over HTTP.
    Http(Box<Http>),
    /// The engine in this process.
    InProcess(Router),
}

/// A server and the settings of requests to it.
#[derive(Clone)]
pub struct Http {
    /// The HTTP client.
    pub client: HttpClient,
    /// The base URL: scheme, host, port and an optional path.
    pub base: Url,
    /// Headers of every request. They override those of the request itself.
    pub headers: HeaderMap,
    /// `Bearer …`, marked as sensitive.
    pub authorization: Option<HeaderValue>,
    /// The proxy in front of the server.
    pub proxy: Option<ProxyAddress>,
    /// The time limit of one try, instead of the default.
    pub time_limit: Option<Duration>,
}

impl Transport {
    /// Makes one try of a request within the time that is left. An answer of any status is `Ok`.
    pub(super) async fn exchange(&self, call: &Call, left: Option<Duration>) -> Result<Answer, FailedTry> {
        match self {
            Self::Http(http) => http.exchange(call, left).await,
            Self::InProcess(router) => in_process(router, call).await,
        }
    }

    /// Returns whether a request may have been written.
    pub(super) fn was_connected(&self) -> bool {
        match self {
            Self::Http(http) => http.client.was_connected(),
            Self::InProcess(_) => true,
        }
    }

    /// Returns the server's name for messages.
    pub fn name(&self) -> String {
        match self {
            Self::Http(http) => http.base.as_str().trim_end_matches('/').to_owned(),
            Self::InProcess(_) => "the local engine".to_owned(),
        }
    }
}

impl Http {
    async fn exchange(&self, call: &Call, left: Option<Duration>) -> Result<Answer, FailedTry> {
        let limit = call.time_limit.or(self.time_limit).unwrap_or_else(|| call.usual_time_limit());
        let limit = left.map_or(limit, |left| left.min(limit));
        let response = self.request(call, limit).send().await.map_err(|error| self.failed_try(&error, limit))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        // Over plain http the proxy itself answers a request that it rejects.
        if let (407, "http", Some(proxy)) = (status, self.base.scheme(), &self.proxy) {
            return Err(classify::proxy_auth(proxy));
        }
        let cap = if response.status().is_success() { call.cap } else { ERROR_CAP };
        let read = if compression(&headers).is_some() { Ok(Bytes::new()) } else { read(response, cap).await };
        let body = match read {
            Ok(body) => body,
            // An error is reported by its status, even if its body cannot be read.
            Err(_) if !(200..300).contains(&status) => Bytes::new(),
            Err(Cut::TooLarge) => {
                return Err(FailedTry::new(ErrorKind::Unreadable, format!("larger than {} MiB", cap >> 20)));
            }
            Err(Cut::Failed(error)) => return Err(self.failed_try(&error, limit)),
        };
        Ok(redact_key(Answer { status, headers, body }, self.authorization.as_ref()))
    }

    fn failed_try(&self, error: &reqwest::Error, limit: Duration) -> FailedTry {
        let connection = Connection {
            was_connected: self.client.was_connected(),
            is_loopback: address::is_loopback_host(self.base.host_str().unwrap_or_default()),
            proxy: self.proxy.as_ref(),
        };
        classify::failed_try(error, &connection, limit)
    }

    fn request(&self, call: &Call, limit: Duration) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path_and_query());
        let mut request = self.client.inner.request(call.method.clone(), url).timeout(limit);
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

/// The reason why a body was not read to its end.
enum Cut {
    TooLarge,
    Failed(reqwest::Error),
}

/// The size in bytes of the blocks into which a body is copied. A received chunk would keep the whole read buffer of
/// the connection in memory, which may be much larger.
const BLOCK: usize = 64 << 10;

/// Reads a body up to a limit. The blocks are joined only when the body is complete, so that a body that is too large
/// is in memory only once.
async fn read(mut response: reqwest::Response, cap: usize) -> Result<Bytes, Cut> {
    let mut blocks = Vec::new();
    let mut length = 0;
    while let Some(chunk) = response.chunk().await.map_err(Cut::Failed)? {
        length += chunk.len();
        if length > cap {
            return Err(Cut::TooLarge);
        }
        append(&mut blocks, &chunk);
    }
    Ok(if blocks.len() == 1 { blocks.remove(0).into() } else { blocks.concat().into() })
}

/// Appends a chunk to the blocks.
fn append(blocks: &mut Vec<Vec<u8>>, mut chunk: &[u8]) {
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

async fn in_process(router: &Router, call: &Call) -> Result<Answer, FailedTry> {
    let failed = |cause: String| FailedTry::new(ErrorKind::Engine, cause);
    let mut request = http::Request::builder().method(call.method.clone()).uri(call.path_and_query());
    request = request.header(CONTENT_TYPE, "application/json");
    let body = call.body.clone().map_or_else(Body::empty, Body::from);
    let request = request.body(body).map_err(|error| failed(error.to_string()))?;
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, LIST_CAP).await.map_err(|error| failed(error.to_string()))?;
    let status = parts.status.as_u16();
    if status >= 500 {
        // The engine answers after its commit, and no network can lose the answer: an error means that nothing was
        // accepted.
        return Err(failed(Fault::parse(&String::from_utf8_lossy(&body)).message));
    }
    Ok(Answer { status, headers: parts.headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_the_body_and_all_but_the_last_are_full() {
        let body: Vec<u8> = (0..BLOCK * 3 + 5).map(|at| at.to_le_bytes()[0] ^ at.to_le_bytes()[1]).collect();
        for length in [0, 1, BLOCK, BLOCK + 1, body.len()] {
            for chunk in [7, BLOCK - 1, BLOCK, BLOCK * 2 + 1] {
                let mut blocks = Vec::new();
                body[..length].chunks(chunk).for_each(|chunk| append(&mut blocks, chunk));
                assert!(blocks.concat() == body[..length], "{length} in chunks of {chunk}");
                assert_eq!(blocks.len(), length.div_ceil(BLOCK), "{length} in chunks of {chunk}");
            }
        }
    }
}
