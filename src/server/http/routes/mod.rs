//! The routing table and the helpers of the handlers. Each path is served with and without a slash at its end, so that
//! clients need not follow redirects.

mod accept;
mod agents;
mod cancel;
mod large_message;
mod message_list;
mod messages;
mod meta;
mod payload;
mod redirect;
mod run_output;
mod run_stream;
mod runs;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use futures_util::FutureExt;
use serde_json::Value;

use super::access::MAX_BODY_BYTES;
use super::error_response::ErrorResponse;
use super::idempotency_headers::mark_supported;
use super::internal_error::InternalError;
use super::validate::{Params, ValidationError};
use crate::model::{AgentId, RunId};
use crate::server::Behaviour;
use crate::server::engine::Engine;
use crate::server::store::{PageRequest, StoreError};
use crate::server::types::order::SortOrder;

/// The result of a handler that responds with JSON.
type JsonResult = Result<axum::Json<Value>, ErrorResponse>;

/// All routes of the API, over an engine.
pub fn router(engine: Arc<Engine>) -> Router {
    let behaviour = engine.behaviour;
    let add = |router, (path, methods)| add_path(router, path, methods, behaviour);
    let routes = table()
        .into_iter()
        .fold(Router::new(), add)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(catch_panic))
        .with_state(engine);
    if behaviour.ignores_keys() {
        routes
    } else {
        routes.layer(map_response(|response| async { mark_supported(response) }))
    }
}

/// Every path without its prefix, in the form that the real server uses.
fn table() -> Vec<(&'static str, Methods)> {
    vec![
        ("/health/", get(meta::health)),
        ("/ready/", get(meta::health)),
        ("/models/", get(meta::models)),
        ("/models/embedding", get(meta::embedding)),
        ("/agents/", get(agents::list).post(agents::create)),
        ("/agents/count", get(agents::count)),
        ("/agents/{agent_id}", get(agents::get).patch(agents::change).delete(agents::delete)),
        ("/agents/{agent_id}/messages", get(messages::of_agent).post(run_output::send_and_wait)),
        ("/agents/{agent_id}/messages/async", post(messages::send_async)),
        ("/agents/{agent_id}/messages/stream", post(run_output::send_and_stream)),
        ("/agents/{agent_id}/messages/cancel", post(cancel::of_agent)),
        ("/conversations/{conversation_id}/cancel", post(cancel::of_conversation)),
        ("/runs/", get(runs::list)),
        ("/runs/active", get(runs::active)),
        ("/runs/{run_id}", get(runs::get).delete(runs::delete)),
        ("/runs/{run_id}/messages", get(messages::of_run)),
        ("/runs/{run_id}/usage", get(runs::usage)),
        ("/runs/{run_id}/steps", get(runs::steps)),
        ("/runs/{run_id}/metrics", get(runs::metrics)),
        ("/runs/{run_id}/trace", get(meta::trace)),
        ("/runs/{run_id}/stream", post(run_output::join_stream)),
    ]
}

/// The handlers of one path, by method.
type Methods = MethodRouter<Arc<Engine>>;

/// The prefixes of the API.
const PREFIXES: [&str; 2] = ["/v1", "/latest"];

/// Adds a path under each of `PREFIXES`, with and without a slash at its end. If the behaviour redirects slashes, the form
/// that `path` does not have only redirects.
fn add_path(router: Router<Arc<Engine>>, path: &str, methods: Methods, behaviour: Behaviour) -> Router<Arc<Engine>> {
    let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    let other_methods = if behaviour.redirects_slashes() { any(redirect::to_the_other_form) } else { methods.clone() };
    PREFIXES.iter().fold(router, |router, prefix| {
        let router = router.route(&format!("{prefix}{path}"), methods.clone());
        router.route(&format!("{prefix}{other}"), other_methods.clone())
    })
}

async fn not_found() -> ErrorResponse {
    ErrorResponse::not_found("Not Found")
}

async fn method_not_allowed() -> ErrorResponse {
    ErrorResponse::Detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned())
}

/// Turns a panic of a handler into a 500.
async fn catch_panic(request: Request, next: Next) -> Response {
    let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    response.unwrap_or_else(|payload| InternalError::panic(&*payload).into_response())
}

/// Parses an agent id of a path.
fn agent_id(text: &str) -> Result<AgentId, ValidationError> {
    text.parse().map_err(|_| ValidationError::agent_id(text))
}

/// Parses a run id of a path, in any form that the API documents except the old `job-…`.
fn run_id(text: &str) -> Result<String, ErrorResponse> {
    let detail = || format!("INVALID_ARGUMENT: Invalid run ID format: {text}. Expected format: 'run-<uuid4>'");
    let id = text.parse::<RunId>().ok().filter(|_| text.starts_with("run-"));
    id.map(|id| id.to_string()).ok_or_else(|| ErrorResponse::bad_request(detail()))
}

fn no_such_run(engine: &Engine, id: &str) -> ErrorResponse {
    ErrorResponse::missing("Run", id, engine.behaviour)
}

/// Reads the page of a list from its query; `max` bounds `limit`.
fn page(
    engine: &Engine,
    params: &Params,
    limit: i64,
    max: Option<i64>,
    order: SortOrder,
) -> Result<PageRequest, ErrorResponse> {
    let text = |key| params.text(key).map(str::to_owned);
    let is_negative = text("limit").is_some_and(|limit| limit.parse::<i64>().is_ok_and(i64::is_negative));
    if is_negative && max.is_none() && engine.behaviour.negative_limit_is_internal_error() {
        return Err(ErrorResponse::Detail(StatusCode::INTERNAL_SERVER_ERROR, "A database error occurred.".to_owned()));
    }
    Ok(PageRequest {
        limit: params.limit(limit, max)?,
        order: params.order(order)?,
        after: text("after"),
        before: text("before"),
        name: text("name"),
        query_text: text("query_text"),
        tags: params.all("tags").map(str::to_owned).collect(),
        all_tags: params.flag("match_all_tags")?.unwrap_or_default(),
    })
}

/// Turns an unknown cursor into a 404.
fn check_cursor<T>(found: Result<T, String>, what: &str, agent: &str) -> Result<T, ErrorResponse> {
    found.map_err(|cursor| ErrorResponse::not_found(format!("No {what} found with id '{cursor}' for agent '{agent}'.")))
}

/// Returns the row, or the error if it does not exist.
fn required<T>(
    row: Result<Option<T>, StoreError>,
    missing: impl FnOnce() -> ErrorResponse,
) -> Result<T, ErrorResponse> {
    row?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;
    use crate::server::MemoryBudget;
    use crate::server::http::access::{AccessEvent, AccessRules, Hosts};

    #[tokio::test]
    async fn a_panic_of_a_handler_is_a_500_and_an_event_with_the_same_id() {
        async fn faulty() -> StatusCode {
            panic!("on {}", "purpose")
        }
        let (sender, events) = std::sync::mpsc::channel();
        let router: Router = Router::new().route("/{id}", get(faulty)).layer(from_fn(catch_panic));
        let router = AccessRules {
            hosts: Hosts::new(80, &[]),
            key: None,
            idempotency_supported: true,
            memory: MemoryBudget::default(),
            observer: Arc::new(move |event| sender.send(event).expect("a receiver")),
        }
        .guard(router);
        let request = Request::builder().uri("/7").header("host", "localhost:80").body(Body::empty());
        let answer = router.oneshot(request.expect("a request")).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["detail"], "An unknown error occurred");
        match events.recv().expect("an event") {
            AccessEvent::Failed { method, path, error } => {
                assert_eq!(
                    (method.as_str(), path.as_str(), error.message.as_str()),
                    ("GET", "/7", "panicked: on purpose")
                );
                assert_eq!(body["error_id"], error.id);
            }
            other => panic!("{other:?}"),
        }
    }
}
