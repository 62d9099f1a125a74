//! A request's body, from bytes to a JSON object.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::{Fault, Loc};
use crate::server::types::python_repr::Py;

/// How many values a body may have. Each takes memory of its own, however short its text is.
const MOST_VALUES: usize = 200_000;

/// Whether a JSON text has more values than is taken.
pub fn is_crowded(body: &[u8]) -> bool {
    // A value has a character at least, and one that parts it from the next.
    body.len() / 2 > MOST_VALUES && values(body) > MOST_VALUES
}

/// How many values a JSON text has, about: each is the first of a list or an object, or stands behind a comma.
fn values(body: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    let begins = |byte: &&u8| {
        let begins = !quoted && matches!(byte, b',' | b'[' | b'{');
        quoted ^= **byte == b'"' && !escaped;
        escaped = quoted && !escaped && **byte == b'\\';
        begins
    };
    body.iter().filter(begins).count()
}

/// Reads a body that must be a JSON object.
pub fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let at = Loc::new("body");
    if body.is_empty() {
        return Err(Fault::missing(at, &Value::Null));
    }
    if !is_json(headers) {
        return Err(not_an_object(at, &Value::Null).input(Py::Bytes(body.to_vec())));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(not_an_object(at, &other)),
        Err(error) => Err(not_json(body, &error)),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn not_an_object(at: Loc, input: &Value) -> Fault {
    let words = "Input should be a valid dictionary or object to extract fields from";
    Fault::new("model_attributes_type", at, words, input)
}

fn not_json(body: &[u8], error: &serde_json::Error) -> Fault {
    let at = Loc::new("body").index(offset(body, error));
    let why = in_pythons_words(&error.to_string());
    let fault = Fault::new("json_invalid", at, "JSON decode error", &Value::Object(Map::new()));
    fault.context("error", why.into())
}

/// Where the fault stands, in bytes from the beginning.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let lines_before = body.split_inclusive(|b| *b == b'\n').take(error.line().saturating_sub(1));
    lines_before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}

fn in_pythons_words(error: &str) -> &'static str {
    match error {
        e if e.starts_with("key must be a string") => "Expecting property name enclosed in double quotes",
        e if e.starts_with("expected `:`") => "Expecting ':' delimiter",
        e if e.starts_with("expected `,`") => "Expecting ',' delimiter",
        e if e.starts_with("trailing characters") => "Extra data",
        e if e.contains("string") => "Unterminated string starting at",
        _ => "Expecting value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_where_they_are_no_text() {
        for (text, count) in [
            (r#"{"a":1}"#, 1),
            (r#"{"a":[1,2,{"b":3}]}"#, 5),
            (r#"{"a":"1,2,[3],{4}"}"#, 1),
            (r#"{"a":"\",[","b":"\\","c":"\\\","}"#, 3),
        ] {
            assert_eq!(values(text.as_bytes()), count, "{text}");
        }
    }
}
