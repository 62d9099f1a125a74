//! The harnesses themselves are tested: each must catch a build that breaks its promise on purpose.
//!
//! `RUSTFLAGS="--cfg sabotage" CARGO_TARGET_DIR=target/sabotage cargo test --test faults` compiles such a build; what
//! AGENTCTL_SABOTAGE names is then broken, and the harness fails.

use std::env;
use std::process::Command;

use crate::report::{self, Table, is_long};
use crate::support::process::Process;

/// Passes the chosen sabotage on to a process, which else sees nothing of this environment.
pub fn chosen(process: Process) -> Process {
    match env::var("AGENTCTL_SABOTAGE") {
        Ok(promise) => process.env("AGENTCTL_SABOTAGE", promise),
        Err(_) => process,
    }
}

/// The promises that a build can break, the harness that must catch it, and the beginnings of the lines that may report it.
///
/// A server that answers before its commit loses runs, its own writes too: a run whose end is lost is stuck.
const BROKEN: [(&str, &str, &[&str]); 5] = [
    ("no-blind-resend", "ambiguous::agt_20_a_lost_answer_never_doubles_or_hides_a_message", &["delivered twice"]),
    ("adopt-proven-only", "ambiguous::a_run_of_another_client_is_never_adopted", &["another run was taken for ours"]),
    ("answer-after-commit", KILLS, &["lost: ", "stuck: "]),
    ("the-dead-hold-nothing", KILLS, &["stuck: "]),
    ("callback-with-the-end", KILLS, &["never delivered: "]),
];

const KILLS: &str = "kills::agt_70_accepted_runs_survive_kills_and_happen_once";

/// Runs a harness in a build that can be sabotaged. Returns whether it passed, and what it said.
fn run(sabotage: Option<&str>, harness: &str) -> (bool, String) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["test", "--quiet", "--locked", "--test", "faults", "--", "--nocapture", "--exact", harness]);
    cargo
        .env("RUSTFLAGS", "--cfg sabotage")
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/target/sabotage"));
    match sabotage {
        Some(promise) => cargo.env("AGENTCTL_SABOTAGE", promise).env_remove("AGENTCTL_FAULTS").env_remove("UPDATE"),
        None => cargo.env_remove("AGENTCTL_SABOTAGE"),
    };
    let output = cargo.output().expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn a_build_that_breaks_a_promise_is_caught() {
    // It compiles everything again, so this is for the long run.
    if !is_long() || cfg!(sabotage) {
        return;
    }
    let mut table = Table::new("sabotage", &["broken promise", "harness", "what it said"]);
    for (promise, harness, broken) in BROKEN {
        let (passed, said) = run(Some(promise), harness);
        assert!(!passed, "{promise} was broken and not caught:\n{said}");
        let line = said.lines().find(|line| broken.iter().any(|beginning| line.contains(beginning)));
        let line = line.unwrap_or_else(|| panic!("{promise} was caught for another reason:\n{said}"));
        table.row(&[promise, harness.split("::").next().unwrap_or_default(), line.trim()]);
    }
    table.publish(&report::circumstances());
}

#[test]
fn servers_that_die_at_exact_points_lose_nothing() {
    if !is_long() || cfg!(sabotage) {
        return;
    }
    let (passed, said) = run(None, "kills::nothing_is_lost_stuck_or_doubled_at_exact_points");
    assert!(passed, "{said}");
    println!("{said}");
}
