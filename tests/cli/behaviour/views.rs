//! The output of each command: within the width of the screen for people, one JSON document a line for scripts.

use std::collections::HashSet;

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Behaviour, Fixture, for_each_fixture};
use crate::support::Output;

for_each_fixture!(every_view_fits_80_and_40_columns, every_view_is_a_json_document_a_line, answers_are_views_too);

/// The commands that look, and change nothing. `@last` is a run that has ended.
const LOOKS: [&str; 16] = [
    "status @last",
    "status @last --detail",
    "watch @last",
    "watch @last --follow",
    "messages @last",
    "list",
    "list --stats",
    "list --active",
    "cancel @last",
    "agents list",
    "agents show AGENT",
    "api GET /v1/health/",
    "config list",
    "config path",
    "doctor",
    "schema run",
];

/// Whether a line keeps within the screen, but for what must not be cut: ids, and the commands and paths with them.
fn fits(line: &str, columns: usize) -> bool {
    let must_stay_whole = |word: &str| word.len() > 20 && (word.contains('-') || word.contains(['/', '_']));
    line.width() <= columns || line.split_whitespace().any(must_stay_whole)
}

fn look(fixture: &Fixture, command: &str, flags: &[&str], columns: &str) -> Output {
    let command = command.replace("AGENT", fixture.agent());
    let args: Vec<&str> = command.split(' ').chain(flags.iter().copied()).collect();
    let output = fixture.agentctl(&args).env("COLUMNS", columns).run();
    assert_eq!(output.code(), 0, "{command}\n{output}");
    output
}

/// Every line of what was said or returned in the last run: it is printed as it is, so that it can be copied.
fn said(fixture: &Fixture) -> HashSet<String> {
    fn texts(value: &Value, found: &mut HashSet<String>) {
        match value {
            Value::String(text) => found.extend(text.lines().map(str::to_owned)),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| texts(field, found)),
            _ => {}
        }
    }
    let mut found = HashSet::new();
    let messages = fixture.agentctl(&["messages", "@last"]).run();
    messages.documents().iter().for_each(|message| texts(message, &mut found));
    found
}

fn every_view_fits_80_and_40_columns(fixture: &Fixture) {
    assert_eq!(fixture.follow(Behaviour::Tools(2), &[]).code(), 0);
    let said = said(fixture);
    for columns in [80, 40] {
        // Their output does not adapt to the width.
        let is_fitted = |command: &&&str| !["api", "config", "schema"].iter().any(|verb| command.starts_with(verb));
        for command in LOOKS.iter().filter(is_fitted) {
            let output = look(fixture, command, &["-o", "human"], &columns.to_string());
            let wide: Vec<&str> =
                output.stdout.lines().filter(|line| !fits(line, columns) && !said.contains(*line)).collect();
            assert_eq!(wide, Vec::<&str>::new(), "`{command}` at {columns} columns\n{output}");
            assert!(!output.stdout.contains('\u{1b}'), "`{command}` off a terminal\n{output}");
        }
    }
}

fn every_view_is_a_json_document_a_line(fixture: &Fixture) {
    assert_eq!(fixture.follow(Behaviour::Tools(2), &[]).code(), 0);
    // `config` prints text, and `schema` indents its one document.
    for command in LOOKS.iter().filter(|command| !command.starts_with("config") && !command.starts_with("schema")) {
        let output = look(fixture, command, &["-o", "json"], "40");
        assert!(output.documents().iter().all(Value::is_object), "`{command}`\n{output}");
        let filtered = look(fixture, command, &["--jq", "type"], "40");
        let lines = filtered.stdout.lines().count();
        assert_eq!(filtered.stdout, "object\n".repeat(lines), "`{command}`\n{filtered}");
    }
    let schema = look(fixture, "schema run", &[], "40");
    assert_eq!(serde_json::from_str::<Value>(&schema.stdout).expect("JSON")["type"], json!("object"));
}

fn answers_are_views_too(fixture: &Fixture) {
    for verb in ["approve", "deny"] {
        for format in ["human", "json"] {
            fixture.let_it_ask();
            assert_eq!(fixture.follow(Behaviour::Ask, &[]).code(), 6);
            let output = fixture.agentctl(&[verb, "@last", "--wait", "-o", format]).env("COLUMNS", "40").run();
            assert_eq!(output.code(), 0, "{verb}\n{output}");
            match format {
                "json" => assert_eq!(output.document()["_agentctl"]["outcome"], "succeeded", "{output}"),
                _ => assert!(output.stdout.lines().all(|line| fits(line, 40)), "{output}"),
            }
        }
    }
}
