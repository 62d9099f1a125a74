//! Requests to any endpoint.

use std::cell::RefCell;

use super::Client;
use super::error::ApiError;
use super::exchange::{Answer, Call};

/// The result of a request.
pub struct Raw {
    /// The last answer, of any status.
    pub answer: Option<Answer>,
    /// The error, unless the request succeeded.
    pub error: Option<ApiError>,
}

impl Client {
    /// Makes one try of a request, and keeps an answer of any status.
    pub async fn raw_once(&self, call: &Call) -> Raw {
        let mut last = None;
        let error = self.exchange_seen(call, None, |answer| last = Some(answer.clone())).await.err();
        Raw { answer: last, error }
    }

    /// Makes a request with the usual retries, and keeps an answer of any status.
    pub async fn raw(&self, call: &Call) -> Raw {
        let last = RefCell::new(None);
        let attempt = async |left| {
            last.replace(None);
            self.exchange_seen(call, left, |answer| drop(last.replace(Some(answer.clone())))).await
        };
        let error = self.repeat(call, attempt).await.err();
        Raw { answer: last.into_inner(), error }
    }
}
