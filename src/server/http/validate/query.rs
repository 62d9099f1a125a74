//! Reads query parameters: repeated ones, numbers within bounds, words from a list.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Loc, ValidationError, alternatives, fields};
use crate::server::types::order::SortOrder;
use crate::server::types::python_repr::Py;

/// The parameters of a query, in order.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Parses a query.
    pub fn new(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// Returns a parameter; if it is repeated, the last one.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.all(key).last()
    }

    /// Returns every value of a repeated parameter.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Reads a boolean.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, ValidationError> {
        self.text(key).map(|word| fields::flag(&Value::from(word), at(key))).transpose()
    }

    /// Reads `limit`: from 1 to `max`, or from 0 if there is no maximum.
    pub fn limit(&self, default: i64, max: Option<i64>) -> Result<i64, ValidationError> {
        let Some(text) = self.text("limit") else { return Ok(default) };
        let input = Value::from(text);
        let min = if max.is_some() { 1 } else { 0 };
        let limit = fields::integer(&input, at("limit"))?;
        match max {
            _ if limit < min => Err(out_of_bounds("greater_than_equal", "greater", "ge", min, &input)),
            Some(max) if limit > max => Err(out_of_bounds("less_than_equal", "less", "le", max, &input)),
            _ => Ok(limit),
        }
    }

    /// Reads `order`; the deprecated `ascending=true` overrides it.
    pub fn order(&self, default: SortOrder) -> Result<SortOrder, ValidationError> {
        if self.flag("ascending")? == Some(true) {
            return Ok(SortOrder::Ascending);
        }
        match self.text("order") {
            None => Ok(default),
            Some("asc") => Ok(SortOrder::Ascending),
            Some("desc") => Ok(SortOrder::Descending),
            Some(other) => Err(ValidationError::one_of("literal_error", at("order"), "'asc' or 'desc'", &json!(other))),
        }
    }

    /// Reads repeated words, each from a list.
    pub fn words(&self, key: &str, kind: &'static str, known: &[&str]) -> Result<Vec<String>, Vec<ValidationError>> {
        let unknown = self.all(key).enumerate().filter(|(_, word)| !known.contains(word));
        let errors: Vec<ValidationError> = unknown
            .map(|(n, word)| ValidationError::one_of(kind, at(key).index(n), &alternatives(known), &json!(word)))
            .collect();
        if errors.is_empty() { Ok(self.all(key).map(str::to_owned).collect()) } else { Err(errors) }
    }

    /// Reads a word from a list.
    pub fn word(&self, key: &str, kind: &'static str, known: &[&str]) -> Result<Option<&str>, ValidationError> {
        match self.text(key) {
            Some(word) if !known.contains(&word) => {
                Err(ValidationError::one_of(kind, at(key), &alternatives(known), &json!(word)))
            }
            word => Ok(word),
        }
    }
}

fn at(key: &str) -> Loc {
    Loc::new("query").key(key)
}

fn out_of_bounds(kind: &'static str, word: &str, key: &'static str, bound: i64, input: &Value) -> ValidationError {
    let message = format!("Input should be {word} than or equal to {bound}");
    ValidationError::new(kind, at("limit"), message, input).context(key, Py::Json(bound.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(error: ValidationError) -> String {
        ValidationError::body(&[error])["detail"].as_str().expect("text").to_owned()
    }

    #[test]
    fn a_limit_out_of_bounds_has_the_error_of_the_real_server() {
        let rejected = |query: &str| detail(Params::new(Some(query)).limit(100, Some(1000)).expect_err("rejected"));
        assert_eq!(
            rejected("limit=0"),
            "[{'type': 'greater_than_equal', 'loc': ('query', 'limit'), 'msg': 'Input should be greater than or \
             equal to 1', 'input': '0', 'ctx': {'ge': 1}}]"
        );
        assert!(rejected("limit=1001").contains("less than or equal to 1000"));
        assert!(rejected("limit=x").contains("int_parsing"));
    }

    #[test]
    fn repeated_parameters_are_kept_and_ascending_overrides_order() {
        let params = Params::new(Some("statuses=created&statuses=running&order=desc&ascending=true"));
        assert_eq!(params.all("statuses").collect::<Vec<_>>(), ["created", "running"]);
        assert_eq!(params.order(SortOrder::Descending).expect("an order"), SortOrder::Ascending);
        assert!(Params::new(Some("order=up")).order(SortOrder::Ascending).is_err());
    }
}
