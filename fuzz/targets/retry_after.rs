//! The delay that a server asks for, in three headers.
#![no_main]

use agentctl::core::retry_after::retry_after;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|headers: (Option<String>, Option<String>, Option<String>)| {
    let (millis, seconds, date) = headers;
    if let Some(asked) = retry_after(millis.as_deref(), seconds.as_deref(), date.as_deref()) {
        // Adding it to the current time must not overflow.
        assert!(std::time::Instant::now().checked_add(asked).is_some(), "{asked:?}");
        let _ = agentctl::text::duration::format(asked);
    }
});
