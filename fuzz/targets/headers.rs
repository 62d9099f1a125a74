//! Headers of a person's own: sendable, not reserved, and their values in no message.
#![no_main]

use agentctl::config::{Env, headers};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    if line.starts_with('@') {
        return;
    }
    let gathered = headers::gather(&[line.to_owned()], &Env::from([("LETTA_CUSTOM_HEADERS", line)]), None);
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
        Err(failure) => {
            let value = line.split_once(':').map_or(line, |(_, value)| value).trim();
            assert!(value.len() < 24 || !format!("{failure:?}").contains(value), "{failure:?}");
        }
    }
});
