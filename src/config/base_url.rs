//! Validation of base URLs.

use url::Url;

use crate::report::Failure;
use crate::text::show;

/// Parses a base URL: http or https, a host and an optional path. Drops a trailing `/` or `/v1`.
pub fn base_url(text: &str, provenance: &str) -> Result<Url, Failure> {
    let shown = redact(text);
    let bad = |why: &str| {
        let failure = Failure::usage(format!("the base URL `{shown}` (from {provenance}) {why}"));
        failure.hint("write it like https://letta.example.com or http://localhost:8283")
    };
    let Some((scheme, _)) = text.split_once("://") else { return Err(bad("has no http:// or https://")) };
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return Err(bad("is neither http nor https"));
    }
    let mut url = Url::parse(text.trim()).map_err(|_| bad("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        let failure = Failure::usage(format!("the base URL (from {provenance}) holds a user name or password"));
        return Err(failure.hint("give the key in LETTA_API_KEY or --api-key-file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(path.strip_suffix("/v1").unwrap_or(&path));
    Ok(url)
}

/// Returns the text for an error message, without user name, password, query and fragment: each may be a secret.
fn redact(text: &str) -> String {
    let end = text.find(['?', '#']).unwrap_or(text.len());
    let more = if end < text.len() { "…" } else { "" };
    let text = &text[..end];
    let text = text.rsplit_once('@').map_or_else(|| text.to_owned(), |(_, host)| format!("…@{host}"));
    show::clip(&text, 60) + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_base_url_is_http_or_https_without_user_query_and_fragment() {
        for (text, expected) in [
            ("http://h", "http://h/"),
            ("https://h/", "https://h/"),
            ("http://h:8283/v1/", "http://h:8283/"),
            ("https://h/letta/v1", "https://h/letta"),
            ("HTTP://h", "http://h/"),
        ] {
            assert_eq!(base_url(text, "--base-url").expect(text).as_str(), expected);
        }
        for text in
            ["localhost:8283", "h", "", "ftp://h", "file:///etc/passwd", "http://", "http://h?x=1", "http://h#x"]
        {
            assert_eq!(base_url(text, "--base-url").expect_err(text).exit, Exit::Usage);
        }
    }

    #[test]
    fn an_error_repeats_no_secret_of_the_url() {
        for text in [
            "http://user:canary@h",
            "http://user:canary@h:99999",
            "user:canary@h",
            "ftp://canary@h",
            "http://h/?token=canary",
            "http://h:99999/#canary",
        ] {
            let failure = base_url(text, "LETTA_BASE_URL").expect_err(text);
            assert!(!failure.message.contains("canary"), "{}", failure.message);
        }
    }
}
