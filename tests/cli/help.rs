//! `help` and `man`: topics that are complete, pages for every command.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use agentctl::exit::Exit;

use crate::support::process::Output;
use crate::support::{Mock, TestEnv, agentctl};

fn run(args: &[&str], columns: &str) -> Output {
    let output = TestEnv::new().agentctl(args).env("COLUMNS", columns).run();
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
    output
}

#[test]
fn every_topic_fits_the_terminal() {
    for topic in ["exit-codes", "environment", "output"] {
        for columns in [80, 40] {
            let output = run(&["help", topic], &columns.to_string());
            let wide = output.stdout.lines().find(|line| line.chars().count() > columns);
            assert_eq!(wide, None, "{topic} at {columns}");
        }
        assert!(run(&["--help"], "80").stdout.contains(&format!("help {topic}")), "{topic} is in --help");
    }
}

#[test]
fn every_exit_code_is_in_its_topic_with_its_meaning() {
    let output = run(&["help", "exit-codes"], "80");
    let words = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for exit in Exit::ALL {
        assert!(words.contains(&format!("{} {}", exit.code(), exit.meaning())), "{exit:?}\n{output}");
    }
}

/// The sources, without their tests.
fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path: PathBuf = entry.expect("an entry").path();
        match path.file_name().and_then(|name| name.to_str()) {
            Some("tests" | "topics.rs") => {}
            _ if path.is_dir() => sources(&path, found),
            _ => {
                let text = fs::read_to_string(&path).expect("a source");
                found.push(text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned());
            }
        }
    }
}

/// Variables as they are read, and as the helps of flags name them.
fn variables() -> BTreeSet<String> {
    let mut texts = vec![];
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut texts);
    let reads = ["get(\"", "given(\"", ".path(\"", "is_on(\"", "var(\"", "var_os(\"", "either(\"", "Variable(\""];
    let mut names = BTreeSet::new();
    for text in &texts {
        for read in reads {
            names.extend(text.split(read).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
        let helps = text.split("[env: ").skip(1).filter_map(|rest| rest.split(']').next());
        names.extend(helps.flat_map(|help| help.split(", ")).map(str::to_owned));
        let listed = text.split('"').filter(|word| word.contains('_'));
        names.extend(
            listed
                .filter(|word| ["LETTA_", "AGENTCTL_", "LC_"].iter().any(|start| word.starts_with(start)))
                .map(str::to_owned),
        );
    }
    let is_name = |name: &String| name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    names.retain(is_name);
    // Set at build time, and the switch of a sabotaged build.
    for name in ["AGENTCTL_COMMIT", "AGENTCTL_SABOTAGE"] {
        names.remove(name);
    }
    names
}

#[test]
fn every_variable_that_is_read_is_in_the_topic() {
    let (output, variables) = (run(&["help", "environment"], "80"), variables());
    assert!(variables.len() > 20 && variables.contains("NO_COLOR"), "{variables:?}");
    let words: BTreeSet<&str> = output.stdout.split([' ', ',', '\n']).collect();
    let missing: Vec<&String> = variables.iter().filter(|name| !words.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "not in the topic: {missing:?}");
}

#[test]
fn the_help_of_a_command_is_that_of_its_flag() {
    for words in [&["send"][..], &["agents", "list"], &[]] {
        let asked = run(&[&["help"], words].concat(), "80");
        assert_eq!(asked.stdout, run(&[words, &["--help"]].concat(), "80").stdout, "{words:?}");
    }
    let output = agentctl(&Mock::start(), "help nope");
    assert_eq!(output.code(), 2, "{output}");
}

#[test]
fn every_command_has_a_manual_page() {
    let env = TestEnv::new();
    let output = env.agentctl(["man", "--out", "pages"]).run();
    assert_eq!(output.code(), 0, "{output}");
    let pages: BTreeSet<String> = fs::read_dir(env.home().join("pages"))
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    for page in ["agentctl.1", "agentctl-send.1", "agentctl-agents-list.1", "agentctl-help.1"] {
        assert!(pages.contains(page), "{page}: {pages:?}");
    }
    assert!(!pages.iter().any(|page| page.contains("list-help") || page.contains("agents-help")), "{pages:?}");
    let written = fs::read_to_string(env.home().join("pages/agentctl-send.1")).expect("a page");
    assert_eq!(run(&["man", "send"], "80").stdout, written);
    assert!(written.contains("agentctl\\-send") || written.contains("agentctl-send"), "{written}");
}

#[test]
fn the_page_of_the_program_has_the_topics() {
    let page = run(&["man"], "80").stdout;
    for section in ["EXIT CODES", "ENVIRONMENT", "OUTPUT"] {
        assert!(page.contains(section), "{section}");
    }
    assert!(page.contains("LETTA_BASE_URL") && page.contains("safe to repeat"));
}

#[test]
fn a_missing_page_is_reported_with_the_existing_ones() {
    for (line, word) in [("man nope", "send"), ("man agents nope", "list"), ("man --out x send", "--out")] {
        let output = agentctl(&Mock::start(), line);
        assert_eq!(output.code(), 2, "{line}\n{output}");
        assert!(output.stderr.contains(word), "{line}\n{output}");
    }
}
