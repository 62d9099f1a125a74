//! One request and its answer, as values.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::core::pages::Cursor;
use crate::core::retry::Intent;

/// The most bytes of an answer that are read: a run, a list, an error.
pub const RUN_CAP: usize = 16 << 20;
/// The most bytes of a list.
pub const LIST_CAP: usize = 64 << 20;
/// The most bytes of an error body that are looked at.
pub const ERROR_CAP: usize = 64 << 10;

/// A request to the API. Path segments are ids that were checked, or words of the API.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below `/v1`, exactly as the server spells it.
    pub path: String,
    /// The query; a key may stand more than once.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<String>,
    /// A key under which a server that supports it accepts this request once.
    pub idempotency_key: Option<String>,
    /// Whether it makes something happen.
    pub intent: Intent,
    /// The most bytes of the answer that are read.
    pub cap: usize,
    /// How long one try may take, whatever the settings say.
    pub time_limit: Option<Duration>,
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, at most the cap of the call.
    pub body: Bytes,
}

impl Call {
    /// A request that reads.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            intent: Intent::Read,
            cap: RUN_CAP,
            time_limit: None,
        }
    }

    /// A request that makes something happen.
    pub fn post(path: impl Into<String>, body: String) -> Self {
        Self { method: Method::POST, body: Some(body), intent: Intent::Write, ..Self::get(path) }
    }

    /// Adds a query parameter.
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// Adds the cursor of a page.
    pub fn cursor(self, cursor: Option<&Cursor>) -> Self {
        match cursor.map(Cursor::pair) {
            Some((key, id)) => self.query(key, id),
            None => self,
        }
    }

    /// Allows an answer of the size of a list.
    pub fn list(mut self) -> Self {
        self.cap = LIST_CAP;
        self
    }

    /// Method and path, for messages.
    pub fn name(&self) -> String {
        format!("{} /v1{}", self.method, self.path)
    }

    /// Path and query as they follow the base URL.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            return format!("/v1{}", self.path);
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("/v1{}?{query}", self.path)
    }

    /// Limits the time of one try, whatever the settings say.
    pub fn within(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// How long one try may take where nothing else is said: 30 s to read, 60 s to act.
    pub fn usual_time_limit(&self) -> Duration {
        Duration::from_secs(if self.intent == Intent::Read { 30 } else { 60 })
    }
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether the status means success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Its content type, for messages.
    pub fn content_type(&self) -> &str {
        self.header(http::header::CONTENT_TYPE.as_str()).unwrap_or("no content type")
    }

    /// The body as text; none where it is not UTF-8. A byte-order mark is dropped.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.body).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_key_may_stand_more_than_once() {
        let call =
            Call::get("/runs/").query("statuses", "created").query("statuses", "running").query("agent_id", "a b");
        assert_eq!(call.path_and_query(), "/v1/runs/?statuses=created&statuses=running&agent_id=a+b");
        assert_eq!(Call::get("/runs/run-1").path_and_query(), "/v1/runs/run-1");
    }
}
