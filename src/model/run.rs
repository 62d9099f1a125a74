//! A run, as `POST …/messages/async` and `GET /v1/runs/{run_id}` answer it.

use jiff::Timestamp;
use serde_json::Value;

use super::document::DocumentError;
use super::id::BadId;
use super::{Document, RunId, RunStatus, StopReason, time};

/// A run: the server's document, and its id checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    id: RunId,
    document: Document,
}

/// Why an answer is not a run.
#[derive(Debug, thiserror::Error)]
pub enum NotARun {
    /// Not a JSON object.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// `id` is missing or not a string.
    #[error("the object has no id")]
    NoId,
    /// `id` is not a run id.
    #[error(transparent)]
    BadId(#[from] BadId),
}

impl Run {
    /// Reads a run from JSON text. Only the id is required.
    pub fn parse(text: &str) -> Result<Self, NotARun> {
        Self::from_document(Document::parse(text)?)
    }

    /// Wraps a document as a run.
    pub fn from_document(document: Document) -> Result<Self, NotARun> {
        let id = document.text("id").ok_or(NotARun::NoId)?.parse()?;
        Ok(Self { id, document })
    }

    /// Its id.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The document as the server sent it.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// Returns its status; an empty unknown word if the server sent none.
    pub fn status(&self) -> RunStatus {
        RunStatus::from(self.document.text("status").unwrap_or_default())
    }

    /// Returns why it stopped.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.document.text("stop_reason").map(StopReason::from)
    }

    /// The agent that works on it.
    pub fn agent_id(&self) -> Option<&str> {
        self.document.text("agent_id")
    }

    /// When the server accepted it.
    pub fn created_at(&self) -> Option<Timestamp> {
        time::parse(self.document.text("created_at")?)
    }

    /// When it ended.
    pub fn completed_at(&self) -> Option<Timestamp> {
        time::parse(self.document.text("completed_at")?)
    }

    /// Time to first token in nanoseconds.
    pub fn ttft_ns(&self) -> Option<u64> {
        self.document.count("ttft_ns")
    }

    /// Duration in nanoseconds, as the server measured it.
    pub fn total_duration_ns(&self) -> Option<u64> {
        self.document.count("total_duration_ns")
    }

    /// Returns the model from `metadata.model`, which only the local server sets.
    pub fn model(&self) -> Option<&str> {
        self.document.value().get("metadata")?.get("model")?.as_str()
    }

    /// Returns the error from `metadata.error`: a string, or an object with a `message`, perhaps nested under `error`.
    pub fn error(&self) -> Option<String> {
        let error = self.document.value().get("metadata")?.get("error")?;
        error_text(error).filter(|text| !text.trim().is_empty())
    }
}

fn error_text(error: &Value) -> Option<String> {
    match error {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => Some(object_text(object).unwrap_or_else(|| error.to_string())),
        other => Some(other.to_string()),
    }
}

fn object_text(object: &serde_json::Map<String, Value>) -> Option<String> {
    if let Some(inner) = object.get("error").filter(|inner| inner.is_object()) {
        return error_text(inner);
    }
    let message = object.get("message")?.as_str()?;
    let detail = object.get("detail").and_then(Value::as_str).filter(|detail| *detail != message);
    Some(detail.map_or_else(|| message.to_owned(), |detail| format!("{message} ({detail})")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(rest: &str) -> Run {
        Run::parse(&format!(r#"{{"id":"run-12345678"{rest}}}"#)).expect("a run")
    }

    #[test]
    fn only_the_id_is_required() {
        let run = run("");
        assert_eq!(run.status(), RunStatus::Unknown(String::new()));
        assert_eq!((run.stop_reason(), run.ttft_ns(), run.created_at()), (None, None, None));
        assert!(Run::parse("{}").is_err());
        assert!(Run::parse(r#"{"id":7}"#).is_err());
        assert!(Run::parse(r#"["run-12345678","completed"]"#).is_err());
    }

    #[test]
    fn fields_of_the_wrong_type_count_as_absent() {
        let run = run(r#","status":7,"ttft_ns":"soon","total_duration_ns":3292683000.0,"created_at":5"#);
        assert_eq!(run.status(), RunStatus::Unknown(String::new()));
        assert_eq!((run.ttft_ns(), run.total_duration_ns()), (None, Some(3_292_683_000)));
    }

    #[test]
    fn the_error_is_found_as_text_and_as_object() {
        for (metadata, expected) in [
            (r#"{"error":"boom"}"#, Some("boom")),
            (r#"{"error":{"message":"slow down","detail":"429"}}"#, Some("slow down (429)")),
            (r#"{"error":{"error":{"message":"inner"}}}"#, Some("inner")),
            (r#"{"error":null}"#, None),
            ("null", None),
        ] {
            assert_eq!(run(&format!(r#","metadata":{metadata}"#)).error().as_deref(), expected);
        }
    }
}
