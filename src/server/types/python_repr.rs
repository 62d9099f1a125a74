//! Values as Python prints them: the server's 422 bodies carry a printed list, not JSON.

use serde_json::Value;

/// A Python value, as far as error lists hold them.
#[derive(Clone, Debug, PartialEq)]
pub enum Py {
    /// A JSON value.
    Json(Value),
    /// `(a, b)`
    Tuple(Vec<Py>),
    /// `{'a': b}`
    Dict(Vec<(&'static str, Py)>),
    /// `b'…'`
    Bytes(Vec<u8>),
    /// `ValueError('…')`
    ValueError(String),
}

impl From<&str> for Py {
    fn from(text: &str) -> Self {
        Self::Json(Value::from(text))
    }
}

impl Py {
    /// Prints the value as `repr` does.
    pub fn repr(&self) -> String {
        match self {
            Self::Json(value) => json(value),
            Self::Tuple(items) => tuple(items),
            Self::Dict(entries) => {
                braces(entries.iter().map(|(key, value)| format!("{}: {}", text(key), value.repr())))
            }
            Self::Bytes(bytes) => format!("b{}", quoted(bytes.iter().map(|b| char::from(*b)), byte)),
            Self::ValueError(message) => format!("ValueError({})", text(message)),
        }
    }
}

/// Prints a list.
pub fn list<'a>(items: impl IntoIterator<Item = &'a Py>) -> String {
    let items: Vec<String> = items.into_iter().map(Py::repr).collect();
    format!("[{}]", items.join(", "))
}

fn tuple(items: &[Py]) -> String {
    let comma = if items.len() == 1 { "," } else { "" };
    let items: Vec<String> = items.iter().map(Py::repr).collect();
    format!("({}{comma})", items.join(", "))
}

fn braces(entries: impl Iterator<Item = String>) -> String {
    format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
}

fn json(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => text(string),
        Value::Array(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => braces(entries.iter().map(|(key, value)| format!("{}: {}", text(key), json(value)))),
    }
}

fn text(string: &str) -> String {
    quoted(string.chars(), character)
}

/// Quotes a text with single quotes, unless it contains single quotes only.
fn quoted(chars: impl Iterator<Item = char> + Clone, escape: fn(char) -> String) -> String {
    let quote = if chars.clone().any(|c| c == '\'') && !chars.clone().any(|c| c == '"') { '"' } else { '\'' };
    let inner: String = chars.map(|c| if c == quote { format!("\\{c}") } else { escape(c) }).collect();
    format!("{quote}{inner}{quote}")
}

fn character(c: char) -> String {
    match c {
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if !c.is_control() && !crate::text::show::is_hidden(c) => c.to_string(),
        c if u32::from(c) <= 0xff => format!("\\x{:02x}", u32::from(c)),
        c if u32::from(c) <= 0xffff => format!("\\u{:04x}", u32::from(c)),
        c => format!("\\U{:08x}", u32::from(c)),
    }
}

/// Escapes a byte, given as the character with the same number.
fn byte(c: char) -> String {
    if c.is_ascii() { character(c) } else { format!("\\x{:02x}", u32::from(c)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_print_as_python_prints_them() {
        for (value, expected) in [
            (json!(null), "None"),
            (json!([true, false, 1, 1.5]), "[True, False, 1, 1.5]"),
            (json!({"a": {"b": "c"}}), "{'a': {'b': 'c'}}"),
            (json!("it's"), "\"it's\""),
            (json!("it's \"both\""), "'it\\'s \"both\"'"),
            (json!("tab\t nl\n back\\ \u{1b} é \u{202e}"), "'tab\\t nl\\n back\\\\ \\x1b é \\u202e'"),
        ] {
            assert_eq!(Py::Json(value).repr(), expected);
        }
        assert_eq!(Py::Tuple(vec!["body".into()]).repr(), "('body',)");
        assert_eq!(Py::Bytes(b"{\"a\": 1}\xff\n".to_vec()).repr(), "b'{\"a\": 1}\\xff\\n'");
        assert_eq!(Py::ValueError("don't".to_owned()).repr(), "ValueError(\"don't\")");
        assert_eq!(list(&[Py::Dict(vec![("type", "missing".into())])]), "[{'type': 'missing'}]");
    }
}
