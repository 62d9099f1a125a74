//! Content of a message: text, or a list of parts.

use serde_json::Value;

use super::{Fault, Loc, alternatives};
use crate::server::Manners;
use crate::server::types::request::is_empty;

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

/// Checks content, which stays as it was written.
pub fn content(value: &Value, at: Loc, manners: Manners) -> Result<Value, Vec<Fault>> {
    let faults = match value {
        empty if is_empty(empty) && manners.accepts_empty() => Vec::new(),
        Value::String(text) if !text.is_empty() => Vec::new(),
        Value::Array(parts) if !parts.is_empty() => list(parts, &at),
        Value::String(_) | Value::Array(_) => vec![Fault::rule(at, "Message content is empty or invalid", value)],
        _ => vec![
            Fault::new("string_type", at.key("str"), "Input should be a valid string", value),
            Fault::new("list_type", at.key("list"), "Input should be a valid list", value),
        ],
    };
    if faults.is_empty() { Ok(value.clone()) } else { Err(faults) }
}

fn list(parts: &[Value], at: &Loc) -> Vec<Fault> {
    parts.iter().enumerate().filter_map(|(n, value)| part(value, at.key("list").index(n)).err()).collect()
}

fn part(value: &Value, at: Loc) -> Result<(), Fault> {
    let Some(tag) = value.get("type").and_then(Value::as_str) else {
        let words = "Unable to extract tag using discriminator 'type'";
        return Err(Fault::new("union_tag_not_found", at, words, value));
    };
    match tag {
        "text" if !value["text"].is_string() => Err(field(at, tag, "text", value)),
        "image" if !value["source"].is_object() => Err(field(at, tag, "source", value)),
        known if PARTS.contains(&known) => Ok(()),
        unknown => Err(unknown_tag(at, unknown, value)),
    }
}

fn field(at: Loc, tag: &str, key: &str, part: &Value) -> Fault {
    let at = at.key(tag).key(key);
    match part.get(key) {
        None => Fault::missing(at, part),
        Some(value) if key == "text" => Fault::new("string_type", at, "Input should be a valid string", value),
        Some(value) => Fault::new("dict_type", at, "Input should be a valid dictionary", value),
    }
}

fn unknown_tag(at: Loc, tag: &str, value: &Value) -> Fault {
    let expected = alternatives(PARTS).replace(" or ", ", ");
    let words = format!("Input tag '{tag}' found using 'type' does not match any of the expected tags: {expected}");
    let fault = Fault::new("union_tag_invalid", at, words, value);
    fault
        .context("discriminator", "'type'".into())
        .context("tag", tag.into())
        .context("expected_tags", expected.as_str().into())
}
