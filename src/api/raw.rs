//! Any request, for those who know the API themselves.

use std::cell::RefCell;

use super::Client;
use super::error::ApiError;
use super::exchange::{Answer, Call};

/// What came of a request.
pub struct Raw {
    /// The last answer, of any status; none where none came.
    pub answer: Option<Answer>,
    /// Why it is no success, if it is none.
    pub error: Option<ApiError>,
}

impl Client {
    /// Makes one try of a request, and keeps the answer whatever its status.
    pub async fn raw_once(&self, call: &Call) -> Raw {
        let mut last = None;
        let error = self.exchange_seen(call, None, |answer| last = Some(answer.clone())).await.err();
        Raw { answer: last, error }
    }

    /// Makes a request with the ordinary retries, and keeps the answer whatever its status.
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
