//! The origin: no web page but one that this server sent itself may use it, and it sends none.

use axum::http::header;
use axum::http::request::Parts;

use super::Refused;
use super::host::Hosts;

/// Where a browser says how the page that asks is related to this server.
const FETCH_SITE: &str = "sec-fetch-site";

/// Looks at `Origin` and `Sec-Fetch-Site`. Programs that are no browsers send neither.
pub fn check(parts: &Parts, hosts: &Hosts) -> Result<(), Refused> {
    let origins = parts.headers.get_all(header::ORIGIN);
    let own = |origin: &[u8]| {
        let host = origin.strip_prefix(b"http://").and_then(|host| std::str::from_utf8(host).ok());
        host.is_some_and(|host| hosts.has(host))
    };
    if let Some(foreign) = origins.iter().find(|origin| !own(origin.as_bytes())) {
        return Err(Refused::origin("Origin", foreign.as_bytes()));
    }
    let related = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    match parts.headers.get_all(FETCH_SITE).iter().find(|site| !related(site.as_bytes())) {
        Some(foreign) => Err(Refused::origin("Sec-Fetch-Site", foreign.as_bytes())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn allowed(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::post("/v1/agents/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        check(&parts, &Hosts::new(8283, &[])).is_ok()
    }

    #[test]
    fn what_is_no_web_page_of_somebody_else_is_let_in() {
        for headers in [
            &[][..],
            &[("origin", "http://localhost:8283")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8283")],
        ] {
            assert!(allowed(headers), "{headers:?}");
        }
    }

    #[test]
    fn every_other_page_is_refused() {
        for headers in [
            &[("origin", "https://evil.com")][..],
            &[("origin", "http://evil.com:8283")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://localhost:8283")],
            &[("origin", "http://localhost:3000")],
            &[("origin", "http://localhost")],
            &[("origin", "http://localhost:8283/")],
            &[("origin", "file://")],
            &[("origin", "http://localhost:8283"), ("origin", "https://evil.com")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "http://localhost:8283"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(!allowed(headers), "{headers:?}");
        }
    }
}
