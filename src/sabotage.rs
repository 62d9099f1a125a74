//! Fault injection: breaks a guarantee on purpose, to test that the fault tests detect it.
//!
//! Only a build with `--cfg sabotage` has this module. The environment variable AGENTCTL_SABOTAGE names the guarantee.

use std::sync::atomic::{AtomicU32, Ordering};

/// Returns whether AGENTCTL_SABOTAGE names this guarantee.
pub fn breaks(guarantee: &str) -> bool {
    std::env::var("AGENTCTL_SABOTAGE").is_ok_and(|chosen| chosen == guarantee)
}

/// Aborts the process on the COUNTth call with this place, if AGENTCTL_SABOTAGE is `die:PLACE:COUNT`.
pub fn may_die(place: &str) {
    static PASSED: AtomicU32 = AtomicU32::new(1);
    let Ok(chosen) = std::env::var("AGENTCTL_SABOTAGE") else { return };
    let Some((name, count)) = chosen.strip_prefix("die:").and_then(|rest| rest.split_once(':')) else { return };
    if name == place && PASSED.fetch_add(1, Ordering::SeqCst).to_string() == count {
        std::process::abort();
    }
}
