//! Routes of runs: list, get, usage, metrics, steps, delete.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{JsonResult, check_cursor, no_such_run, page, required, run_id};
use crate::model::RunStatus;
use crate::server::Behaviour;
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::http::validate::Params;
use crate::server::render::{self, RunView};
use crate::server::store::lists::{self, RunListFilter};
use crate::server::store::runs::RunRow;
use crate::server::store::{PageRequest, runs, steps};
use crate::server::types::order::SortOrder;
use crate::server::types::run_kind::RunKind;

/// The statuses of an open run.
const OPEN: [RunStatus; 2] = [RunStatus::Created, RunStatus::Running];

/// The stop reasons, in the order in which the real server's validation errors list them.
const STOP_REASONS: &[&str] = &[
    "end_turn",
    "error",
    "llm_api_error",
    "invalid_llm_response",
    "invalid_tool_call",
    "max_steps",
    "max_tokens_exceeded",
    "no_tool_call",
    "tool_rule",
    "cancelled",
    "insufficient_credits",
    "requires_approval",
    "context_window_overflow_in_system_prompt",
];

/// A response with runs. Not [`JsonResult`], since runs are serialized without a `Value`.
type RunsResult = Result<Response, ErrorResponse>;

/// `GET /v1/runs/`
pub async fn list(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> RunsResult {
    let params = Params::new(query.as_deref());
    let mut page = page(&engine, &params, 100, Some(1000), SortOrder::Descending)?;
    params.word("order_by", "literal_error", &["created_at"])?;
    if engine.behaviour.swaps_run_cursors() {
        std::mem::swap(&mut page.after, &mut page.before);
    }
    let filter = filter(&params)?;
    // All runs of this server are in the default conversation of their agent, which has no id.
    if params.text("conversation_id").is_some() {
        return Ok(Json(json!([])).into_response());
    }
    respond_with(&engine, filter, page).await
}

/// `GET /v1/runs/active`
pub async fn active(State(engine): State<Arc<Engine>>, RawQuery(query): RawQuery) -> RunsResult {
    let params = Params::new(query.as_deref());
    let agents = params.text("agent_id").map(str::to_owned).into_iter().collect();
    let filter = RunListFilter { agents, kinds: kinds(&params)?, statuses: words(&OPEN), stop_reason: None };
    respond_with(&engine, filter, PageRequest::first(100, SortOrder::Descending)).await
}

async fn respond_with(engine: &Engine, filter: RunListFilter, page: PageRequest) -> RunsResult {
    let rows = engine.db.read(move |tx| lists::runs(tx, &filter, &page)).await?;
    let runs: Vec<RunView<'_>> = rows.iter().map(|run| RunView::in_list(run, engine.behaviour)).collect();
    Ok(Json(runs).into_response())
}

/// A response with one run.
fn respond_with_one(run: &RunRow, behaviour: Behaviour) -> Response {
    Json(RunView::single(run, behaviour)).into_response()
}

fn filter(params: &Params) -> Result<RunListFilter, ErrorResponse> {
    let agents = match params.text("agent_id") {
        Some(agent) => vec![agent.to_owned()],
        None => params.all("agent_ids").map(str::to_owned).collect(),
    };
    Ok(RunListFilter {
        agents,
        kinds: kinds(params)?,
        statuses: statuses(params)?,
        stop_reason: params.word("stop_reason", "enum", STOP_REASONS)?.map(str::to_owned),
    })
}

fn kinds(params: &Params) -> Result<Vec<String>, ErrorResponse> {
    Ok(params.flag("background")?.map(RunKind::words).unwrap_or_default())
}

fn statuses(params: &Params) -> Result<Vec<String>, ErrorResponse> {
    let given: Vec<String> = params.all("statuses").map(str::to_owned).collect();
    if let Some(bad) = given.iter().find(|word| matches!(RunStatus::from(word.as_str()), RunStatus::Unknown(_))) {
        return Err(ErrorResponse::bad_request(format!("'{bad}' is not a valid RunStatus")));
    }
    let active = given.is_empty() && params.flag("active")? == Some(true);
    Ok(if active { words(&OPEN) } else { given })
}

fn words(statuses: &[RunStatus]) -> Vec<String> {
    statuses.iter().map(|status| status.as_str().to_owned()).collect()
}

/// `GET /v1/runs/{run_id}`
pub async fn get(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> RunsResult {
    let id = run_id(&id)?;
    let run = required(engine.db.glance(|connection| runs::get(connection, &id)), || no_such_run(&engine, &id))?;
    Ok(respond_with_one(&run, engine.behaviour))
}

/// `GET /v1/runs/{run_id}/usage`
pub async fn usage(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> JsonResult {
    Ok(Json(render::usage(with_usage(&engine, &id)?.1)))
}

/// `GET /v1/runs/{run_id}/metrics`
pub async fn metrics(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> JsonResult {
    let (run, usage) = with_usage(&engine, &id)?;
    Ok(Json(render::metrics(&run, usage)))
}

/// Reads a run and its usage in one snapshot.
fn with_usage(engine: &Engine, id: &str) -> Result<(RunRow, steps::Usage), ErrorResponse> {
    let id = run_id(id)?;
    let found = engine.db.peek(|tx| {
        let usage = steps::usage(tx, &id)?;
        Ok(runs::get(tx, &id)?.map(|run| (run, usage)))
    });
    required(found, || no_such_run(engine, &id))
}

/// `GET /v1/runs/{run_id}/steps`
pub async fn steps(State(engine): State<Arc<Engine>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> JsonResult {
    let id = run_id(&id)?;
    let page = page(&engine, &Params::new(query.as_deref()), 100, None, SortOrder::Descending)?;
    let wanted = id.clone();
    let found = engine.db.read(move |tx| match runs::get(tx, &wanted)? {
        Some(_) => steps::list(tx, &wanted, &page).map(Some),
        None => Ok(None),
    });
    let rows = check_cursor(required(found.await, || no_such_run(&engine, &id))?, "step", "None")?;
    Ok(Json(rows.iter().map(render::step).collect()))
}

/// `DELETE /v1/runs/{run_id}`: responds with the deleted run.
pub async fn delete(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> RunsResult {
    let id = run_id(&id)?;
    if engine.behaviour.cannot_delete_runs() {
        return Err(ErrorResponse::emulated_failure());
    }
    let wanted = id.clone();
    let deleted = engine.db.write(move |tx| runs::delete(tx, &wanted)).await;
    let run = required(deleted, || no_such_run(&engine, &id))?;
    engine.abort(&id);
    Ok(respond_with_one(&run, engine.behaviour))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::StopReason;

    #[test]
    fn runs_can_be_filtered_by_every_known_stop_reason() {
        assert_eq!(STOP_REASONS.len(), StopReason::KNOWN.len());
        assert!(StopReason::KNOWN.iter().all(|reason| STOP_REASONS.contains(&reason.as_str())));
    }
}
