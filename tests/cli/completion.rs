//! Completion in real shells on a terminal, without a request to a server.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::support::letta::{self, AGENT, RUN, RUN_PATH};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, Output, TestEnv};

/// A home in which a run was sent, an agent was listed, and a profile exists.
fn used(mock: &Mock) -> TestEnv {
    let env = TestEnv::new();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([{"id": AGENT, "name": "tester"}]))]);
    for line in [letta::SEND, "agents list", "config set profiles.work.base_url http://127.0.0.1:1"] {
        let output = env.agentctl(line.split(' ')).server(&mock.url()).run();
        assert_eq!(output.code(), 0, "{output}");
    }
    env
}

/// The completions that fish gets for a command line whose last word is being typed.
fn ask(env: &TestEnv, words: &[&str]) -> Output {
    let output = env.agentctl(["--", "agentctl"].iter().chain(words)).env("AGENTCTL_COMPLETE", "fish").run();
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
    output
}

fn words(output: &Output) -> Vec<&str> {
    output.stdout.lines().filter_map(|line| line.split('\t').next()).collect()
}

#[test]
fn completions_come_from_local_files_only() {
    let mock = letta::done();
    let env = used(&mock);
    let before = mock.connections();
    for (line, word) in [
        (&["wat"][..], "watch"),
        (&["status", ""], RUN),
        (&["status", ""], "@last"),
        (&["watch", "run-2"], RUN),
        (&["cancel", "@"], "@last"),
        (&["send", "--agent", "te"], "tester"),
        (&["send", "-a", "agent-1"], AGENT),
        (&["agents", "show", ""], "tester"),
        (&["--profile", "w"], "work"),
        (&["list", "--status", "r"], "running"),
        (&["list", "--stop-reason", "max_s"], "max_steps"),
        (&["messages", RUN, "--type", "assi"], "assistant_message"),
        (&["send", "--return-types", "tool_c"], "tool_call_message"),
        (&["status", "-o", "j"], "json"),
        (&["schema", "batch-l"], "batch-line"),
        (&["help", "exit"], "exit-codes"),
        (&["help", "sen"], "send"),
        (&["api", "PO"], "POST"),
        (&["config", "get", "base"], "base_url"),
        (&["agents", "create", "--model", "agentctl/s"], "agentctl/script"),
        (&["send", "--when-"], "--when-idle"),
    ] {
        let output = ask(&env, line);
        assert!(words(&output).contains(&word), "{line:?}: {word}\n{output}");
    }
    assert_eq!(mock.connections(), before);
}

#[test]
fn files_are_completed_where_files_belong() {
    let env = TestEnv::new();
    env.write("report.txt", "hi");
    assert_eq!(words(&ask(&env, &["send", "-F", "rep"])), ["report.txt"]);
}

#[test]
fn broken_files_mean_fewer_words_and_no_noise() {
    let env = TestEnv::new();
    fs::create_dir(env.home().join("config/agentctl")).expect("a folder");
    fs::write(env.home().join("config/agentctl/config.toml"), "profiles = [").expect("a file");
    fs::write(env.home().join("agentctl-data/recent"), b"\xff\xfe\nnonsense\n").expect("a file");
    fs::write(env.home().join("agentctl-data/agents"), "agent-nonsense\tx").expect("a file");
    for line in [&["--profile", ""][..], &["status", ""], &["send", "--agent", ""]] {
        ask(&env, line);
    }
}

#[test]
fn a_variable_that_means_something_else_changes_nothing() {
    let output = TestEnv::new().agentctl(["--version"]).env("AGENTCTL_COMPLETE", "1").env("COMPLETE", "bash").run();
    assert!(output.code() == 0 && output.stdout.starts_with("agentctl "), "{output}");
}

/// Whether a shell is installed. If not, prints that its test is skipped.
fn has(shell: &str) -> bool {
    let found = Command::new(shell)
        .arg(if shell == "elvish" { "-version" } else { "--version" })
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: {shell} is not installed");
    }
    found
}

/// Types command lines with Tab into a shell. The requests at the server prove the completed words.
fn types(shell: &str, args: &[&str], setup: &str) {
    let mock = letta::done();
    let env = used(&mock);
    let before = mock.seen("GET").len();
    let mut terminal = Pty::shell(&env, shell, args).server(&mock.url()).columns(200).spawn();
    terminal.type_in(&format!("{setup}; echo rea''dy\r"));
    terminal.wait_for("ready");
    terminal.type_in("agentctl stat\t run-2\t -o none\r");
    mock.wait_for("GET", before + 1);
    terminal.type_in("agentctl agents show tes\t -o none\r");
    mock.wait_for("GET", before + 3);
    terminal.type_in("exit\r");
    let screen = terminal.wait();
    let seen: Vec<String> =
        mock.seen("GET")[before..].iter().map(|request| format!("{}?{}", request.path, request.query)).collect();
    assert_eq!(seen[0], format!("{RUN_PATH}?"), "{}", screen.raw());
    assert!(seen[1].contains("name=tester"), "{seen:?}\n{}", screen.raw());
}

#[test]
fn bash_completes() {
    if has("bash") {
        types("bash", &["--norc", "--noprofile", "-i"], "source <(agentctl completions bash)");
    }
}

#[test]
fn zsh_completes() {
    if has("zsh") {
        types("zsh", &["-f", "-i"], "autoload -U compinit; compinit -u -D; source <(agentctl completions zsh)");
    }
}

#[test]
fn zsh_completes_from_its_folders_at_the_first_tab() {
    if has("zsh") {
        let setup = "mkdir f; agentctl completions zsh > f/_agentctl; fpath=($PWD/f $fpath); autoload -U compinit; compinit -u -D";
        types("zsh", &["-f", "-i"], setup);
    }
}

#[test]
fn fish_completes() {
    if has("fish") {
        types("fish", &["--no-config", "-i"], "agentctl completions fish | source");
    }
}

#[test]
fn elvish_completes() {
    if has("elvish") {
        types("elvish", &["-norc", "-i"], "eval (agentctl completions elvish | slurp)");
    }
}

#[test]
fn every_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = TestEnv::new().agentctl(["completions", shell]).run();
        assert!(output.code() == 0 && output.stdout.contains("AGENTCTL_COMPLETE"), "{shell}\n{output}");
    }
}

/// The brackets, strings and here-strings left open at the end of a PowerShell script.
fn left_open(script: &str) -> String {
    let (mut open, mut rest) = (String::new(), script);
    let close = |open: &mut String, bracket: char| {
        let fits = matches!((open.pop(), bracket), (Some('{'), '}') | (Some('('), ')') | (Some('['), ']'));
        assert!(fits, "`{bracket}` closes nothing");
    };
    while let Some(c) = rest.chars().next() {
        let string =
            [("@\"\n", "\n\"@"), ("\"", "\""), ("'", "'")].into_iter().find(|(start, _)| rest.starts_with(start));
        rest = match string {
            Some((start, end)) => {
                let inner = &rest[start.len()..];
                let Some((_, behind)) = inner.split_once(end) else { return open + start };
                behind
            }
            None => &rest[c.len_utf8()..],
        };
        match c {
            '{' | '(' | '[' => open.push(c),
            '}' | ')' | ']' => close(&mut open, c),
            _ => {}
        }
    }
    open
}

#[test]
fn the_powershell_script_is_whole_and_defines_no_variable() {
    let script = TestEnv::new().agentctl(["completions", "powershell"]).run().stdout;
    assert_eq!(left_open(&script), "", "{script}");
    for line in [
        "Register-ArgumentCompleter -Native -CommandName agentctl -ScriptBlock {",
        "$prev = $env:AGENTCTL_COMPLETE;",
        "$env:AGENTCTL_COMPLETE = \"powershell\";",
        "& agentctl -- $args",
        "Remove-Item Env:\\AGENTCTL_COMPLETE;",
        "$env:AGENTCTL_COMPLETE = $prev;",
    ] {
        let times = script.lines().filter(|one| one.trim() == line).count();
        assert_eq!(times, 1, "{line}\n{script}");
    }
    for (broken, open) in [("{ \"}\" ", "{"), ("f(@\"\n)\n\"@", "("), ("'a", "'"), ("$a[\"`t\"", "[")] {
        assert_eq!(left_open(broken), open);
    }
}

#[test]
fn powershell_is_answered_with_words_and_their_meaning() {
    let env = used(&letta::done());
    for (words, word) in [
        (&["wat"][..], "watch"),
        (&["status", ""], "@last"),
        (&["send", "--agent", ""], "tester"),
        (&["list", "--status", "r"], "running"),
        (&["send", "--"], "--watch"),
        (&["help", ""], "exit-codes"),
    ] {
        let process = env.agentctl(["--", "agentctl"].iter().chain(words));
        let output = process.env("AGENTCTL_COMPLETE", "powershell").run();
        assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
        let answers: Vec<Vec<&str>> = output.stdout.lines().map(|line| line.split('\t').collect()).collect();
        assert!(answers.iter().any(|answer| answer[0] == word), "{words:?}: {word}\n{output}");
        // The script takes a line apart at its tab, and an empty word for an error.
        let is_fit = |answer: &Vec<&str>| answer.len() <= 2 && answer.iter().all(|part| !part.is_empty());
        assert!(answers.iter().all(is_fit), "{words:?}\n{output}");
    }
}
