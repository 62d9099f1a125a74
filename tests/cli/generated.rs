//! Files generated from the definition of the command line are up to date.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use agentctl::cli::Cli;
use agentctl::exit::Exit;

use crate::support::TestEnv;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The committed file is what the program prints. `UPDATE=1` writes it anew.
fn is_committed(file: &str, args: &[&str]) {
    let output = TestEnv::new().agentctl(args).run();
    assert_eq!(output.code(), 0, "{output}");
    let path: PathBuf = root().join(file);
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, &output.stdout).expect("a file that can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == output.stdout, "{file} is out of date: run the tests once with UPDATE=1");
}

#[test]
fn the_committed_completions_are_those_of_this_version() {
    for (shell, file) in [
        ("bash", "agentctl.bash"),
        ("zsh", "_agentctl"),
        ("fish", "agentctl.fish"),
        ("elvish", "agentctl.elv"),
        ("powershell", "_agentctl.ps1"),
    ] {
        is_committed(&format!("completions/{file}"), &["completions", shell]);
    }
}

#[test]
fn bash_takes_the_completions() {
    let output = TestEnv::new().bash("source <(agentctl completions bash); complete -p agentctl").run();
    assert_eq!(output.code(), 0, "{output}");
}

/// Every command, as the words of its command line.
fn commands() -> Vec<Vec<String>> {
    fn walk(command: &clap::Command, path: &[String], all: &mut Vec<Vec<String>>) {
        all.push(path.to_vec());
        for sub in command.get_subcommands() {
            walk(sub, &[path, &[sub.get_name().to_owned()]].concat(), all);
        }
    }
    let mut all = Vec::new();
    walk(&Cli::command(), &[], &mut all);
    all
}

#[test]
fn every_help_fits_80_columns_and_names_no_value_of_the_environment() {
    let env = TestEnv::new();
    for command in commands() {
        for flag in ["-h", "--help"] {
            let args = command.iter().map(String::as_str).chain([flag]);
            let process = env.agentctl(args).env("COLUMNS", "80").env("LETTA_API_KEY", "sk-canary");
            let output = process.env("LETTA_BASE_URL", "http://canary.example").env("LETTA_AGENT_ID", "canary").run();
            assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
            assert!(!output.stdout.contains("canary"), "{output}");
            let wide = output.stdout.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{command:?} {flag}");
        }
    }
}

#[test]
fn the_manual_page_names_every_command() {
    let output = TestEnv::new().agentctl(["man"]).run();
    assert!(output.code() == 0 && output.stdout.contains(".TH"), "{output}");
    for command in commands().iter().filter(|command| command.len() == 1) {
        assert!(output.stdout.contains(&command[0]), "{command:?}");
    }
}

#[test]
fn the_readme_has_the_exit_codes_of_this_version() {
    let Ok(readme) = fs::read_to_string(root().join("README.md")) else {
        eprintln!("skipped: there is no README.md yet");
        return;
    };
    let rows: Vec<(u8, &str)> = readme
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> =
                line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
            let [code, meaning] = cells[..] else { return None };
            Some((code.trim_matches('`').parse().ok()?, meaning))
        })
        .collect();
    let expected: Vec<(u8, &str)> = Exit::ALL.iter().map(|exit| (exit.code(), exit.meaning())).collect();
    assert_eq!(rows, expected);
}
