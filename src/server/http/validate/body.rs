//! Parses a request body into a JSON object.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value};

use super::{Loc, ValidationError};
use crate::server::types::python_repr::Py;

/// The most JSON values in a body: each takes memory of its own, however short its text is.
const MAX_VALUES: usize = 200_000;

/// Whether a JSON text has more than [`MAX_VALUES`] values.
pub fn has_too_many_values(body: &[u8]) -> bool {
    // Each value takes at least two bytes, itself and a separator, so that short bodies need no count.
    body.len() / 2 > MAX_VALUES && count_values(body) > MAX_VALUES
}

/// Estimates the number of values: one for each `[`, `{` and comma outside strings.
fn count_values(body: &[u8]) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    let begins_value = |byte: &&u8| {
        let begins = !quoted && matches!(byte, b',' | b'[' | b'{');
        quoted ^= **byte == b'"' && !escaped;
        escaped = quoted && !escaped && **byte == b'\\';
        begins
    };
    body.iter().filter(begins_value).count()
}

/// Parses a body that must be a JSON object, sent with a JSON content type.
pub fn object(headers: &HeaderMap, body: &[u8]) -> Result<Map<String, Value>, ValidationError> {
    let at = Loc::new("body");
    if body.is_empty() {
        return Err(ValidationError::missing(at, &Value::Null));
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

fn not_an_object(at: Loc, input: &Value) -> ValidationError {
    let message = "Input should be a valid dictionary or object to extract fields from";
    ValidationError::new("model_attributes_type", at, message, input)
}

fn not_json(body: &[u8], error: &serde_json::Error) -> ValidationError {
    let at = Loc::new("body").index(offset(body, error));
    let reason = python_message(&error.to_string());
    let error = ValidationError::new("json_invalid", at, "JSON decode error", &Value::Object(Map::new()));
    error.context("error", reason.into())
}

/// The position of a syntax error, in bytes.
fn offset(body: &[u8], error: &serde_json::Error) -> usize {
    let lines_before = body.split_inclusive(|b| *b == b'\n').take(error.line().saturating_sub(1));
    lines_before.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1)
}

/// Returns the message of Python's `json` for an error of `serde_json`.
fn python_message(error: &str) -> &'static str {
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
    fn values_are_counted_outside_strings() {
        for (text, count) in [
            (r#"{"a":1}"#, 1),
            (r#"{"a":[1,2,{"b":3}]}"#, 5),
            (r#"{"a":"1,2,[3],{4}"}"#, 1),
            (r#"{"a":"\",[","b":"\\","c":"\\\","}"#, 3),
        ] {
            assert_eq!(count_values(text.as_bytes()), count, "{text}");
        }
    }
}
