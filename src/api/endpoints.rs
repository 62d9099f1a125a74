//! A method per endpoint. It retries as usual unless its comment says "one try".

use super::Client;
use super::error::ApiError;
use super::exchange::{Answer, Call};
use crate::core::pages::{Cursor, Order, PageReader};
use crate::core::retry::Intent;
use crate::model::{AgentId, Document, Message, Run, RunId};

/// The query of `GET /v1/runs/`.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Runs of this agent.
    pub agent_id: Option<String>,
    /// Runs that have not ended.
    pub active: Active,
    /// Runs with one of these statuses; any status if empty.
    pub statuses: Vec<String>,
    /// Runs with this stop reason.
    pub stop_reason: Option<String>,
    /// The largest number of runs of a page, up to 1000.
    pub limit: usize,
    /// The position of the page in the list.
    pub cursor: Option<Cursor>,
}

/// A filter for runs that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Active {
    /// No filter.
    #[default]
    Any,
    /// `statuses=created&statuses=running`.
    ByStatus,
    /// `active=true`, for servers that reject `statuses`.
    ByFlag,
}

impl Client {
    /// `GET /v1/runs/{run_id}`, one try.
    pub async fn run_once(&self, id: &RunId) -> Result<Run, ApiError> {
        let call = Call::get(format!("/runs/{id}"));
        let answer = self.exchange(&call).await?;
        self.requested_run(&call, &answer, id)
    }

    /// `GET /v1/runs/{run_id}`.
    pub async fn run(&self, id: &RunId) -> Result<Run, ApiError> {
        let call = Call::get(format!("/runs/{id}"));
        let read = |answer: &Answer| self.requested_run(&call, answer, id);
        self.decode_with_retries(&call, read).await
    }

    /// `GET /v1/runs/`, one try.
    pub async fn runs_once(&self, filter: &RunFilter) -> Result<Vec<Run>, ApiError> {
        let call = list_call(filter);
        let answer = self.exchange(&call).await?;
        self.runs_in(&call, &answer)
    }

    /// `GET /v1/runs/`.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, ApiError> {
        let call = list_call(filter);
        self.decode_with_retries(&call, |answer| self.runs_in(&call, answer)).await
    }

    /// `GET /v1/runs/{run_id}/messages`, oldest first, all pages. `after` selects the messages that follow that one.
    pub async fn messages(&self, id: &RunId, after: Option<&str>) -> Result<Vec<Message>, ApiError> {
        let mut pages = PageReader::new(Order::Other).with_exact_pages().starting_after(after);
        let mut all = Vec::new();
        while !pages.is_over() {
            let page = self.messages_page(id, pages.cursor()).await?;
            all.extend(pages.take(page, MESSAGES_PAGE));
        }
        Ok(all)
    }

    async fn messages_page(&self, id: &RunId, cursor: Option<Cursor>) -> Result<Vec<Message>, ApiError> {
        let mut call = Call::get(format!("/runs/{id}/messages")).list();
        call = call.query("order", "asc").query("limit", MESSAGES_PAGE.to_string());
        call = call.cursor(cursor.as_ref());
        let documents = self.decode_with_retries(&call, |answer| self.documents_in(&call, answer)).await?;
        Ok(documents.into_iter().map(Message::new).collect())
    }

    /// `GET /v1/agents/{agent_id}/messages`: the first page after a message, or the newest page.
    pub async fn agent_messages(&self, agent: &AgentId, after: Option<&str>) -> Result<Vec<Message>, ApiError> {
        let call = Call::get(format!("/agents/{agent}/messages")).list().query("limit", "100");
        let call = match after {
            Some(after) => call.query("order", "asc").query("after", after),
            None => call.query("order", "desc"),
        };
        Ok(self.documents(call).await?.into_iter().map(Message::new).collect())
    }

    /// `GET /v1/runs/{run_id}/metrics`, one try.
    pub async fn metrics(&self, id: &RunId) -> Result<Document, ApiError> {
        let call = Call::get(format!("/runs/{id}/metrics"));
        let answer = self.exchange(&call).await?;
        self.document_in(&call, &answer)
    }

    /// `GET /v1/runs/{run_id}/usage`, one try.
    pub async fn usage(&self, id: &RunId) -> Result<Document, ApiError> {
        let call = Call::get(format!("/runs/{id}/usage"));
        let answer = self.exchange(&call).await?;
        self.document_in(&call, &answer)
    }

    /// `GET /v1/runs/{run_id}/steps`, newest first, one try.
    pub async fn steps(&self, id: &RunId) -> Result<Vec<Document>, ApiError> {
        let call = Call::get(format!("/runs/{id}/steps")).list();
        let answer = self.exchange(&call).await?;
        self.documents_in(&call, &answer)
    }

    /// `GET /v1/runs/{run_id}/steps`, oldest first, with retries.
    pub async fn all_steps(&self, id: &RunId) -> Result<Vec<Document>, ApiError> {
        let call = Call::get(format!("/runs/{id}/steps")).list();
        self.documents(call.query("order", "asc").query("limit", "1000")).await
    }

    /// `GET /v1/agents/`: all agents, or those with this name.
    pub async fn agents(&self, name: Option<&str>) -> Result<Vec<Document>, ApiError> {
        let mut call = Call::get("/agents/").list().query("limit", "1000");
        if let Some(name) = name {
            call = call.query("name", name);
        }
        self.documents(call).await
    }

    /// `GET /v1/agents/?limit=1`: checks that the server accepts the key.
    pub async fn check_key(&self) -> Result<(), ApiError> {
        self.documents(Call::get("/agents/").list().query("limit", "1")).await.map(drop)
    }

    /// `GET /v1/agents/{agent_id}`.
    pub async fn agent(&self, id: &AgentId) -> Result<Document, ApiError> {
        self.document(Call::get(format!("/agents/{id}"))).await
    }

    /// `POST /v1/agents/`.
    pub async fn create_agent(&self, body: String) -> Result<Document, ApiError> {
        self.document(Call::post("/agents/", body)).await
    }

    /// `POST /v1/agents/{agent_id}/messages/cancel` for these runs. It is idempotent.
    ///
    /// The answer does not prove that a run was cancelled: it is `cancelled` also for runs that ended before.
    pub async fn cancel(&self, agent: &AgentId, runs: &[RunId]) -> Result<(), ApiError> {
        let ids: Vec<&str> = runs.iter().map(RunId::as_str).collect();
        let body = serde_json::json!({ "run_ids": ids }).to_string();
        let mut call = Call::post(format!("/agents/{agent}/messages/cancel"), body);
        call.intent = Intent::Read;
        self.exchange_with_retries(&call).await.map(drop)
    }

    /// `DELETE /v1/agents/{agent_id}`. It is idempotent.
    pub async fn delete_agent(&self, id: &AgentId) -> Result<(), ApiError> {
        let mut call = Call::get(format!("/agents/{id}"));
        call.method = http::Method::DELETE;
        self.exchange_with_retries(&call).await.map(drop)
    }

    async fn document(&self, call: Call) -> Result<Document, ApiError> {
        self.decode_with_retries(&call, |answer| self.document_in(&call, answer)).await
    }

    async fn documents(&self, call: Call) -> Result<Vec<Document>, ApiError> {
        self.decode_with_retries(&call, |answer| self.documents_in(&call, answer)).await
    }

    fn requested_run(&self, call: &Call, answer: &Answer, id: &RunId) -> Result<Run, ApiError> {
        let run = self.run_in(call, answer)?;
        if run.id() == id {
            return Ok(run);
        }
        Err(self.unreadable(call, answer, &format!("it is about {}", run.id())))
    }
}

/// The number of messages requested at once.
const MESSAGES_PAGE: usize = 1000;

fn list_call(filter: &RunFilter) -> Call {
    let mut call = Call::get("/runs/").list().query("limit", filter.limit.to_string());
    match filter.active {
        Active::Any => {}
        Active::ByStatus => call = call.query("statuses", "created").query("statuses", "running"),
        Active::ByFlag => call = call.query("active", "true"),
    }
    if let Some(agent) = &filter.agent_id {
        call = call.query("agent_id", agent);
    }
    if let Some(reason) = &filter.stop_reason {
        call = call.query("stop_reason", reason);
    }
    let call = filter.statuses.iter().fold(call, |call, status| call.query("statuses", status));
    call.cursor(filter.cursor.as_ref())
}

/// Returns `None` if the server does not have the endpoint.
pub fn optional<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Err(error) if is_missing(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// Returns whether the server does not have the endpoint. Small servers lack some.
pub fn is_missing(error: &ApiError) -> bool {
    matches!(error.status, Some(404 | 405 | 501)) && error.intent == Intent::Read
}
