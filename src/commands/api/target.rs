//! Where a request of `api` goes: a path below `/v1`, which cannot lead anywhere else.

use url::Url;

use crate::core::pages::Cursor;
use crate::report::Failure;
use crate::text::show;

/// A path below `/v1` and a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The path behind `/v1`, percent-encoded.
    pub path: String,
    /// The query; a key may stand more than once.
    pub query: Vec<(String, String)>,
}

impl Target {
    /// Reads a path with or without `/v1` before it. The server is chosen elsewhere: an address is refused here.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |why: &str| {
            let failure = Failure::usage(format!("the path `{}` {why}", show::clip(text, 80)));
            failure.hint("write it like /v1/agents/ or runs/run-…/steps; --base-url names the server")
        };
        if text.contains("://") || text.starts_with("//") {
            return Err(bad("is an address, not a path"));
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#')) {
            return Err(bad("has a character that no path has"));
        }
        let path = text.split('?').next().unwrap_or_default();
        if path.split('/').any(is_dots) {
            return Err(bad("leads out of itself"));
        }
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_prefix("v1/").unwrap_or(inner);
        if inner.is_empty() || inner.starts_with(['/', '?']) || inner == "v1" {
            return Err(bad("names nothing below /v1"));
        }
        let url = Url::parse(&format!("http://host/v1/{inner}")).map_err(|_| bad("is no path"))?;
        let path = url.path().strip_prefix("/v1").ok_or_else(|| bad("leads out of itself"))?;
        Ok(Self { path: path.to_owned(), query: url.query_pairs().into_owned().collect() })
    }

    /// The path and the query with something added, as they follow `/v1`.
    pub fn at(&self, cursor: Option<&Cursor>) -> String {
        if self.query.is_empty() && cursor.is_none() {
            return self.path.clone();
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&self.query).extend_pairs(cursor.map(Cursor::pair));
        let query = query.finish();
        format!("{}?{query}", self.path)
    }
}

/// Whether a segment means this or the upper folder, in any spelling.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_below_v1_however_it_is_written() {
        for text in ["/v1/agents/", "v1/agents/", "/agents/", "agents/"] {
            assert_eq!(Target::parse(text).expect(text).at(None), "/agents/", "{text}");
        }
        let target = Target::parse("/runs/?statuses=created&statuses=running&q=a%20b").expect("a path");
        assert_eq!(
            target.at(Some(&Cursor::After("x&y".into()))),
            "/runs/?statuses=created&statuses=running&q=a+b&after=x%26y"
        );
        assert_eq!(Target::parse("agents/ü").expect("a path").path, "/agents/%C3%BC");
    }

    #[test]
    fn no_path_leads_elsewhere() {
        for text in [
            "https://evil.example/v1/agents/",
            "//evil.example/agents",
            "/v1//evil.example",
            "..",
            "/v1/../admin",
            "agents/../../admin",
            "agents/%2e%2E/x",
            "agents/.%2e",
            "a/./b",
            "\\\\evil.example",
            "agents\\..",
            "agents#x",
            "agents\n",
            "a b",
            "",
            "/",
            "/v1",
            "/v1/",
            "?x=1",
        ] {
            assert!(Target::parse(text).is_err(), "{text:?}");
        }
    }
}
