//! A key that cannot be printed.

use std::fmt;

use http::HeaderValue;
use zeroize::Zeroize;

use crate::report::Failure;

/// An API key. It has no `Display`, its `Debug` is a word, and its memory is wiped.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a key; line ends around it are not part of it. It must be visible ASCII, since it goes into a header.
    pub fn new(mut text: String, origin: &str) -> Result<Self, Failure> {
        let key = Self(text.trim_matches(['\r', '\n']).to_owned());
        text.zeroize();
        match key.0.bytes().position(|b| !b.is_ascii_graphic()) {
            None => Ok(key),
            Some(at) => {
                let message = format!("the key in {origin} has a character that cannot be sent (byte {})", at + 1);
                Err(Failure::usage(message).hint("a key is one word of visible ASCII characters"))
            }
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key itself, for the one who is to have it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The `Authorization` header for it, marked as sensitive.
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

/// Keeps the memory of this process, and the variables that it was given, out of core dumps and of the sight of other
/// processes of this user. What was started under a debugger stays visible to it.
#[cfg(target_os = "linux")]
pub fn forbid_dumps() {
    // Where the system will not, a key is as safe as in any other program.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// The same as far as other systems have it: no core dumps.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn forbid_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// Elsewhere nothing is dumped unasked.
#[cfg(not(unix))]
pub fn forbid_dumps() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_never_printed() {
        let secret = Secret::new("sk-canary\n".to_owned(), "LETTA_API_KEY").expect("a key");
        assert_eq!(format!("{secret:?} {:?}", secret.bearer()), "(redacted) Some(Sensitive)");
    }

    #[test]
    fn a_key_that_cannot_be_sent_is_refused_without_being_shown() {
        for (key, byte) in
            [("sk canary", "byte 3"), ("canary\nb", "byte 7"), ("canarü", "byte 6"), ("a\u{7f}", "byte 2")]
        {
            let message = Secret::new(key.to_owned(), "LETTA_API_KEY").expect_err("a bad key").message;
            assert!(message.contains(byte) && !message.contains("canar"), "{message}");
        }
    }
}
