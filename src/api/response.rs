//! What one try of a request came to: an answer that can be read, or how it was lost.

use std::time::Duration;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, LOCATION, RETRY_AFTER};

use super::error::{ApiError, Kind};
use super::exchange::{Answer, Call};
use crate::core::retry_after::retry_after;
use crate::model::fault::Fault;
use crate::text::show;

/// A lost try, before it is known whose it was.
pub(super) struct Lost {
    kind: Kind,
    cause: String,
    status: Option<u16>,
}

impl Lost {
    /// A try that brought no answer.
    pub(super) fn new(kind: Kind, cause: impl Into<String>) -> Self {
        Self { kind, cause: cause.into(), status: None }
    }

    /// The error of the request whose try it was.
    pub(super) fn into_error(self, call: &Call, server: &str) -> ApiError {
        let Self { kind, cause, status } = self;
        let (intent, request, server) = (call.intent, call.name(), server.to_owned());
        ApiError { kind, cause, intent, request, server, status, tries: 1, elapsed: Duration::ZERO }
    }
}

/// Tells an answer that can be read from everything else.
pub(super) fn judge(answer: Answer) -> Result<Answer, Lost> {
    let status = Some(answer.status);
    match answer.status {
        200..300 => readable(answer),
        300..400 => {
            let to = answer.headers.get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
            let kind = Kind::Redirect { to: to.unwrap_or_else(|| "nowhere".to_owned()) };
            Err(Lost { kind, cause: String::new(), status })
        }
        _ => {
            let fault = Fault::parse(&String::from_utf8_lossy(&answer.body));
            let is_final = answer.header("x-should-retry") == Some("false");
            Err(Lost {
                kind: Kind::Status { fault, retry_after: asked(&answer), is_final },
                cause: String::new(),
                status,
            })
        }
    }
}

/// Returns the encoding of a compressed body. Compression was not requested, so such a body is neither read nor unpacked:
/// it could grow without limit.
pub(super) fn compression(headers: &HeaderMap) -> Option<&str> {
    let encoding = headers.get(CONTENT_ENCODING)?.to_str().unwrap_or("unknown").trim();
    (!matches!(encoding, "" | "identity")).then_some(encoding)
}

fn readable(answer: Answer) -> Result<Answer, Lost> {
    match compression(&answer.headers) {
        None => Ok(answer),
        Some(encoding) => {
            let cause = format!("{} compressed ({}), which was not asked for", answer.status, show::clip(encoding, 40));
            Err(Lost { kind: Kind::Unreadable, cause, status: Some(answer.status) })
        }
    }
}

/// What the server asks to wait; of several wishes the longest.
fn asked(answer: &Answer) -> Option<Duration> {
    let (millis, date) = (answer.header("retry-after-ms"), answer.header("date"));
    let wishes = answer.headers.get_all(RETRY_AFTER).iter().filter_map(|wish| wish.to_str().ok());
    let longest = wishes.filter_map(|wish| retry_after(None, Some(wish), date)).max();
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

    fn kind(status: u16, headers: &[(&'static str, &'static str)]) -> Kind {
        judge(answer(status, headers)).map(|_| ()).expect_err("lost").kind
    }

    #[test]
    fn of_several_wishes_the_longest_counts() {
        let Kind::Status { retry_after, .. } = kind(429, &[("retry-after", "1"), ("retry-after", "3")]) else {
            panic!("a status")
        };
        assert_eq!(retry_after, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_body_that_comes_compressed_is_not_read() {
        for encoding in ["gzip", "br", "zstd", "gzip, gzip", "nonsense"] {
            assert_eq!(kind(200, &[("content-encoding", encoding)]), Kind::Unreadable, "{encoding}");
        }
        assert!(judge(answer(200, &[("content-encoding", "identity")])).is_ok());
        assert!(judge(answer(200, &[])).is_ok());
    }

    #[test]
    fn a_server_may_say_that_trying_again_is_pointless() {
        let Kind::Status { is_final, .. } = kind(503, &[("x-should-retry", "false")]) else { panic!("a status") };
        assert!(is_final);
        let Kind::Status { is_final, .. } = kind(503, &[("x-should-retry", "true")]) else { panic!("a status") };
        assert!(!is_final);
    }
}
