//! The key: compared in constant time, before the body is read.

use std::fmt;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::Refused;

/// The header under which the API's server also takes its password: `password KEY`.
const BARE_PASSWORD: &str = "x-bare-password";

/// A key that cannot be printed.
#[derive(Clone)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// Takes a key, which must not be empty.
    pub fn new(key: &str) -> Self {
        Self(key.as_bytes().into())
    }

    /// Lets those through who show the key, and those who ask for the server's health.
    pub fn check(&self, parts: &Parts) -> Result<(), Refused> {
        let path = parts.uri.path().trim_end_matches('/');
        let open = matches!(path, "/v1/health" | "/v1/ready" | "/latest/health" | "/latest/ready");
        let known = open || shown(&parts.headers).is_some_and(|shown| self.is(shown));
        if known { Ok(()) } else { Err(Refused::key()) }
    }

    fn is(&self, shown: &[u8]) -> bool {
        self.0.ct_eq(shown).into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// The one key that a request shows. Who shows several shows none: somebody between us might believe another.
fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| after("bearer ", value.as_bytes()));
    let bare = headers.get_all(BARE_PASSWORD).iter().map(|value| after("password ", value.as_bytes()));
    let mut all = bearer.chain(bare);
    let first = all.next()?;
    first.filter(|_| all.next().is_none())
}

/// What follows a word, whose letters may be of either case.
fn after<'a>(word: &str, value: &'a [u8]) -> Option<&'a [u8]> {
    let (start, rest) = value.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word.as_bytes()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(headers: &[(&'static str, &str)]) -> bool {
        let pairs =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        let headers: HeaderMap = pairs.fold(HeaderMap::new(), |mut map, (name, value): (header::HeaderName, _)| {
            map.append(name, value);
            map
        });
        shown(&headers).is_some_and(|shown| Key::new("k1").is(shown))
    }

    #[test]
    fn the_key_opens_and_nothing_else_does() {
        for headers in [
            &[("authorization", "Bearer k1")][..],
            &[("authorization", "bearer k1")],
            &[("x-bare-password", "password k1")],
        ] {
            assert!(opens(headers), "{headers:?}");
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
            assert!(!opens(headers), "{headers:?}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        assert_eq!(format!("{:?}", Key::new("canary")), "(redacted)");
    }
}
