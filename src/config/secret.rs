//! An API key that cannot be printed by accident.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroize;

use crate::exit::Exit;
use crate::report::Failure;

/// An API key. It has no `Display`, its `Debug` prints `(redacted)`, and its memory is zeroed on drop.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Validates a key and trims line ends around it. A key is visible ASCII, since it is sent in a header.
    pub fn new(mut text: String, provenance: &str) -> Result<Self, Failure> {
        let key = Self(text.trim_matches(['\r', '\n']).to_owned());
        text.zeroize();
        match key.0.bytes().position(|b| !b.is_ascii_graphic()) {
            None => Ok(key),
            Some(at) => {
                let message = format!("the key in {provenance} has a character that cannot be sent (byte {})", at + 1);
                Err(Failure::usage(message).hint("a key is one word of visible ASCII characters"))
            }
        }
    }

    /// Returns whether the key is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the key in plain text, to be sent or stored.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the `Authorization` header, marked as sensitive.
    pub fn bearer(&self) -> Option<HeaderValue> {
        let mut text = format!("Bearer {}", self.0);
        let mut value = HeaderValue::from_str(&text).ok()?;
        text.zeroize();
        value.set_sensitive(true);
        Some(value)
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

/// Returns the failure for a missing API key.
pub fn missing_key(message: &str) -> Failure {
    Failure::new(Exit::NotAllowed, "no_key", message)
        .hint("set LETTA_API_KEY or run `agentctl login`; `agentctl send --local -m hi --watch` needs no account")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_key_is_redacted() {
        let secret = Secret::new("sk-canary\n".to_owned(), "LETTA_API_KEY").expect("a key");
        assert_eq!(format!("{secret:?} {:?}", secret.bearer()), "(redacted) Some(Sensitive)");
    }

    #[test]
    fn a_key_that_does_not_fit_a_header_is_refused_and_not_printed() {
        for (key, byte) in
            [("sk canary", "byte 3"), ("canary\nb", "byte 7"), ("canarü", "byte 6"), ("a\u{7f}", "byte 2")]
        {
            let message = Secret::new(key.to_owned(), "LETTA_API_KEY").expect_err("a bad key").message;
            assert!(message.contains(byte) && !message.contains("canar"), "{message}");
        }
    }
}
