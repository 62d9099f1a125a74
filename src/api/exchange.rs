//! A request and its answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::core::pages::Cursor;
use crate::core::retry::Intent;

/// The largest answer that is read, in bytes.
pub const RUN_CAP: usize = 16 << 20;
/// The largest list that is read, in bytes.
pub const LIST_CAP: usize = 64 << 20;
/// The largest error body that is read, in bytes.
pub const ERROR_CAP: usize = 64 << 10;

/// A request to the API. The segments of the path are valid ids or fixed words, so they need no escaping.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path below `/v1`, exactly as the server spells it.
    pub path: String,
    /// The query, in which a key may occur more than once.
    pub query: Vec<(&'static str, String)>,
    /// The JSON body.
    pub body: Option<String>,
    /// The idempotency key: a server that supports it accepts the request once.
    pub idempotency_key: Option<String>,
    /// The effect of the request.
    pub intent: Intent,
    /// The largest answer that is read, in bytes.
    pub cap: usize,
    /// The time limit of one try, which overrides the settings.
    pub time_limit: Option<Duration>,
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, up to the cap of the call.
    pub body: Bytes,
}

impl Call {
    /// Returns a request that only reads.
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

    /// Returns a request that takes effect each time it is accepted.
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

    /// Raises the limit of the answer to that of a list.
    pub fn list(mut self) -> Self {
        self.cap = LIST_CAP;
        self
    }

    /// Returns method and path, for messages.
    pub fn name(&self) -> String {
        format!("{} /v1{}", self.method, self.path)
    }

    /// Returns the path and the query, to be appended to the base URL.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            return format!("/v1{}", self.path);
        }
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        format!("/v1{}?{query}", self.path)
    }

    /// Sets the time limit of one try, which overrides the settings.
    pub fn within(mut self, limit: Duration) -> Self {
        self.time_limit = Some(limit);
        self
    }

    /// Returns the default time limit of one try: 30 s for a read, 60 s for a write.
    pub fn usual_time_limit(&self) -> Duration {
        Duration::from_secs(if self.intent == Intent::Read { 30 } else { 60 })
    }
}

impl Answer {
    /// Returns a header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns whether the status means success.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the content type, for messages.
    pub fn content_type(&self) -> &str {
        self.header(http::header::CONTENT_TYPE.as_str()).unwrap_or("no content type")
    }

    /// Returns the body as text without a byte-order mark; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.body).ok()?;
        Some(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_key_may_occur_more_than_once() {
        let call =
            Call::get("/runs/").query("statuses", "created").query("statuses", "running").query("agent_id", "a b");
        assert_eq!(call.path_and_query(), "/v1/runs/?statuses=created&statuses=running&agent_id=a+b");
        assert_eq!(Call::get("/runs/run-1").path_and_query(), "/v1/runs/run-1");
    }
}
