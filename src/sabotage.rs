//! Promises broken on purpose, so that it is known that the harnesses catch it. Only a build with `--cfg sabotage` has
//! this module, and breaks what the environment variable AGENTCTL_SABOTAGE names.

/// Whether this promise is to be broken.
pub fn breaks(promise: &str) -> bool {
    std::env::var("AGENTCTL_SABOTAGE").is_ok_and(|chosen| chosen == promise)
}
