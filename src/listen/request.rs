//! Validates requests to the receiver. Pure.

use http::{HeaderMap, Method, StatusCode, Uri, header};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use crate::model::RunId;

/// The largest callback, in bytes. A callback holds all messages of its run.
pub const MAX_BODY_BYTES: usize = 16 << 20;

/// The part of a callback that serves as a hint.
#[derive(Deserialize)]
struct CallbackBody {
    run_id: String,
}

/// Checks the head of a request, before its body is read. Without the token every request is a 404, which reveals nothing.
pub fn admit(method: &Method, uri: &Uri, headers: &HeaderMap, token: &str) -> Result<(), StatusCode> {
    // The token is the last segment: a reverse proxy may change the path before it.
    let last = uri.path().rsplit('/').next().unwrap_or_default();
    if !bool::from(last.as_bytes().ct_eq(token.as_bytes())) {
        return Err(StatusCode::NOT_FOUND);
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    if method != Method::POST {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let is_json_body = text(header::CONTENT_TYPE).is_some_and(is_json);
    if !is_json_body || headers.contains_key(header::CONTENT_ENCODING) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    if length.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    Ok(())
}

fn is_json(content_type: &str) -> bool {
    let media = content_type.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

/// Returns the run id of a callback. The rest is unverified, and dropped.
pub fn hint(body: &[u8]) -> Result<RunId, StatusCode> {
    let callback: Result<CallbackBody, _> = serde_json::from_slice(body);
    callback.ok().and_then(|callback| callback.run_id.parse().ok()).ok_or(StatusCode::UNPROCESSABLE_ENTITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn admitted(method: &str, path: &str, headers: &[(&'static str, &str)]) -> u16 {
        let headers = headers
            .iter()
            .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().expect("a value")));
        let method = method.parse().expect("a method");
        let admitted = admit(&method, &path.parse().expect("a path"), &headers.collect(), TOKEN);
        admitted.map_or_else(|status| status.as_u16(), |()| 200)
    }

    #[test]
    fn only_json_posted_to_the_token_is_admitted() {
        let json = ("content-type", "application/json");
        let path = format!("/{TOKEN}");
        for (method, path, headers, expected) in [
            ("POST", path.as_str(), vec![json], 200),
            ("POST", &format!("/hooks{path}?x=1"), vec![("content-type", "application/JSON; charset=utf-8")], 200),
            ("POST", "/", vec![json], 404),
            ("POST", "/0123456789abcdeF", vec![json], 404),
            ("POST", "/0123456789abcdef0", vec![json], 404),
            ("POST", &format!("{path}/"), vec![json], 404),
            ("GET", "/", vec![], 404),
            ("GET", &path, vec![json], 405),
            ("PUT", &path, vec![json], 405),
            ("POST", &path, vec![], 415),
            ("POST", &path, vec![("content-type", "text/plain")], 415),
            ("POST", &path, vec![("content-type", "application/jsonp")], 415),
            ("POST", &path, vec![json, ("content-encoding", "gzip")], 415),
            ("POST", &path, vec![json, ("content-length", "16777216")], 200),
            ("POST", &path, vec![json, ("content-length", "16777217")], 413),
            ("POST", &path, vec![json, ("content-length", "99999999999999999999")], 200),
        ] {
            assert_eq!(admitted(method, path, &headers), expected, "{method} {path} {headers:?}");
        }
    }

    #[test]
    fn a_hint_is_a_valid_run_id() {
        let good = br#"{"run_id":"run-12345678","status":"completed","metadata":{"result":{"messages":[]}}}"#;
        assert_eq!(hint(good).map(|id| id.to_string()).ok().as_deref(), Some("run-12345678"));
        for bad in [
            &b""[..],
            b"{}",
            b"[]",
            b"null",
            br#"{"run_id":7}"#,
            br#"{"run_id":"../agents"}"#,
            br#"{"run_id":"run-1; touch x"}"#,
            br#"{"run_id":"run-12345678"} {}"#,
            b"{\"run_id\":\"run-12345678",
            b"\xff\xfe",
        ] {
            assert_eq!(hint(bad), Err(StatusCode::UNPROCESSABLE_ENTITY), "{}", String::from_utf8_lossy(bad));
        }
    }
}
