//! The doors of a port: what a request must show before a route sees it. Inside this process none are needed.

mod body;
mod host;
mod key;
mod origin;

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

pub use body::MOST_BYTES;
pub use host::Hosts;
pub use key::Key;

use super::error_response::ErrorResponse;
use super::idempotency_headers::declare;
use super::internal_error::InternalError;
use crate::server::types::memory_budget::MemoryBudget;

/// What the doors of a port look for.
#[derive(Clone)]
pub struct Doors {
    /// The hosts that are answered to.
    pub hosts: Hosts,
    /// The key that every request but those for health needs; none lets everybody in.
    pub key: Option<Key>,
    /// Whether `Idempotency-Key` is honoured behind the doors: then every answer says so.
    pub honours_keys: bool,
    /// The room for bodies.
    pub room: MemoryBudget,
    /// Who is told what happens.
    pub hear: Hear,
}

/// Takes in what happens at the doors.
pub type Hear = Arc<dyn Fn(Note) + Send + Sync>;

/// Something that happened at the doors. It holds no key and no body.
#[derive(Clone, Debug)]
pub enum Note {
    /// A request was turned away; with what was wrong with it.
    Refused(String),
    /// A request met a fault of this program.
    Failed {
        /// `GET`, `POST`, …
        method: Method,
        /// The path, with its query.
        path: String,
        /// The fault, and its number.
        bug: InternalError,
    },
    /// A request was answered.
    Answered {
        /// `GET`, `POST`, …
        method: Method,
        /// The path, with its query.
        path: String,
        /// The status of the answer.
        status: StatusCode,
        /// How long it took.
        took: Duration,
    },
}

/// Why a request was turned away.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    detail: &'static str,
    /// For the one who runs the server.
    note: String,
}

impl Refused {
    fn host(host: Option<&str>) -> Self {
        let detail = "Misdirected Request: this server does not answer to that host";
        let note = format!("Host {}", host.map_or("is missing".to_owned(), quoted));
        Self { status: StatusCode::MISDIRECTED_REQUEST, detail, note }
    }

    fn origin(header: &str, value: &[u8]) -> Self {
        let note = format!("{header} {}", quoted(&String::from_utf8_lossy(value)));
        Self { status: StatusCode::FORBIDDEN, detail: "Forbidden: web pages may not use this server", note }
    }

    fn method(method: &Method) -> Self {
        let note = format!("method {}", quoted(method.as_str()));
        Self { status: StatusCode::METHOD_NOT_ALLOWED, detail: "Method Not Allowed", note }
    }

    fn key() -> Self {
        Self { status: StatusCode::UNAUTHORIZED, detail: "Unauthorized", note: "no key, or a wrong one".to_owned() }
    }
}

/// What somebody sent, short enough for a line.
fn quoted(text: &str) -> String {
    format!("`{}`", text.chars().take(60).collect::<String>())
}

impl Doors {
    /// The routes behind the doors.
    pub fn guard(self, router: Router) -> Router {
        router.layer(from_fn_with_state(Arc::new(self), enter))
    }

    /// The doors in their order: none of them looks at the body.
    fn judge(&self, parts: &Parts) -> Result<(), Refused> {
        // What follows a CONNECT is not for this server, and TRACE shows what others sent.
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Refused::method(&parts.method));
        }
        self.hosts.check(parts)?;
        origin::check(parts, &self.hosts)?;
        self.key.as_ref().map_or(Ok(()), |key| key.check(parts))
    }

    async fn answer(&self, parts: Parts, body: Body, next: Next) -> Response {
        if let Err(refused) = self.judge(&parts) {
            (self.hear)(Note::Refused(format!("{} ({})", refused.note, refused.status.as_u16())));
            let answer = ErrorResponse::Detail(refused.status, refused.detail.to_owned());
            // Whatever else comes on this connection is not read.
            return ([(header::CONNECTION, "close")], answer).into_response();
        }
        match body::read(&parts, body, &self.room).await {
            Ok(body) => next.run(Request::from_parts(parts, body)).await,
            Err(refusal) => refusal.into_response(),
        }
    }
}

async fn enter(State(doors): State<Arc<Doors>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.clone(), parts.uri.to_string());
    let mut answer = doors.answer(parts, body, next).await;
    if let Some(bug) = answer.extensions_mut().remove::<InternalError>() {
        (doors.hear)(Note::Failed { method: method.clone(), path: path.clone(), bug });
    }
    let answer = if doors.honours_keys { declare(answer) } else { answer };
    (doors.hear)(Note::Answered { method, path, status: answer.status(), took: began.elapsed() });
    answer
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").field("hosts", &self.hosts).field("key", &self.key).finish_non_exhaustive()
    }
}
