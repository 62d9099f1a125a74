//! The environment and the arguments are read in `main.rs` only; everything else gets values passed in.

use super::layers::sources;

/// Files that may read the process: `main.rs`, broken builds, and tests that start themselves again.
const EXEMPT: [&str; 3] = ["src/main.rs", "src/sabotage.rs", "src/server/tests/"];

/// Returns the lines of a source text that read the environment or the arguments.
fn reads(text: &str) -> impl Iterator<Item = &str> {
    let code = text.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.filter(|line| ["env::var", "env::args"].iter().any(|call| line.contains(call)))
}

#[test]
fn only_main_reads_the_environment_and_the_arguments() {
    let mut found = vec![];
    for source in sources("src") {
        let is_exempt = EXEMPT.iter().any(|place| source.shown.starts_with(place));
        found.extend(reads(&source.text).filter(|_| !is_exempt).map(|line| format!("{}: {line}", source.shown)));
    }
    assert!(found.is_empty(), "pass these values in from main.rs:\n{}", found.join("\n"));
}

#[test]
fn every_call_that_reads_the_process_is_found() {
    for call in ["std::env::var(name)", "env::var_os(name)", "env::vars()", "env::vars_os()", "env::args_os()"] {
        assert_eq!(reads(&format!("let value = {call};")).count(), 1, "{call}");
    }
    assert_eq!(reads("/// As `std::env::vars_os` lists them.\nlet version = env!(\"CARGO_PKG_VERSION\");").count(), 0);
}

#[test]
fn main_is_among_the_searched_files() {
    assert!(sources("src").iter().any(|source| source.shown == "src/main.rs" && reads(&source.text).count() == 2));
}
