//! The rooms of the program and the arrows between them: a room may use only what stands in its row.
//!
//! Paths are read off the source as text: everything that follows `crate::` (in `main.rs`, `agentctl::`) names a room.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each room under `src/`, and the rooms that it may use.
const ARROWS: &[(&str, &[&str])] = &[
    // The process: streams, signals, the exit code.
    ("main", &["lib", "config", "ui"]),
    // The list of the rooms, and the one function that the binary calls.
    ("lib", &["cli", "commands", "config", "exit", "report", "ui"]),
    // Arguments, and which command they mean.
    ("cli", &["commands", "config", "ui", "exit", "report", "text"]),
    // A verb each: they bring the rooms below together, and only they hand the local server to the client.
    (
        "commands",
        &[
            "cli", // Global flags and the argument definition that completions and man pages are made from.
            "follow", "listen", "api", "server", "render", "ui", "jq", "schema", "config", "net", "db", "core",
            "model", "text", "report", "exit",
        ],
    ),
    // The only poller.
    ("follow", &["api", "core", "model", "text", "report", "exit"]),
    // A receiver of callbacks: what it hears is a hint, so that it needs to know no more than ids.
    ("listen", &["model", "text", "exit"]),
    // The client: a method per endpoint.
    ("api", &["sabotage", "net", "core", "model", "text", "report", "exit"]),
    // The local server. It meets the client only in the model.
    ("server", &["sabotage", "net", "db", "core", "model", "text", "report", "exit"]),
    // What is seen becomes lines, tables and JSON. It prints nothing.
    ("render", &["follow::event", "ui::io::Look", "core", "model", "text", "report", "exit"]),
    // Streams, progress, prompts.
    ("ui", &["follow::event", "render", "jq", "core", "model", "text", "report", "exit"]),
    // JSON Schemas of what the rooms below write and read. Pure.
    ("schema", &["render", "core", "report", "model"]),
    // A filter for the documents that are printed. Pure.
    ("jq", &["model", "text", "report"]),
    // Where to and as whom: flags, environment, files.
    ("config", &["net", "db", "core", "model", "text", "report", "exit"]),
    // HTTP, TLS, proxies, address policy.
    ("net", &["core", "model", "text", "report", "exit"]),
    // SQLite.
    ("db", &["core", "model", "text", "report", "exit"]),
    // What went wrong: what, why, what next. It may name any id and shows only what is fit to be shown.
    ("report", &["exit", "model", "text"]),
    // The decisions. Pure.
    ("core", &["model", "text", "exit"]),
    // The nouns of the API.
    ("model", &["text::show"]),
    // Exit codes.
    ("exit", &[]),
    // Promises broken on purpose, in builds that harnesses must catch.
    ("sabotage", &[]),
    // Text for people.
    ("text", &[]),
];

/// A path to another room, and where it stands.
struct Arrow {
    from: String,
    to: String,
    place: String,
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.extension() {
            _ if path.is_dir() => files(&path, found),
            Some(extension) if extension == "rs" => found.push(path),
            _ => {}
        }
    }
}

/// The room that a file belongs to: the first part of its path under `src/`.
fn room(file: &Path) -> String {
    let first = file.strip_prefix(source()).expect("a source file").components().next().expect("a name");
    first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn arrows() -> Vec<Arrow> {
    let mut found = vec![];
    files(&source(), &mut found);
    found.sort();
    found.iter().flat_map(|file| arrows_of(file)).collect()
}

fn arrows_of(file: &Path) -> Vec<Arrow> {
    let from = room(file);
    let text = fs::read_to_string(file).expect("a source file");
    let shown = file.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(file).display().to_string();
    let root = if from == "main" { "agentctl::" } else { "crate::" };
    let code = without_comments(&text);
    let mut arrows = vec![];
    for (at, _) in code.match_indices(root) {
        let line = code[..at].matches('\n').count() + 1;
        let place = format!("{shown}:{line}");
        for to in paths(&code[at + root.len()..]) {
            arrows.push(Arrow { from: from.clone(), to, place: place.clone() });
        }
    }
    arrows
}

/// The source with `//` comments blanked; line numbers stay.
fn without_comments(text: &str) -> String {
    let line = |line: &str| line.find("//").map_or(line, |at| &line[..at]).to_owned();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The paths that begin here: `a::b::C`, or each branch of `{a::b, c}`.
fn paths(rest: &str) -> Vec<String> {
    if rest.starts_with('{') {
        return branches(rest).into_iter().flat_map(|branch| paths(branch.trim())).collect();
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
    let path = rest[..end].trim_end_matches(':');
    if path.is_empty() { vec![] } else { vec![path.to_owned()] }
}

/// What stands between the commas of a group in braces.
fn branches(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 1, vec![]);
    for (at, c) in group.char_indices() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        if (depth == 1 && c == ',') || depth == 0 {
            found.push(&group[start..at]);
            start = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// Whether the path lies in a place that a row allows: the place itself, or something in it.
fn within(path: &str, allowed: &str) -> bool {
    path.strip_prefix(allowed).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What is wrong with a path from one room to another, if anything.
fn offence(from: &str, to: &str) -> Option<String> {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    let target = to.split("::").next().unwrap_or_default();
    let Some(row) = table.get(from) else { return Some(format!("the room `{from}` is not in the table")) };
    if !table.contains_key(target) {
        return Some(format!("`{to}` leads to no known room"));
    }
    let allowed = target == from || row.iter().any(|allowed| within(to, allowed));
    (!allowed).then(|| format!("`{from}` must not use `{to}`"))
}

#[test]
fn every_room_uses_only_the_rooms_below_it() {
    let names = names_in_lib();
    let in_lib = |to: &str| to.split("::").next().is_some_and(|first| names.contains(first));
    let target = |to: &str| if in_lib(to) { "lib".to_owned() } else { to.to_owned() };
    let offences: Vec<String> = arrows()
        .iter()
        .filter_map(|arrow| Some(format!("{}: {}", arrow.place, offence(&arrow.from, &target(&arrow.to))?)))
        .collect();
    assert!(offences.is_empty(), "arrows that the table does not allow:\n{}", offences.join("\n"));
}

#[test]
fn an_arrow_that_goes_up_or_nowhere_is_an_offence() {
    for (from, to) in [
        ("text", "model::Run"),
        ("model", "text::page::Page"),
        ("api", "server::start"),
        ("server", "api::Client"),
        ("render", "ui::io::Io"),
        ("follow", "render"),
        ("core", "nowhere"),
        ("nowhere", "core"),
    ] {
        assert!(offence(from, to).is_some(), "{from} -> {to}");
    }
    for (from, to) in [("model", "text::show::show"), ("render", "ui::io::Look"), ("api", "api::error"), ("ui", "core")]
    {
        assert_eq!(offence(from, to), None);
    }
}

/// Functions and types that `lib.rs` itself defines.
fn names_in_lib() -> BTreeSet<String> {
    let lib = fs::read_to_string(source().join("lib.rs")).expect("lib.rs");
    let name = |line: &str| {
        let rest = ["pub fn ", "pub struct ", "pub enum "].iter().find_map(|start| line.strip_prefix(start))?;
        Some(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
    };
    lib.lines().filter_map(name).collect()
}

#[test]
fn every_room_on_disk_is_in_the_table() {
    let mut found = vec![];
    files(&source(), &mut found);
    let rooms: BTreeSet<String> = found.iter().map(|file| room(file)).collect();
    let table: BTreeSet<String> = ARROWS.iter().map(|(room, _)| (*room).to_owned()).collect();
    let unknown: Vec<&String> = rooms.difference(&table).collect();
    assert!(unknown.is_empty(), "rooms that the table does not know: {unknown:?}");
}

#[test]
fn a_path_to_another_room_begins_at_the_root() {
    let mut found = vec![];
    files(&source(), &mut found);
    for file in found {
        let text = fs::read_to_string(&file).expect("a source file");
        let climbs = text.lines().position(|line| line.contains("super::super::"));
        assert_eq!(climbs.map(|line| line + 1), None, "{}: write `crate::` instead", file.display());
    }
}

#[test]
fn the_table_has_no_cycle_but_between_looks_and_their_drawing() {
    let table: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    // An arrow to a part of a room (`follow::event`) is one to plain data that lives there.
    let below = |room: &str| table[room].iter().filter(|to| !to.contains("::")).copied();
    for (room, _) in ARROWS {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&str> = below(room).collect();
        while let Some(to) = next.pop() {
            if seen.insert(to) {
                next.extend(below(to));
            }
        }
        let allowed = matches!(*room, "cli" | "commands");
        assert!(allowed || !seen.contains(room), "`{room}` is above itself");
    }
}

#[test]
fn groups_of_paths_are_taken_apart() {
    assert_eq!(paths("{api, core::{poll, retry}, text};\nuse crate::x"), ["api", "core", "text"]);
    assert_eq!(paths("{\n    api,\n    net,\n};"), ["api", "net"]);
    assert_eq!(paths("model::{Run, RunId};"), ["model"]);
    assert_eq!(paths("core::outcome::outcome(run)"), ["core::outcome::outcome"]);
    assert!(within("follow::event::Event", "follow::event") && !within("follow::events", "follow::event"));
}
