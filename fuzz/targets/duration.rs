//! Durations as people write them: within their limits, and readable again.
#![no_main]

use agentctl::text::duration::{LONGEST, format, format_ns, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|given: (&str, u64)| {
    let (text, nanos) = given;
    match parse(text) {
        Ok(duration) => {
            assert!(duration <= LONGEST, "{text}");
            assert!(!format(duration).is_empty());
        }
        Err(why) => assert!(!why.is_empty()),
    }
    assert!(!format_ns(Some(nanos)).is_empty());
});
