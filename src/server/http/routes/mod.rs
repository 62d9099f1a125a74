//! The routes. Each path answers with and without a slash at its end, so that nobody is redirected.

mod accept;
mod agents;
mod answer;
mod cancel;
mod large;
mod listening;
mod listing;
mod messages;
mod meta;
mod payload;
mod redirect;
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

use super::access::MOST_BYTES;
use super::error_response::ErrorResponse;
use super::idempotency_headers::declare;
use super::internal_error::InternalError;
use super::validate::{Fault, Params};
use crate::model::{AgentId, RunId};
use crate::server::Manners;
use crate::server::engine::Engine;
use crate::server::store::{Page, StoreError};
use crate::server::types::order::Order;

/// What a handler answers: a JSON body, or why there is none.
type Answer = Result<axum::Json<Value>, ErrorResponse>;

/// Everything the API has.
pub fn router(engine: Arc<Engine>) -> Router {
    let manners = engine.manners;
    let both = |router, (path, route)| both_forms(router, path, route, manners);
    let routes = table()
        .into_iter()
        .fold(Router::new(), both)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(catch_panic))
        .with_state(engine);
    if manners.ignores_keys() { routes } else { routes.layer(map_response(|answer| async { declare(answer) })) }
}

/// Every path behind its prefix, in the form that the real server has.
fn table() -> Vec<(&'static str, Routes)> {
    vec![
        ("/health/", get(meta::health)),
        ("/ready/", get(meta::health)),
        ("/models/", get(meta::models)),
        ("/models/embedding", get(meta::embedding)),
        ("/agents/", get(agents::list).post(agents::create)),
        ("/agents/count", get(agents::count)),
        ("/agents/{agent_id}", get(agents::get).patch(agents::change).delete(agents::delete)),
        ("/agents/{agent_id}/messages", get(messages::of_agent).post(answer::wait)),
        ("/agents/{agent_id}/messages/async", post(messages::send)),
        ("/agents/{agent_id}/messages/stream", post(answer::stream)),
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
        ("/runs/{run_id}/stream", post(answer::join)),
    ]
}

/// Routes of one path.
type Routes = MethodRouter<Arc<Engine>>;

/// The prefixes under which the API answers.
const PREFIXES: [&str; 2] = ["/v1", "/latest"];

/// Adds a path in both of its forms, under each prefix.
fn both_forms(router: Router<Arc<Engine>>, path: &str, routes: Routes, manners: Manners) -> Router<Arc<Engine>> {
    let other = path.strip_suffix('/').map_or_else(|| format!("{path}/"), str::to_owned);
    let there = if manners.redirects_slashes() { any(redirect::to_the_other_form) } else { routes.clone() };
    PREFIXES.iter().fold(router, |router, prefix| {
        let router = router.route(&format!("{prefix}{path}"), routes.clone());
        router.route(&format!("{prefix}{other}"), there.clone())
    })
}

async fn not_found() -> ErrorResponse {
    ErrorResponse::not_found("Not Found")
}

async fn method_not_allowed() -> ErrorResponse {
    ErrorResponse::Detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned())
}

/// A handler that panics is a bug, but not one that ends the process.
async fn catch_panic(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|left| InternalError::panic(&*left).into_response())
}

/// An agent id from a path.
fn agent_id(text: &str) -> Result<AgentId, Fault> {
    text.parse().map_err(|_| Fault::agent_id(text))
}

/// A run id from a path, in any form that the API documents but the old `job-` one.
fn run_id(text: &str) -> Result<String, ErrorResponse> {
    let words = || format!("INVALID_ARGUMENT: Invalid run ID format: {text}. Expected format: 'run-<uuid4>'");
    let id = text.parse::<RunId>().ok().filter(|_| text.starts_with("run-"));
    id.map(|id| id.to_string()).ok_or_else(|| ErrorResponse::bad_request(words()))
}

fn no_such_run(engine: &Engine, id: &str) -> ErrorResponse {
    ErrorResponse::missing("Run", id, engine.manners)
}

/// The page that a query asks for.
fn page(engine: &Engine, params: &Params, limit: i64, most: Option<i64>, order: Order) -> Result<Page, ErrorResponse> {
    let text = |key| params.text(key).map(str::to_owned);
    let negative = text("limit").is_some_and(|limit| limit.parse::<i64>().is_ok_and(i64::is_negative));
    if negative && most.is_none() && engine.manners.raises_over_limits() {
        return Err(ErrorResponse::Detail(StatusCode::INTERNAL_SERVER_ERROR, "A database error occurred.".to_owned()));
    }
    Ok(Page {
        limit: params.limit(limit, most)?,
        order: params.order(order)?,
        after: text("after"),
        before: text("before"),
        name: text("name"),
        query_text: text("query_text"),
        tags: params.all("tags").map(str::to_owned).collect(),
        all_tags: params.flag("match_all_tags")?.unwrap_or_default(),
    })
}

impl From<Fault> for ErrorResponse {
    fn from(fault: Fault) -> Self {
        Self::Invalid(vec![fault])
    }
}

/// Turns a cursor that no row has into a 404.
fn known<T>(found: Result<T, String>, what: &str, agent: &str) -> Result<T, ErrorResponse> {
    found.map_err(|cursor| ErrorResponse::not_found(format!("No {what} found with id '{cursor}' for agent '{agent}'.")))
}

/// A row that has to be there.
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
    use crate::server::http::access::{Doors, Hosts, Note};

    #[tokio::test]
    async fn a_handler_that_panics_is_a_500_with_a_number_under_which_the_log_has_it() {
        async fn faulty() -> StatusCode {
            panic!("on {}", "purpose")
        }
        let (hear, heard) = std::sync::mpsc::channel();
        let router: Router = Router::new().route("/{id}", get(faulty)).layer(from_fn(catch_panic));
        let router = Doors {
            hosts: Hosts::new(80, &[]),
            key: None,
            honours_keys: true,
            room: MemoryBudget::default(),
            hear: Arc::new(move |note| hear.send(note).expect("a listener")),
        }
        .guard(router);
        let request = Request::builder().uri("/7").header("host", "localhost:80").body(Body::empty());
        let answer = router.oneshot(request.expect("a request")).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(body["detail"], "An unknown error occurred");
        match heard.recv().expect("a note") {
            Note::Failed { method, path, bug } => {
                assert_eq!((method.as_str(), path.as_str(), bug.what.as_str()), ("GET", "/7", "panicked: on purpose"));
                assert_eq!(body["error_id"], bug.id);
            }
            other => panic!("{other:?}"),
        }
    }
}
