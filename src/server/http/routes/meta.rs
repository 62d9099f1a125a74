//! Routes about the server itself: health, models, and those that it does not implement.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{JsonResult, run_id};
use crate::server::engine::Engine;
use crate::server::http::error_response::ErrorResponse;
use crate::server::models;
use crate::server::models::providers::Provider;
use crate::server::render;
use crate::server::types::model_info::ModelInfo;

/// The version of the real server whose API this one implements.
const API_VERSION: &str = "0.16.8";

/// `GET /v1/health/`
pub async fn health() -> Json<Value> {
    Json(json!({"version": API_VERSION, "status": "ok"}))
}

/// `GET /v1/models/`
pub async fn models(State(engine): State<Arc<Engine>>) -> Json<Value> {
    let lists = engine.providers.all().iter().map(Provider::models);
    let endpoints = join_all(lists).await.into_iter().flatten();
    let built_in = models::HANDLES.iter().map(|handle| ModelInfo::named(handle));
    Json(built_in.chain(endpoints).map(|model| render::model(&model)).collect())
}

/// `GET /v1/models/embedding`
pub async fn embedding() -> Json<Value> {
    Json(json!([]))
}

/// `GET /v1/runs/{run_id}/trace`
pub async fn trace(Path(run): Path<String>) -> JsonResult {
    run_id(&run)?;
    let detail = "OTEL traces require ClickHouse. Set LETTA_CLICKHOUSE_ENDPOINT and configure ClickHouse connection.";
    Err(ErrorResponse::Detail(StatusCode::NOT_IMPLEMENTED, detail.to_owned()))
}
