//! The query of a request: repeated keys, numbers within bounds, words from a list.

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Fault, Loc, alternatives, fields};
use crate::server::types::order::Order;
use crate::server::types::python_repr::Py;

/// The parameters of a query, in their order.
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Takes a query apart.
    pub fn new(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// A parameter; of several the last counts.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.all(key).last()
    }

    /// Every value of a repeated parameter.
    pub fn all<'a>(&'a self, key: &str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Fault> {
        self.text(key).map(|word| fields::flag(&Value::from(word), at(key))).transpose()
    }

    /// How many items to list: from 1 up to `most`, if there is such a bound.
    pub fn limit(&self, default: i64, most: Option<i64>) -> Result<i64, Fault> {
        let Some(text) = self.text("limit") else { return Ok(default) };
        let (input, least) = (Value::from(text), if most.is_some() { 1 } else { 0 });
        let limit = fields::integer(&input, at("limit"))?;
        match most {
            _ if limit < least => Err(bound("greater_than_equal", "greater", "ge", least, &input)),
            Some(most) if limit > most => Err(bound("less_than_equal", "less", "le", most, &input)),
            _ => Ok(limit),
        }
    }

    /// The order that is asked for; the deprecated `ascending` overrides it.
    pub fn order(&self, default: Order) -> Result<Order, Fault> {
        if self.flag("ascending")? == Some(true) {
            return Ok(Order::Ascending);
        }
        match self.text("order") {
            None => Ok(default),
            Some("asc") => Ok(Order::Ascending),
            Some("desc") => Ok(Order::Descending),
            Some(other) => Err(Fault::one_of("literal_error", at("order"), "'asc' or 'desc'", &json!(other))),
        }
    }

    /// Repeated words, each from a list.
    pub fn words(&self, key: &str, kind: &'static str, known: &[&str]) -> Result<Vec<String>, Vec<Fault>> {
        let unknown = self.all(key).enumerate().filter(|(_, word)| !known.contains(word));
        let faults: Vec<Fault> = unknown
            .map(|(n, word)| Fault::one_of(kind, at(key).index(n), &alternatives(known), &json!(word)))
            .collect();
        if faults.is_empty() { Ok(self.all(key).map(str::to_owned).collect()) } else { Err(faults) }
    }

    /// A word from a list.
    pub fn word(&self, key: &str, kind: &'static str, known: &[&str]) -> Result<Option<&str>, Fault> {
        match self.text(key) {
            Some(word) if !known.contains(&word) => {
                Err(Fault::one_of(kind, at(key), &alternatives(known), &json!(word)))
            }
            word => Ok(word),
        }
    }
}

fn at(key: &str) -> Loc {
    Loc::new("query").key(key)
}

fn bound(kind: &'static str, word: &str, key: &'static str, edge: i64, input: &Value) -> Fault {
    let words = format!("Input should be {word} than or equal to {edge}");
    Fault::new(kind, at("limit"), words, input).context(key, Py::Json(edge.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(fault: Fault) -> String {
        Fault::body(&[fault])["detail"].as_str().expect("text").to_owned()
    }

    #[test]
    fn a_limit_out_of_bounds_reads_as_the_api_server_words_it() {
        let refused = |query: &str| detail(Params::new(Some(query)).limit(100, Some(1000)).expect_err("refused"));
        assert_eq!(
            refused("limit=0"),
            "[{'type': 'greater_than_equal', 'loc': ('query', 'limit'), 'msg': 'Input should be greater than or \
             equal to 1', 'input': '0', 'ctx': {'ge': 1}}]"
        );
        assert!(refused("limit=1001").contains("less than or equal to 1000"));
        assert!(refused("limit=x").contains("int_parsing"));
    }

    #[test]
    fn repeated_keys_are_all_kept_and_the_deprecated_order_wins() {
        let params = Params::new(Some("statuses=created&statuses=running&order=desc&ascending=true"));
        assert_eq!(params.all("statuses").collect::<Vec<_>>(), ["created", "running"]);
        assert_eq!(params.order(Order::Descending).expect("an order"), Order::Ascending);
        assert!(Params::new(Some("order=up")).order(Order::Ascending).is_err());
    }
}
