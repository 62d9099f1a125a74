//! The routes: each path with and without a slash at its end, so that nobody is redirected.

mod agents;
mod cancel;
mod messages;
mod meta;
mod payload;
mod runs;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use futures_util::FutureExt;
use serde_json::Value;

use super::door::MOST_BYTES;
use super::engine::Engine;
use super::refusal::Refusal;
use super::store::{Page, StoreError};
use super::validate::{Fault, Order, Params};
use crate::model::{AgentId, RunId};

/// What a handler answers: a JSON body, or why there is none.
type Answer = Result<axum::Json<Value>, Refusal>;

/// Everything the API has.
pub(super) fn router(engine: Arc<Engine>) -> Router {
    let routes: [(&str, MethodRouter<Arc<Engine>>); 18] = [
        ("/v1/health", get(meta::health)),
        ("/v1/models", get(meta::models)),
        ("/v1/models/embedding", get(meta::embedding)),
        ("/v1/agents", get(agents::list).post(agents::create)),
        ("/v1/agents/count", get(agents::count)),
        ("/v1/agents/{agent_id}", get(agents::get).delete(agents::delete)),
        ("/v1/agents/{agent_id}/messages", get(messages::of_agent)),
        ("/v1/agents/{agent_id}/messages/async", post(messages::send)),
        ("/v1/agents/{agent_id}/messages/cancel", post(cancel::cancel)),
        ("/v1/runs", get(runs::list)),
        ("/v1/runs/active", get(runs::active)),
        ("/v1/runs/{run_id}", get(runs::get).delete(runs::delete)),
        ("/v1/runs/{run_id}/messages", get(messages::of_run)),
        ("/v1/runs/{run_id}/usage", get(runs::usage)),
        ("/v1/runs/{run_id}/steps", get(runs::steps)),
        ("/v1/runs/{run_id}/metrics", get(runs::metrics)),
        ("/v1/runs/{run_id}/trace", get(meta::trace)),
        ("/", get(not_found)),
    ];
    routes
        .into_iter()
        .fold(Router::new(), both_forms)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(catch_panic))
        .with_state(engine)
}

fn both_forms(router: Router<Arc<Engine>>, (path, route): (&str, MethodRouter<Arc<Engine>>)) -> Router<Arc<Engine>> {
    router.route(path, route.clone()).route(&format!("{path}/"), route)
}

async fn not_found() -> Refusal {
    Refusal::not_found("Not Found")
}

async fn method_not_allowed() -> Refusal {
    Refusal::Detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed".to_owned())
}

/// A handler that panics is a bug, but not one that ends the process.
async fn catch_panic(request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| Refusal::internal().into_response())
}

/// An agent id from a path.
fn agent_id(text: &str) -> Result<AgentId, Fault> {
    text.parse().map_err(|_| Fault::agent_id(text))
}

/// A run id from a path, in any form that the API documents but the old `job-` one.
fn run_id(text: &str) -> Result<String, Refusal> {
    let words = || format!("INVALID_ARGUMENT: Invalid run ID format: {text}. Expected format: 'run-<uuid4>'");
    let id = text.parse::<RunId>().ok().filter(|_| text.starts_with("run-"));
    id.map(|id| id.to_string()).ok_or_else(|| Refusal::bad_request(words()))
}

fn no_such_run(id: &str) -> Refusal {
    Refusal::not_found(format!("Run not found with id='{id}'"))
}

/// The page that a query asks for.
fn page(params: &Params, limit: i64, most: Option<i64>, order: Order) -> Result<Page, Fault> {
    let text = |key| params.text(key).map(str::to_owned);
    Ok(Page {
        limit: params.limit(limit, most)?,
        order: params.order(order)?,
        after: text("after"),
        before: text("before"),
        name: text("name"),
        query_text: text("query_text"),
        tags: params.all("tags").map(str::to_owned).collect(),
    })
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Invalid(vec![fault])
    }
}

/// Turns a cursor that no row has into a 404.
fn known<T>(found: Result<T, String>, what: &str) -> Result<T, Refusal> {
    found.map_err(|cursor| Refusal::not_found(format!("No {what} found with id '{cursor}'.")))
}

/// A row that has to be there.
fn required<T>(row: Result<Option<T>, StoreError>, missing: impl FnOnce() -> Refusal) -> Result<T, Refusal> {
    row?.ok_or_else(missing)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn a_handler_that_panics_is_a_500_and_nothing_more() {
        async fn faulty() -> StatusCode {
            panic!("on purpose")
        }
        let router: Router = Router::new().route("/", get(faulty)).layer(from_fn(catch_panic));
        let answer = router.oneshot(Request::new(Body::empty())).await.expect("infallible");
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
