//! Headers of a person's own: sendable, not reserved, and their values in no message.
#![no_main]

use agentctl::config::{Env, headers};
use libfuzzer_sys::fuzz_target;

/// The end of every value; no text of the program contains it.
const MARK: &str = "canary-7f3a";

fuzz_target!(|line: &str| {
    if line.starts_with('@') {
        return;
    }
    let line = format!("{line}{MARK}");
    let gathered = headers::collect(&[line.clone()], &Env::from([("LETTA_CUSTOM_HEADERS", line.as_str())]), None);
    match gathered {
        Ok(found) => {
            for header in &found {
                assert!(
                    !["authorization", "x-bare-password", "host", "content-length"].contains(&header.name.as_str())
                );
                assert!(header.value.as_bytes().iter().all(|b| matches!(b, b' '..=b'~' | b'\t')));
                assert_eq!(header.shown(), "(redacted)");
            }
        }
        Err(failure) => assert!(!format!("{failure:?}").contains(MARK), "{failure:?}"),
    }
});
