//! The fields of `api -f`, which go into the query or the body.

use serde_json::{Map, Value, json};

use crate::commands::support::json_path::set;
use crate::report::Failure;

/// A field, written as `key=text` or `key:=JSON`.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    key: String,
    value: Value,
}

impl std::str::FromStr for Field {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text.split_once('=').ok_or("write it like key=text or key:=JSON")?;
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => (key, serde_json::from_str(value).map_err(|error| format!("the value is not JSON: {error}"))?),
            None => (key, json!(value)),
        };
        if key.is_empty() { Err("the key is empty".to_owned()) } else { Ok(Self { key: key.to_owned(), value }) }
    }
}

impl Field {
    /// Returns the field as a part of a query.
    pub fn pair(&self) -> (String, String) {
        let text = self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned);
        (self.key.clone(), text)
    }
}

/// Returns a JSON body of these fields, or nothing if there are none. Dots in keys enter objects.
pub fn body(fields: &[Field]) -> Result<Option<String>, Failure> {
    let mut object = Map::new();
    for field in fields {
        set(&mut object, &field.key, field.value.clone())?;
    }
    Ok((!fields.is_empty()).then(|| Value::Object(object).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(texts: &[&str]) -> Vec<Field> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    #[test]
    fn a_value_is_text_unless_a_colon_says_json() {
        let fields = fields(&["name=5", "n:=5", "ok:=true", "none:=null", "url=a=b", "llm_config.tags:=[\"x\"]"]);
        let expected = r#"{"name":"5","n":5,"ok":true,"none":null,"url":"a=b","llm_config":{"tags":["x"]}}"#;
        assert_eq!(body(&fields).expect("a body").as_deref(), Some(expected));
        assert_eq!(fields[1].pair(), ("n".to_owned(), "5".to_owned()));
        assert_eq!(body(&[]).expect("none"), None);
    }

    #[test]
    fn text_that_is_not_a_field_is_refused() {
        for text in ["key", "=x", ":=1", "n:=x"] {
            assert!(text.parse::<Field>().is_err(), "{text}");
        }
    }
}
