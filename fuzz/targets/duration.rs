//! Durations as people write them: within their limits, and readable again.
#![no_main]

use agentctl::text::duration::{LONGEST, parse, read, read_ns};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: (&str, u64)| {
    let (text, nanos) = given;
    match parse(text) {
        Ok(duration) => {
            assert!(duration <= LONGEST, "{text}");
            assert!(!read(duration).is_empty());
        }
        Err(why) => assert!(!why.is_empty()),
    }
    assert!(!read_ns(Some(nanos)).is_empty());
});
