//! Scripts for the model that does what it is told: read or refused with the line, in bounded memory.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match agentctl::server::script_steps(text) {
        Ok(Some(steps)) => assert!(steps <= (64 << 20) / 16 + text.lines().count(), "{steps}"),
        Ok(None) => assert!(!text.lines().any(|line| line.trim_start().starts_with('@'))),
        Err(why) => assert!(why.starts_with("line "), "{why}"),
    }
});
