//! The test of the tests: a build that breaks a promise on purpose must be caught.
//!
//! `RUSTFLAGS="--cfg sabotage" CARGO_TARGET_DIR=target/sabotage cargo test --test faults` compiles such a build; what
//! AGENTCTL_SABOTAGE names is then broken, and the harness fails.

use std::env;
use std::process::Command;

use crate::report::is_long;
use crate::support::process::Process;

/// Passes the chosen sabotage on to a process, which else sees nothing of this environment.
pub fn chosen(process: Process) -> Process {
    match env::var("AGENTCTL_SABOTAGE") {
        Ok(promise) => process.env("AGENTCTL_SABOTAGE", promise),
        Err(_) => process,
    }
}

/// Runs a harness against a build that breaks a promise. Returns what it said if it failed, as it must.
fn caught(promise: &str, harness: &str) -> Result<String, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--locked", "--test", "faults", "--", "--exact", harness]);
    cargo
        .env("RUSTFLAGS", "--cfg sabotage")
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/target/sabotage"));
    cargo.env("AGENTCTL_SABOTAGE", promise).env_remove("AGENTCTL_FAULTS").env_remove("UPDATE");
    let output = cargo.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Err(said) } else { Ok(said) }
}

#[test]
fn a_build_that_breaks_a_promise_is_caught() {
    // It compiles everything once more: not for every day.
    if !is_long() || env::var_os("AGENTCTL_SABOTAGE").is_some() {
        return;
    }
    for (promise, harness, broken) in [
        (
            "no-blind-resend",
            "ambiguous::agt_20_a_lost_answer_never_doubles_a_message_and_never_hides_one",
            "delivered twice",
        ),
        (
            "adopt-proven-only",
            "ambiguous::a_run_of_somebody_else_is_never_taken_for_ours",
            "another run was taken for ours",
        ),
    ] {
        let said =
            caught(promise, harness).unwrap_or_else(|said| panic!("{promise} was broken and not caught:\n{said}"));
        assert!(said.contains(broken), "{promise} was caught for another reason:\n{said}");
    }
}
