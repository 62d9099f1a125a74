//! The header `Idempotency-Key`.

use axum::http::HeaderMap;
use serde_json::Value;

use super::{Fault, Loc};

/// The most characters that a key may have.
const LONGEST: usize = 255;

/// The key of a request, if it has one: up to 255 visible ASCII characters.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let Some(key) = keys.next() else { return Ok(None) };
    if keys.next().is_some() {
        return Err(fault("Only one key can be given"));
    }
    match std::str::from_utf8(key.as_bytes()) {
        Ok(key) if is_key(key) => Ok(Some(key.to_owned())),
        _ => Err(fault("A key has 1 to 255 visible ASCII characters")),
    }
}

fn is_key(key: &str) -> bool {
    (1..=LONGEST).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
}

fn fault(words: &str) -> Fault {
    // The key itself is not repeated: it may be long.
    Fault::new("value_error", Loc::new("header").key("Idempotency-Key"), words, &Value::Null)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn key(values: &[&[u8]]) -> Result<Option<String>, Fault> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("idempotency-key", HeaderValue::from_bytes(value).expect("a header"));
        }
        idempotency_key(&headers)
    }

    #[test]
    fn a_key_is_short_visible_ascii() {
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
