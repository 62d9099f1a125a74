//! The README does what it says: its console blocks run, and its shell blocks too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::TestEnv;
use crate::support::env::AGENTCTL;
use crate::support::signals;

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The fenced blocks of one language.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(readme()).expect("a README");
    let parts = text.split("```").skip(1).step_by(2);
    let fence = format!("{language}\n");
    parts.filter_map(|block| block.strip_prefix(&fence).map(str::to_owned)).collect()
}

#[test]
fn its_console_blocks_run_and_print_what_they_show() {
    signals::reset_in_children();
    let home = tempfile::tempdir().expect("a folder");
    assert!(!blocks("console").is_empty(), "the README shows no command");
    trycmd::TestCases::new()
        .register_bin("agentctl", Path::new(AGENTCTL))
        .env("AGENTCTL_DATA_DIR", home.path().to_string_lossy())
        .env("LANG", "C.UTF-8")
        .env("COLUMNS", "")
        .case(readme())
        .run();
}

#[test]
fn its_shell_blocks_run() {
    let has = |program: &&str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    if let Some(missing) = ["bash", "jq", "curl", "python3"].iter().find(|program| !has(program)) {
        println!("skipped: {missing} is not installed");
        return;
    }
    let scripts = blocks("bash");
    assert!(!scripts.is_empty(), "the README shows no script");
    for script in scripts {
        let output = TestEnv::new().bash(&script).run();
        assert_eq!(output.code(), 0, "{script}\n{output}");
        let told = output.stdout.contains("succeeded") || output.stdout.contains("callback: run-");
        assert!(told, "{script}\n{output}");
    }
}

/// Their tests are in `cookbook`.
#[test]
fn its_recipes_are_the_scripts_that_are_tested() {
    let shown = blocks("sh");
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cookbook")).expect("a folder") {
        let path = entry.expect("a file").path();
        let script = fs::read_to_string(&path).expect("a script");
        let (_, body) = script.split_once('\n').expect("a line that names the shell");
        assert!(shown.iter().any(|block| block == body), "{} is not in the README as it is", path.display());
    }
}
