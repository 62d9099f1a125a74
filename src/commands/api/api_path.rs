//! The path and the query of a request of `api`. The path cannot leave `/v1`.

use url::Url;

use crate::core::pages::Cursor;
use crate::report::Failure;
use crate::text::show;

/// A path below `/v1` and a query.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiPath {
    /// The path after `/v1`, percent-encoded.
    pub path: String,
    /// The query; a key may occur more than once.
    pub query: Vec<(String, String)>,
}

impl ApiPath {
    /// Parses a path with or without the prefix `/v1`. A URL is refused: the base URL comes from the settings.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |why: &str| {
            let failure = Failure::usage(format!("the path `{}` {why}", show::clip(text, 80)));
            failure.hint("write it like /v1/agents/ or runs/run-…/steps; --base-url names the server")
        };
        if text.contains("://") || text.starts_with("//") {
            return Err(bad("is a URL, not a path"));
        }
        if text.contains(|c: char| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#')) {
            return Err(bad("has a character that no path may have"));
        }
        let path = text.split('?').next().unwrap_or_default();
        if path.split('/').any(is_dots) {
            return Err(bad("has a `.` or `..` segment"));
        }
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_prefix("v1/").unwrap_or(inner);
        if inner.is_empty() || inner.starts_with(['/', '?']) || inner == "v1" {
            return Err(bad("names no endpoint below /v1"));
        }
        let url = Url::parse(&format!("http://host/v1/{inner}")).map_err(|_| bad("is not a path"))?;
        let path = url.path().strip_prefix("/v1").ok_or_else(|| bad("has a `.` or `..` segment"))?;
        Ok(Self { path: path.to_owned(), query: url.query_pairs().into_owned().collect() })
    }

    /// Returns the path and the query, with a cursor added, as they follow `/v1`.
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

/// Whether a segment is `.` or `..`, percent-encoded or not.
fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefix_v1_is_optional() {
        for text in ["/v1/agents/", "v1/agents/", "/agents/", "agents/"] {
            assert_eq!(ApiPath::parse(text).expect(text).at(None), "/agents/", "{text}");
        }
        let path = ApiPath::parse("/runs/?statuses=created&statuses=running&q=a%20b").expect("a path");
        assert_eq!(
            path.at(Some(&Cursor::After("x&y".into()))),
            "/runs/?statuses=created&statuses=running&q=a+b&after=x%26y"
        );
        assert_eq!(ApiPath::parse("agents/ü").expect("a path").path, "/agents/%C3%BC");
    }

    #[test]
    fn a_path_that_could_leave_v1_is_refused() {
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
            assert!(ApiPath::parse(text).is_err(), "{text:?}");
        }
    }
}
