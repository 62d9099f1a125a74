//! A JSON object kept as its sender wrote it: key order, numbers, unknown fields.

use serde::Serialize;
use serde_json::Value;

use crate::text::show::is_hidden;

/// A JSON object on one line, with the parsed value beside it for looking things up.
///
/// The line is the sender's text without the white space between tokens. Characters that could
/// act on a terminal are written as `\uXXXX`, which leaves the JSON value the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    line: String,
    value: Value,
}

/// Why a text is not a [`Document`].
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The text is not JSON at all.
    #[error("not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The text is JSON of another kind.
    #[error("expected an object, found {0}")]
    NotObject(&'static str),
}

impl Document {
    /// Reads an object from its text.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let value: Value = serde_json::from_str(text)?;
        if !value.is_object() {
            return Err(DocumentError::NotObject(kind(&value)));
        }
        Ok(Self { line: one_line(text), value })
    }

    /// Wraps an object that this program made.
    pub fn from_value(value: Value) -> Self {
        Self { line: one_line(&value.to_string()), value }
    }

    /// The object on one line, without a line feed.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The parsed object.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Returns the line with one more key at its end. The rest is unchanged byte for byte.
    pub fn line_with(&self, key: &str, extra: &impl Serialize) -> String {
        let extra = serde_json::to_string(extra).unwrap_or_else(|_| "null".to_owned());
        let body = self.line[..self.line.len() - 1].trim_end();
        let comma = if body == "{" { "" } else { "," };
        format!("{body}{comma}\"{key}\":{}}}", one_line(&extra))
    }

    /// A field that is text.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.value.get(key)?.as_str()
    }

    /// A field that is a whole number from 0 up. A float without a fraction counts.
    pub fn count(&self, key: &str) -> Option<u64> {
        whole(self.value.get(key)?)
    }

    /// Returns a field that is neither missing nor null.
    pub fn present(&self, key: &str) -> Option<&Value> {
        self.value.get(key).filter(|value| !value.is_null())
    }
}

/// Returns a whole number from 0 up, even if it was written as a float.
pub fn whole(value: &Value) -> Option<u64> {
    let float = || value.as_f64().filter(|f| *f >= 0.0 && f.fract() == 0.0 && *f < 1.8e19);
    value.as_u64().or_else(|| float().map(|f| f as u64))
}

/// Returns the type of a JSON value, for an error message.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Removes the white space between tokens and escapes control characters.
pub fn one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for c in json.chars() {
        if !in_string && matches!(c, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        push_safe(&mut line, c);
    }
    line
}

/// Indents a JSON text by two spaces a level. Its tokens stay as they are.
pub fn indented(json: &str) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut in_string = false;
    let mut escaped = false;
    let line = one_line(json);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '"' && !escaped {
            in_string = !in_string;
        }
        escaped = in_string && c == '\\' && !escaped;
        match c {
            _ if in_string => text.push(c),
            '{' | '[' => {
                text.push(c);
                match chars.next_if(|next| matches!(next, '}' | ']')) {
                    Some(end) => text.push(end),
                    None => {
                        depth += 1;
                        break_line(&mut text, depth);
                    }
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                break_line(&mut text, depth);
                text.push(c);
            }
            ',' => {
                text.push(c);
                break_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => text.push(c),
        }
    }
    text
}

fn break_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.extend(std::iter::repeat_n("  ", depth));
}

fn push_safe(line: &mut String, c: char) {
    if !is_hidden(c) {
        return line.push(c);
    }
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        line.push_str(&format!("\\u{unit:04x}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn indenting_changes_nothing_but_white_space() {
        let json = r#"{"a":[],"b":{},"c":[1.50,"x, {y}: \"z\""],"d":{"e":null}}"#;
        let expected = r#"{
  "a": [],
  "b": {},
  "c": [
    1.50,
    "x, {y}: \"z\""
  ],
  "d": {
    "e": null
  }
}"#;
        assert_eq!(indented(json), expected);
        assert_eq!(one_line(&indented(json)), json);
    }

    #[test]
    fn a_document_keeps_order_numbers_and_unknown_fields() {
        let text = "{\n  \"z\": 1.50,\n \"a\" : [ 1, 2 ],\t\"n\":12345678901234567890 }";
        let document = Document::parse(text).expect("an object");
        assert_eq!(document.line(), r#"{"z":1.50,"a":[1,2],"n":12345678901234567890}"#);
    }

    #[test]
    fn a_key_is_added_at_the_end() {
        let document = Document::parse("{ }").expect("an object");
        assert_eq!(document.line_with("k", &json!({"a": 1})), r#"{"k":{"a":1}}"#);
        let document = Document::parse(r#"{"id":"x"}"#).expect("an object");
        assert_eq!(document.line_with("k", &1), r#"{"id":"x","k":1}"#);
    }

    #[test]
    fn characters_that_act_on_a_terminal_are_escaped_and_mean_the_same() {
        let text = "{\"a\":\"\u{9b}31m \u{202e} \u{e0041} \u{7f}\"}";
        let document = Document::parse(text).expect("an object");
        assert!(document.line().is_ascii(), "{}", document.line());
        let again: Value = serde_json::from_str(document.line()).expect("still JSON");
        assert_eq!(&again, document.value());
    }

    #[test]
    fn an_array_is_not_an_object() {
        let error = Document::parse("[1]").expect_err("an array");
        assert_eq!(error.to_string(), "expected an object, found an array");
    }

    proptest! {
        #[test]
        fn one_line_never_changes_the_value(text in "\\PC*", key in "[\\\\\"a-z ]{0,8}", n: i64) {
            let value = json!({key: [text, n, null, {"x": true}]});
            let pretty = serde_json::to_string_pretty(&value).expect("JSON");
            let again: Value = serde_json::from_str(&one_line(&pretty)).expect("still JSON");
            prop_assert_eq!(again, value);
        }
    }
}
