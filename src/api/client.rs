//! A method per endpoint, with the ordinary retries.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::value::RawValue;

use super::error::{ApiError, Kind};
use super::exchange::{Answer, Call};
use super::retrying::{Date, Listener};
use super::transport::Transport;
use crate::core::bucket::Bucket;
use crate::core::paging::Cursor;
use crate::core::retry::Intent;
use crate::model::{AgentId, Document, Message, Run, RunId};

/// The API of one server.
#[derive(Clone)]
pub struct Client {
    pub(super) transport: Transport,
    /// The server's name for messages, with the origin of its address.
    pub(super) server: String,
    pub(super) listener: Listener,
    /// The retries that are left to this process.
    pub(super) bucket: Rc<RefCell<Bucket>>,
    /// An answer said that the server honours `Idempotency-Key`.
    pub(super) honours_keys: Rc<Cell<bool>>,
    /// The last `Date` that the server sent.
    pub(super) date: Rc<Cell<Option<Date>>>,
}

/// What `GET /v1/runs/` is asked for.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Runs of this agent.
    pub agent_id: Option<String>,
    /// `created` and `running`.
    pub active: Active,
    /// Runs with one of these statuses; any where there is none.
    pub statuses: Vec<String>,
    /// Runs that stopped for this reason.
    pub stop_reason: Option<String>,
    /// How many at most, up to 1000.
    pub limit: usize,
    /// Where the page begins.
    pub cursor: Option<Cursor>,
}

/// How a list is confined to runs that have not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Active {
    /// Not at all.
    #[default]
    Any,
    /// `statuses=created&statuses=running`.
    ByStatus,
    /// `active=true`, for servers that refuse the above.
    ByFlag,
}

impl Client {
    /// The API behind a transport. `origin` says where the address came from.
    pub fn new(transport: Transport, origin: &str, listener: Listener) -> Self {
        let name = transport.name();
        let server = if origin.is_empty() { name } else { format!("{name} (from {origin})") };
        let (bucket, honours_keys, date) = Default::default();
        Self { transport, server, listener, bucket, honours_keys, date }
    }

    /// The server's name for messages.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `GET /v1/runs/{run_id}`, one try.
    pub async fn look(&self, id: &RunId) -> Result<Run, ApiError> {
        let call = Call::get(format!("/runs/{id}"));
        let answer = self.exchange(&call).await?;
        self.asked_run(&call, &answer, id)
    }

    /// `GET /v1/runs/{run_id}`.
    pub async fn run(&self, id: &RunId) -> Result<Run, ApiError> {
        let call = Call::get(format!("/runs/{id}"));
        let read = |answer: &Answer| self.asked_run(&call, answer, id);
        self.ask_for(&call, read).await
    }

    /// `GET /v1/runs/`, one try.
    pub async fn look_at_runs(&self, filter: &RunFilter) -> Result<Vec<Run>, ApiError> {
        let call = list_call(filter);
        let answer = self.exchange(&call).await?;
        self.runs_in(&call, &answer)
    }

    /// `GET /v1/runs/`.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, ApiError> {
        let call = list_call(filter);
        self.ask_for(&call, |answer| self.runs_in(&call, answer)).await
    }

    /// `GET /v1/runs/{run_id}/messages`, oldest first, all pages. `after`: only what follows that message.
    pub async fn messages(&self, id: &RunId, after: Option<&str>) -> Result<Vec<Message>, ApiError> {
        let mut all: Vec<Message> = Vec::new();
        let mut cursor = after.map(str::to_owned);
        loop {
            let page = self.messages_page(id, cursor.as_deref()).await?;
            let full = page.len() >= MESSAGES_PAGE;
            let last = page.last().and_then(|message| message.document().text("id")).map(str::to_owned);
            let fresh: Vec<Message> = page.into_iter().filter(|message| !all.contains(message)).collect();
            // A server without cursors answers with the first page for ever.
            if fresh.is_empty() || !full || last.is_none() || last == cursor {
                all.extend(fresh);
                return Ok(all);
            }
            all.extend(fresh);
            cursor = last;
        }
    }

    async fn messages_page(&self, id: &RunId, after: Option<&str>) -> Result<Vec<Message>, ApiError> {
        let mut call = Call::get(format!("/runs/{id}/messages")).list();
        call = call.query("order", "asc").query("limit", MESSAGES_PAGE.to_string());
        if let Some(after) = after {
            call = call.query("after", after);
        }
        let documents = self.ask_for(&call, |answer| self.documents_in(&call, answer)).await?;
        Ok(documents.into_iter().map(Message::new).collect())
    }

    /// `GET /v1/agents/{agent_id}/messages`: the first page behind a message, or the newest page.
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

    /// `GET /v1/runs/{run_id}/steps`, oldest first, with the ordinary retries.
    pub async fn all_steps(&self, id: &RunId) -> Result<Vec<Document>, ApiError> {
        let call = Call::get(format!("/runs/{id}/steps")).list();
        self.documents(call.query("order", "asc").query("limit", "1000")).await
    }

    /// `GET /v1/agents/`: agents, or those with this name.
    pub async fn agents(&self, name: Option<&str>) -> Result<Vec<Document>, ApiError> {
        let mut call = Call::get("/agents/").list().query("limit", "1000");
        if let Some(name) = name {
            call = call.query("name", name);
        }
        self.documents(call).await
    }

    /// `GET /v1/agents/?limit=1`: whether the server lets one in.
    pub async fn knock(&self) -> Result<(), ApiError> {
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

    /// `POST /v1/agents/{agent_id}/messages/cancel` for these runs. Cancelling twice cancels once: it may be repeated.
    ///
    /// The answer proves nothing: it says `cancelled` for runs that ended long before, too.
    pub async fn cancel(&self, agent: &AgentId, runs: &[RunId]) -> Result<(), ApiError> {
        let ids: Vec<&str> = runs.iter().map(RunId::as_str).collect();
        let body = serde_json::json!({ "run_ids": ids }).to_string();
        let mut call = Call::post(format!("/agents/{agent}/messages/cancel"), body);
        call.intent = Intent::Read;
        self.ask(&call).await.map(drop)
    }

    /// `DELETE /v1/agents/{agent_id}`. Deleting twice deletes once: it may be repeated.
    pub async fn delete_agent(&self, id: &AgentId) -> Result<(), ApiError> {
        let mut call = Call::get(format!("/agents/{id}"));
        call.method = http::Method::DELETE;
        self.ask(&call).await.map(drop)
    }

    async fn document(&self, call: Call) -> Result<Document, ApiError> {
        self.ask_for(&call, |answer| self.document_in(&call, answer)).await
    }

    async fn documents(&self, call: Call) -> Result<Vec<Document>, ApiError> {
        self.ask_for(&call, |answer| self.documents_in(&call, answer)).await
    }

    fn asked_run(&self, call: &Call, answer: &Answer, id: &RunId) -> Result<Run, ApiError> {
        let run = self.run_in(call, answer)?;
        if run.id() == id {
            return Ok(run);
        }
        Err(self.unreadable(call, answer, &format!("it is about {}", run.id())))
    }

    pub(super) fn run_in(&self, call: &Call, answer: &Answer) -> Result<Run, ApiError> {
        let document = self.document_in(call, answer)?;
        Run::from_document(document).map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    pub(super) fn runs_in(&self, call: &Call, answer: &Answer) -> Result<Vec<Run>, ApiError> {
        let runs: Result<Vec<Run>, _> = self.documents_in(call, answer)?.into_iter().map(Run::from_document).collect();
        runs.map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    fn document_in(&self, call: &Call, answer: &Answer) -> Result<Document, ApiError> {
        let text = answer.text().ok_or_else(|| self.unreadable(call, answer, "not UTF-8"))?;
        Document::parse(text).map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    pub(super) fn documents_in(&self, call: &Call, answer: &Answer) -> Result<Vec<Document>, ApiError> {
        let text = answer.text().ok_or_else(|| self.unreadable(call, answer, "not UTF-8"))?;
        let items: Vec<&RawValue> = serde_json::from_str(text)
            .map_err(|error| self.unreadable(call, answer, &format!("not a list: {error}")))?;
        let documents: Result<Vec<Document>, _> = items.iter().map(|item| Document::parse(item.get())).collect();
        documents.map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    /// The error for a 2xx that is not what this API answers. A page is named by its type and title.
    fn unreadable(&self, call: &Call, answer: &Answer, why: &str) -> ApiError {
        let kind = answer.content_type();
        let is_json = kind.contains("json");
        let title = crate::model::fault::Fault::parse(&String::from_utf8_lossy(&answer.body)).message;
        let page = if is_json || title.is_empty() { String::new() } else { format!(", \"{title}\"") };
        let (cause, status) = (format!("{} {kind}{page}: {why}", answer.status), Some(answer.status));
        ApiError {
            kind: Kind::Unreadable,
            cause,
            intent: call.intent,
            request: call.name(),
            server: self.server.clone(),
            status,
            tries: 1,
            elapsed: std::time::Duration::ZERO,
        }
    }
}

/// How many stored messages are asked for at once.
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
    match &filter.cursor {
        None => call,
        Some(Cursor::After(run)) => call.query("after", run.as_str()),
        Some(Cursor::Before(run)) => call.query("before", run.as_str()),
    }
}

/// What a server answers at an endpoint that small servers do not have: none there.
pub fn optional<T>(answer: Result<T, ApiError>) -> Result<Option<T>, ApiError> {
    match answer {
        Err(error) if is_missing(&error) => Ok(None),
        other => other.map(Some),
    }
}

/// Whether an error says that a server does not have an endpoint, as small servers do.
pub fn is_missing(error: &ApiError) -> bool {
    matches!(error.status, Some(404 | 405 | 501)) && error.intent == Intent::Read
}
