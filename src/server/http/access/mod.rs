//! Access control of a port, as middleware: method, host, origin and API key are checked before a route runs, and the body
//! is read. Calls within this process skip it.

mod host;
mod key;
mod origin;
mod read_body;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

pub use host::Hosts;
pub use key::ApiKey;
pub use read_body::MAX_BODY_BYTES;

use super::error_response::ErrorResponse;
use super::idempotency_headers::mark_supported;
use super::internal_error::InternalError;
use crate::server::types::memory_budget::MemoryBudget;

/// The access rules of a port.
#[derive(Clone)]
pub struct AccessRules {
    /// The allow-list of hosts.
    pub hosts: Hosts,
    /// The key that every request but those for health needs; `None` accepts requests without a key.
    pub key: Option<ApiKey>,
    /// Whether the routes honour `Idempotency-Key`, so that rejections carry `Idempotency-Supported` too.
    pub idempotency_supported: bool,
    /// The memory for request bodies.
    pub memory: MemoryBudget,
    /// Receives every access event.
    pub observer: Observer,
}

/// A callback for access events.
pub type Observer = Arc<dyn Fn(AccessEvent) + Send + Sync>;

/// An event to be logged. It holds no key and no body.
#[derive(Clone, Debug)]
pub enum AccessEvent {
    /// A request was rejected, with the reason.
    Rejected(String),
    /// A request failed by a fault of this program.
    Failed {
        /// `GET`, `POST`, …
        method: Method,
        /// The path, with its query.
        path: String,
        /// The fault, with the id that the response carries.
        error: InternalError,
    },
    /// A request was answered.
    Answered {
        /// `GET`, `POST`, …
        method: Method,
        /// The path, with its query.
        path: String,
        /// The status of the response.
        status: StatusCode,
        /// The time from the head of the request to the head of the response.
        took: Duration,
    },
}

/// A request that the access rules reject.
#[derive(Debug)]
pub struct Rejection {
    status: StatusCode,
    /// For the client.
    detail: &'static str,
    /// For the log.
    reason: String,
}

impl Rejection {
    fn host(host: Option<&str>) -> Self {
        let detail = "Misdirected Request: this server does not answer to that host";
        let reason = format!("Host {}", host.map_or("is missing".to_owned(), quoted));
        Self { status: StatusCode::MISDIRECTED_REQUEST, detail, reason }
    }

    fn origin(header: &str, value: &[u8]) -> Self {
        let reason = format!("{header} {}", quoted(&String::from_utf8_lossy(value)));
        Self { status: StatusCode::FORBIDDEN, detail: "Forbidden: web pages may not use this server", reason }
    }

    fn method(method: &Method) -> Self {
        let reason = format!("method {}", quoted(method.as_str()));
        Self { status: StatusCode::METHOD_NOT_ALLOWED, detail: "Method Not Allowed", reason }
    }

    fn key() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, detail: "Unauthorized", reason: "no key, or a wrong one".to_owned() }
    }
}

/// Quotes at most 60 characters of a value, so that it fits a line of the log.
fn quoted(text: &str) -> String {
    format!("`{}`", text.chars().take(60).collect::<String>())
}

impl AccessRules {
    /// Wraps a router in these rules.
    pub fn guard(self, router: Router) -> Router {
        router.layer(from_fn_with_state(Arc::new(self), apply))
    }

    /// Checks the head of a request; no check reads the body.
    fn check(&self, parts: &Parts) -> Result<(), Rejection> {
        // This is no proxy for CONNECT, and TRACE would echo credentials.
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Rejection::method(&parts.method));
        }
        self.hosts.check(parts)?;
        origin::check(parts, &self.hosts)?;
        self.key.as_ref().map_or(Ok(()), |key| key.check(parts))
    }

    async fn respond(&self, parts: Parts, body: Body, next: Next) -> Response {
        if let Err(rejection) = self.check(&parts) {
            (self.observer)(AccessEvent::Rejected(format!("{} ({})", rejection.reason, rejection.status.as_u16())));
            let response = ErrorResponse::Detail(rejection.status, rejection.detail.to_owned());
            // The unread body makes the rest of the connection unusable.
            return ([(header::CONNECTION, "close")], response).into_response();
        }
        match read_body::read(&parts, body, &self.memory).await {
            Ok(body) => next.run(Request::from_parts(parts, body)).await,
            Err(error) => error.into_response(),
        }
    }
}

async fn apply(State(rules): State<Arc<AccessRules>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let method = parts.method.clone();
    let path = parts.uri.to_string();
    let mut response = rules.respond(parts, body, next).await;
    if let Some(error) = response.extensions_mut().remove::<InternalError>() {
        (rules.observer)(AccessEvent::Failed { method: method.clone(), path: path.clone(), error });
    }
    let response = if rules.idempotency_supported { mark_supported(response) } else { response };
    (rules.observer)(AccessEvent::Answered { method, path, status: response.status(), took: began.elapsed() });
    response
}

impl fmt::Debug for AccessRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessRules").field("hosts", &self.hosts).field("key", &self.key).finish_non_exhaustive()
    }
}
