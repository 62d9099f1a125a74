//! How a request gets to a server: over HTTP, or straight into the engine of this process.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use tower::ServiceExt as _;
use url::Url;

use super::echo::conceal;
use super::error::Kind;
use super::exchange::{Answer, Call, ERROR_CAP, LIST_CAP};
use super::judge::Lost;
use crate::model::fault::Fault;
use crate::net::address;

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
    /// The client that connects.
    pub client: reqwest::Client,
    /// Scheme, host, port and perhaps a path; no slash at the end.
    pub base: Url,
    /// Headers that go with every request; they win over what a request says by itself.
    pub headers: HeaderMap,
    /// `Bearer …`, marked as sensitive.
    pub authorization: Option<HeaderValue>,
    /// The proxy between, for messages: without user name and password.
    pub proxy: Option<String>,
    /// Overrides the time limit of one try.
    pub time_limit: Option<Duration>,
}

impl Transport {
    /// Makes one try of a request. An answer of any status is an answer.
    pub(super) async fn exchange(&self, call: &Call) -> Result<Answer, Lost> {
        match self {
            Self::Http(http) => http.exchange(call).await,
            Self::InProcess(router) => in_process(router, call).await,
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
    async fn exchange(&self, call: &Call) -> Result<Answer, Lost> {
        let limit = call.time_limit.or(self.time_limit).unwrap_or_else(|| call.usual_time_limit());
        let response = self.request(call, limit).send().await.map_err(|error| self.lost(&error, limit))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let cap = if response.status().is_success() { call.cap } else { ERROR_CAP };
        let body = read(response, cap).await;
        let body = match body {
            Ok(body) => body,
            // What an error body would have said is not worth losing the status for.
            Err(_) if !(200..300).contains(&status) => Bytes::new(),
            Err(Cut::TooLarge) => return Err(Lost::new(Kind::Unreadable, format!("larger than {} MiB", cap >> 20))),
            Err(Cut::Lost(error)) => return Err(self.lost(&error, limit)),
        };
        Ok(conceal(Answer { status, headers, body }, self.authorization.as_ref()))
    }

    fn request(&self, call: &Call, limit: Duration) -> reqwest::RequestBuilder {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), call.path_and_query());
        let mut request = self.client.request(call.method.clone(), url).timeout(limit);
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

    fn lost(&self, error: &reqwest::Error, limit: Duration) -> Lost {
        let cause = deepest(error);
        if error.is_connect() {
            return self.not_connected(error, cause);
        }
        if error.is_timeout() {
            let words = crate::text::duration::read(limit);
            return Lost::new(Kind::Late, format!("no whole answer within {words}"));
        }
        Lost::new(Kind::Interrupted, cause)
    }

    /// No connection came about, or none that is secure: not a byte of the request was written.
    ///
    /// TLS that breaks later is a connection that ended: the request may have been read.
    fn not_connected(&self, error: &reqwest::Error, cause: String) -> Lost {
        let cause = if error.is_timeout() { "the connection did not come about in time".to_owned() } else { cause };
        let cause = match &self.proxy {
            Some(proxy) => format!("{cause} (through the proxy {proxy})"),
            None => cause,
        };
        match sources(error).find_map(tls_error) {
            Some(rustls::Error::InvalidCertificate(_)) => return Lost::new(Kind::Certificate, cause),
            Some(_) => return Lost::new(Kind::Handshake, cause),
            None if error.is_dns() && is_name_unknown(error) => return Lost::new(Kind::NameUnknown, cause),
            None => {}
        }
        let host = self.base.host_str().unwrap_or_default();
        let loopback = is_refused(error) && address::is_loopback_host(host);
        Lost::new(Kind::NotConnected { loopback }, cause)
    }
}

/// Why a body was not read to its end.
enum Cut {
    TooLarge,
    Lost(reqwest::Error),
}

/// Reads a body up to a limit. It is put together only once it is known to be whole: what is too large was never held
/// twice.
async fn read(mut response: reqwest::Response, cap: usize) -> Result<Bytes, Cut> {
    let (mut chunks, mut length) = (Vec::new(), 0);
    while let Some(chunk) = response.chunk().await.map_err(Cut::Lost)? {
        length += chunk.len();
        if length > cap {
            return Err(Cut::TooLarge);
        }
        chunks.push(chunk);
    }
    Ok(if chunks.len() == 1 { chunks.remove(0) } else { chunks.concat().into() })
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

fn sources<'a>(error: &'a reqwest::Error) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    let mut next: Option<&'a (dyn std::error::Error + 'static)> = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// The words nearest to the cause. reqwest's own repeat the URL, which the message names already.
fn deepest(error: &reqwest::Error) -> String {
    let words = sources(error).last().map(ToString::to_string).unwrap_or_default();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

fn is_refused(error: &reqwest::Error) -> bool {
    let refused = |io: &std::io::Error| io.kind() == std::io::ErrorKind::ConnectionRefused;
    sources(error).any(|source| source.downcast_ref().is_some_and(refused))
}

/// Whether the name server said that there is no such name; it may also be away. Only the words of the C library tell,
/// which are not translated here: glibc's two, musl's, those of macOS and of Windows.
fn is_name_unknown(error: &reqwest::Error) -> bool {
    const WORDS: [&str; 5] = [
        "name or service not known",
        "no address associated with hostname",
        "name does not resolve",
        "nodename nor servname provided",
        "no such host is known",
    ];
    let words = deepest(error);
    WORDS.iter().any(|known| words.contains(known))
}

/// What the two sides of a TLS connection did not agree on. It hides inside I/O errors, whose `source` passes it over.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = || tls_error(error.downcast_ref::<std::io::Error>()?.get_ref()?);
    error.downcast_ref::<rustls::Error>().or_else(inside)
}
