//! Reads the `Idempotency-Key` header.

use axum::http::HeaderMap;
use serde_json::Value;

use super::{Loc, ValidationError};

/// The longest key, in characters.
const MAX_LENGTH: usize = 255;

/// Returns the key of a request, if it has one: 1 to 255 visible ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ValidationError> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(invalid("Only one key can be given"));
    }
    match std::str::from_utf8(key.as_bytes()) {
        Ok(key) if is_key(key) => Ok(Some(key.to_owned())),
        _ => Err(invalid("A key has 1 to 255 visible ASCII characters")),
    }
}

fn is_key(key: &str) -> bool {
    (1..=MAX_LENGTH).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn invalid(message: &str) -> ValidationError {
    // The value is left out: it may be long.
    ValidationError::new("value_error", Loc::new("header").key("Idempotency-Key"), message, &Value::Null)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn key(values: &[&[u8]]) -> Result<Option<String>, ValidationError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", HeaderValue::from_bytes(value).expect("a header"));
        }
        idempotency_key(&headers)
    }

    #[test]
    fn a_key_has_1_to_255_visible_ascii_characters() {
        assert_eq!(key(&[]).expect("none"), None);
        let long = [b'x'; 255];
        for good in [&b"a"[..], b"!~", b"0a4f-11", &long] {
            assert_eq!(key(&[good]).expect("good").expect("a key").as_bytes(), good);
        }
        for bad in [&b""[..], b"a b", b"a\tb", "\u{e9}".as_bytes(), b"\xff", &[b'x'; 256], &[b'x'; 1 << 20]] {
            assert!(key(&[bad]).is_err(), "{} bytes", bad.len());
        }
        assert!(key(&[b"a", b"a"]).is_err(), "two");
    }
}
