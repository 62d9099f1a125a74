//! Promises broken on purpose, so that it is known that the harnesses catch it. Only a build with `--cfg sabotage` has
//! this module, and breaks what the environment variable AGENTCTL_SABOTAGE names.

use std::sync::atomic::{AtomicU32, Ordering};

/// Whether this promise is to be broken.
pub fn breaks(promise: &str) -> bool {
    std::env::var("AGENTCTL_SABOTAGE").is_ok_and(|chosen| chosen == promise)
}

/// Ends this process as `kill -9` would, if AGENTCTL_SABOTAGE is `die:PLACE:COUNT` and it passes this place so often.
pub fn may_die(place: &str) {
    static PASSED: AtomicU32 = AtomicU32::new(1);
    let Ok(chosen) = std::env::var("AGENTCTL_SABOTAGE") else { return };
    let Some((name, count)) = chosen.strip_prefix("die:").and_then(|rest| rest.split_once(':')) else { return };
    if name == place && PASSED.fetch_add(1, Ordering::SeqCst).to_string() == count {
        std::process::abort();
    }
}
