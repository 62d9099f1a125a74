//! Decides whether the answer of a try is usable or a failure.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};

use super::error::{ApiError, ErrorKind};
use super::exchange::{Answer, Call};
use crate::core::retry_after::retry_after;
use crate::model::fault::Fault;
use crate::text::show;

/// A failed try, independent of its request.
pub(super) struct FailedTry {
    kind: ErrorKind,
    cause: String,
    status: Option<u16>,
}

impl FailedTry {
    /// Returns the failure of a try without an answer.
    pub(super) fn new(kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), status: None }
    }

    /// Returns the error for the request of the try.
    pub(super) fn into_error(self, call: &Call, server: &str) -> ApiError {
        let Self { kind, cause, status } = self;
        ApiError {
            kind,
            cause,
            intent: call.intent,
            request: call.name(),
            server: server.to_owned(),
            status,
            tries: 1,
            elapsed: Duration::ZERO,
        }
    }
}

/// Returns a success unchanged, and any other answer as a failure.
pub(super) fn check(answer: Answer) -> Result<Answer, FailedTry> {
    let status = Some(answer.status);
    match answer.status {
        200..300 => readable(answer),
        300..400 => {
            let to = answer.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            let kind = ErrorKind::Redirect { to: to.unwrap_or_else(|| "nowhere".to_owned()) };
            Err(FailedTry { kind, cause: String::new(), status })
        }
        _ => {
            let fault = Fault::parse(&String::from_utf8_lossy(&answer.body));
            let is_final = answer.header("x-should-retry") == Some("false");
            Err(FailedTry {
                kind: ErrorKind::Status { fault, retry_after: requested_pause(&answer), is_final },
                cause: String::new(),
                status,
            })
        }
    }
}

/// Returns the encoding of a compressed body. Compression was not requested, so the body is not read: unpacked, it
/// could be of any size.
pub(super) fn compression(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(CONTENT_ENCODING)?.to_str().unwrap_or("unknown").trim();
    (!matches!(encoding, "" | "identity")).then_some(encoding)
}

fn readable(answer: Answer) -> Result<Answer, FailedTry> {
    match compression(&answer.headers) {
        None => Ok(answer),
        Some(encoding) => {
            let cause = format!("{} compressed ({}), which was not asked for", answer.status, show::clip(encoding, 40));
            Err(FailedTry { kind: ErrorKind::Unreadable, cause, status: Some(answer.status) })
        }
    }
}

/// Returns the pause that the server asks for: `retry-after-ms`, or else the longest of several `Retry-After`.
fn requested_pause(answer: &Answer) -> Option<Duration> {
    let millis = answer.header("retry-after-ms");
    let date = answer.header("date");
    let values = answer.headers.get_all(RETRY_AFTER).iter().filter_map(|value| value.to_str().ok());
    let longest = values.filter_map(|value| retry_after(None, Some(value), date)).max();
    retry_after(millis, None, date).or(longest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Answer {
        let headers = headers
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
        Answer { status, headers: headers.collect(), body: Bytes::from_static(b"{}") }
    }

    fn kind(status: u16, headers: &[(&'static str, &'static str)]) -> ErrorKind {
        check(answer(status, headers)).map(|_| ()).expect_err("lost").kind
    }

    #[test]
    fn the_longest_of_several_pauses_counts() {
        let ErrorKind::Status { retry_after, .. } = kind(429, &[("retry-after", "1"), ("retry-after", "3")]) else {
            panic!("a status")
        };
        assert_eq!(retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_compressed_body_is_not_read() {
        for encoding in ["gzip", "br", "zstd", "gzip, gzip", "nonsense"] {
            assert_eq!(kind(200, &[("content-encoding", encoding)]), ErrorKind::Unreadable, "{encoding}");
        }
        assert!(check(answer(200, &[("content-encoding", "identity")])).is_ok());
        assert!(check(answer(200, &[])).is_ok());
    }

    #[test]
    fn x_should_retry_false_is_final() {
        let ErrorKind::Status { is_final, .. } = kind(503, &[("x-should-retry", "false")]) else { panic!("a status") };
        assert!(is_final);
        let ErrorKind::Status { is_final, .. } = kind(503, &[("x-should-retry", "true")]) else { panic!("a status") };
        assert!(!is_final);
    }
}
