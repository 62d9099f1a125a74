//! Rejects requests from web pages of other origins, by `Origin` and `Sec-Fetch-Site`.

use axum::http::header;
use axum::http::request::Parts;

use super::Rejection;
use super::host::Hosts;

/// How the requesting page relates to this server, as browsers report it.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Accepts requests without either header, as programs other than browsers send them, and those of this server's origin.
pub fn check(parts: &Parts, hosts: &Hosts) -> Result<(), Rejection> {
    let origins = parts.headers.get_all(header::ORIGIN);
    let own = |origin: &[u8]| {
        let host = origin.strip_prefix(b"http://").and_then(|host| std::str::from_utf8(host).ok());
        host.is_some_and(|host| hosts.contains(host))
    };
    if let Some(foreign) = origins.iter().find(|origin| !own(origin.as_bytes())) {
        return Err(Rejection::origin("Origin", foreign.as_bytes()));
    }
    let related = |site: &[u8]| matches!(site, b"same-origin" | b"none");
    match parts.headers.get_all(SEC_FETCH_SITE).iter().find(|site| !related(site.as_bytes())) {
        Some(foreign) => Err(Rejection::origin("Sec-Fetch-Site", foreign.as_bytes())),
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
    fn programs_and_pages_of_this_server_are_accepted() {
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
    fn pages_of_other_origins_are_rejected() {
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
