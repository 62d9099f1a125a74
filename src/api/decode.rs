//! Decodes answers into runs and documents.

use std::time::Duration;

use serde_json::value::RawValue;

use super::Client;
use super::error::{ApiError, ErrorKind};
use super::exchange::{Answer, Call};
use crate::model::fault::Fault;
use crate::model::{Document, Run};

impl Client {
    pub(super) fn run_in(&self, call: &Call, answer: &Answer) -> Result<Run, ApiError> {
        let document = self.document_in(call, answer)?;
        Run::from_document(document).map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    pub(super) fn runs_in(&self, call: &Call, answer: &Answer) -> Result<Vec<Run>, ApiError> {
        let runs: Result<Vec<Run>, _> = self.documents_in(call, answer)?.into_iter().map(Run::from_document).collect();
        runs.map_err(|error| self.unreadable(call, answer, &error.to_string()))
    }

    pub(super) fn document_in(&self, call: &Call, answer: &Answer) -> Result<Document, ApiError> {
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

    /// Returns the error for a 2xx answer that is not from this API. It names the type and the title of a web page.
    pub(super) fn unreadable(&self, call: &Call, answer: &Answer, why: &str) -> ApiError {
        let kind = answer.content_type();
        let is_json = kind.contains("json");
        let title = Fault::parse(&String::from_utf8_lossy(&answer.body)).message;
        let page = if is_json || title.is_empty() { String::new() } else { format!(", \"{title}\"") };
        ApiError {
            kind: ErrorKind::Unreadable,
            cause: format!("{} {kind}{page}: {why}", answer.status),
            intent: call.intent,
            request: call.name(),
            server: self.server.clone(),
            status: Some(answer.status),
            tries: 1,
            elapsed: Duration::ZERO,
        }
    }
}
