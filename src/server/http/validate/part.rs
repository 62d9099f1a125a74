//! Validates the content of a message: text, or a list of parts.

use serde_json::Value;

use super::{Loc, ValidationError, alternatives};
use crate::server::Behaviour;
use crate::server::types::request::is_empty;

/// The types of parts.
const PARTS: &[&str] = &[
    "text",
    "image",
    "tool_call",
    "tool_return",
    "reasoning",
    "redacted_reasoning",
    "omitted_reasoning",
    "summarized_reasoning",
];

/// Validates content and returns it unchanged.
pub fn content(value: &Value, at: Loc, behaviour: Behaviour) -> Result<Value, Vec<ValidationError>> {
    let errors = match value {
        empty if is_empty(empty) && behaviour.accepts_empty() => Vec::new(),
        Value::String(text) if !text.is_empty() => Vec::new(),
        Value::Array(parts) if !parts.is_empty() => list(parts, &at),
        Value::String(_) | Value::Array(_) => {
            vec![ValidationError::rule(at, "Message content is empty or invalid", value)]
        }
        _ => vec![
            ValidationError::new("string_type", at.key("str"), "Input should be a valid string", value),
            ValidationError::new("list_type", at.key("list"), "Input should be a valid list", value),
        ],
    };
    if errors.is_empty() { Ok(value.clone()) } else { Err(errors) }
}

fn list(parts: &[Value], at: &Loc) -> Vec<ValidationError> {
    parts.iter().enumerate().filter_map(|(n, value)| part(value, at.key("list").index(n)).err()).collect()
}

fn part(value: &Value, at: Loc) -> Result<(), ValidationError> {
    let Some(tag) = value.get("type").and_then(Value::as_str) else {
        let message = "Unable to extract tag using discriminator 'type'";
        return Err(ValidationError::new("union_tag_not_found", at, message, value));
    };
    match tag {
        "text" if !value["text"].is_string() => Err(field_error(at, tag, "text", value)),
        "image" if !value["source"].is_object() => Err(field_error(at, tag, "source", value)),
        known if PARTS.contains(&known) => Ok(()),
        unknown => Err(unknown_tag(at, unknown, value)),
    }
}

/// The error of a part whose main field is missing or has the wrong type.
fn field_error(at: Loc, tag: &str, key: &str, part: &Value) -> ValidationError {
    let at = at.key(tag).key(key);
    match part.get(key) {
        None => ValidationError::missing(at, part),
        Some(value) if key == "text" => {
            ValidationError::new("string_type", at, "Input should be a valid string", value)
        }
        Some(value) => ValidationError::new("dict_type", at, "Input should be a valid dictionary", value),
    }
}

fn unknown_tag(at: Loc, tag: &str, value: &Value) -> ValidationError {
    let expected = alternatives(PARTS).replace(" or ", ", ");
    let message = format!("Input tag '{tag}' found using 'type' does not match any of the expected tags: {expected}");
    let error = ValidationError::new("union_tag_invalid", at, message, value);
    error
        .context("discriminator", "'type'".into())
        .context("tag", tag.into())
        .context("expected_tags", expected.as_str().into())
}
