//! Checks the API key before the body is read, in constant time.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::Rejection;

/// The header that the API's server accepts instead of `Authorization`, as `password KEY`.
const BARE_PASSWORD: &str = "x-bare-password";

/// The API key of a server. `Debug` redacts it.
#[derive(Clone)]
pub struct ApiKey(Arc<[u8]>);

impl ApiKey {
    /// Wraps a key, which must not be empty.
    pub fn new(key: &str) -> Self {
        Self(key.as_bytes().into())
    }

    /// Requires the key, except for the health routes.
    pub fn check(&self, parts: &Parts) -> Result<(), Rejection> {
        let path = parts.uri.path().trim_end_matches('/');
        let is_public = matches!(path, "/v1/health" | "/v1/ready" | "/latest/health" | "/latest/ready");
        let allowed = is_public || credential(&parts.headers).is_some_and(|credential| self.matches(credential));
        if allowed { Ok(()) } else { Err(Rejection::key()) }
    }

    fn matches(&self, credential: &[u8]) -> bool {
        self.0.ct_eq(credential).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// Returns the credential only if exactly one was sent: given several, a proxy may check another one than this server.
fn credential(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| strip_scheme("bearer ", value.as_bytes()));
    let bare = headers.get_all(BARE_PASSWORD).iter().map(|value| strip_scheme("password ", value.as_bytes()));
    let mut all = bearer.chain(bare);
    let first = all.next()?;
    first.filter(|_| all.next().is_none())
}

/// Returns the value after the scheme, which is case-insensitive.
fn strip_scheme<'a>(scheme: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(headers: &[(&'static str, &str)]) -> bool {
        let pairs =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        let headers: HeaderMap = pairs.fold(HeaderMap::new(), |mut map, (name, value): (header::HeaderName, _)| {
            map.append(name, value);
            map
        });
        credential(&headers).is_some_and(|credential| ApiKey::new("k1").matches(credential))
    }

    #[test]
    fn exactly_one_matching_credential_is_accepted() {
        for headers in [
            &[("authorization", "Bearer k1")][..],
            &[("authorization", "bearer k1")],
            &[("x-bare-password", "password k1")],
        ] {
            assert!(accepts(headers), "{headers:?}");
        }
        for headers in [
            &[][..],
            &[("authorization", "k1")],
            &[("authorization", "Bearer")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer K1")],
            &[("authorization", "Bearer k")],
            &[("authorization", "Bearer k11")],
            &[("authorization", "Basic k1")],
            &[("authorization", "Bearer  k1")],
            &[("x-bare-password", "k1")],
            &[("authorization", "Bearer k1"), ("authorization", "Bearer k1")],
            &[("authorization", "Bearer k1"), ("authorization", "Bearer k2")],
            &[("authorization", "Bearer k2"), ("x-bare-password", "password k1")],
        ] {
            assert!(!accepts(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", ApiKey::new("canary")), "(redacted)");
    }
}
