//! Redacts the key in error answers of servers that echo it.

use bytes::Bytes;
use http::HeaderValue;
use serde_json::Value;

use super::exchange::Answer;

/// The replacement for the key.
const REDACTED: &[u8] = b"(redacted)";

/// Redacts the key in the body and the headers of an error answer. A successful answer is data and stays unchanged.
pub(super) fn redact_key(mut answer: Answer, authorization: Option<&HeaderValue>) -> Answer {
    let key = authorization.and_then(|bearer| bearer.to_str().ok()?.strip_prefix("Bearer ")).unwrap_or_default();
    if answer.is_success() || key.is_empty() {
        return answer;
    }
    // The body may be JSON, which escapes some characters of a key.
    let in_json = Value::from(key).to_string();
    for form in [key, &in_json[1..in_json.len() - 1]] {
        answer.body = without(form.as_bytes(), &answer.body).map_or(answer.body, Bytes::from);
        for value in answer.headers.values_mut() {
            let clean = without(form.as_bytes(), value.as_bytes());
            if let Some(clean) = clean.and_then(|clean| HeaderValue::from_bytes(&clean).ok()) {
                *value = clean;
            }
        }
    }
    answer
}

/// Returns the text without the key; `None` if the text does not contain it.
fn without(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text;
    let mut clean = Vec::new();
    while let Some(at) = rest.windows(key.len()).position(|part| part == key) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(REDACTED);
        rest = &rest[at + key.len()..];
    }
    if rest.len() == text.len() {
        return None;
    }
    clean.extend_from_slice(rest);
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::header::LOCATION;

    fn redacted(status: u16, body: &'static str) -> Answer {
        let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static("/login?key=canary"))]);
        let answer = Answer { status, headers, body: Bytes::from_static(body.as_bytes()) };
        redact_key(answer, Some(&HeaderValue::from_static("Bearer canary")))
    }

    #[test]
    fn a_key_that_an_error_repeats_is_redacted() {
        let answer = redacted(401, "no: canary, canarycanary");
        assert_eq!(answer.text(), Some("no: (redacted), (redacted)(redacted)"));
        assert_eq!(answer.header("location"), Some("/login?key=(redacted)"));
        assert_eq!(redacted(401, "no").text(), Some("no"));
        assert_eq!(redacted(200, "canary").text(), Some("canary"));
    }

    #[test]
    fn an_escaped_key_in_json_is_redacted() {
        let answer =
            Answer { status: 401, headers: HeaderMap::new(), body: Bytes::from_static(br#"{"no": "a\"b\\c"}"#) };
        let answer = redact_key(answer, Some(&HeaderValue::from_static(r#"Bearer a"b\c"#)));
        assert_eq!(answer.text(), Some(r#"{"no": "(redacted)"}"#));
    }
}
