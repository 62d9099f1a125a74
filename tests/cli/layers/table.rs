//! The table of rooms, and the arrows that it allows.

use std::collections::BTreeSet;

/// Each room under `src/`, and the rooms or items that it may use.
///
/// A row of an inner room (`server::store`) holds for its files instead of the row of the room around it. There, a row
/// names the inner rooms that it may use, and the room around itself only for the items of its `mod.rs`.
pub const ARROWS: &[(&str, &[&str])] = &[
    // The process: streams, signals, the exit code.
    ("main", &["lib", "config", "ui"]),
    // The list of rooms, and the one function that the binary calls.
    ("lib", &["cli", "commands", "config", "exit", "report", "ui"]),
    // Arguments, and which command they name.
    ("cli", &["commands", "global", "report", "exit"]),
    // A file per command. Only commands connect the client to the local server.
    (
        "commands",
        &[
            "global", "follow", "listen", "api", "server", "render", "ui", "jq", "schema", "config", "net", "db",
            "core", "model", "text", "report", "exit",
        ],
    ),
    // The flags that every command takes.
    ("global", &["ui", "config", "text"]),
    // The only poller.
    ("follow", &["api", "core", "model", "text", "report", "exit"]),
    // A receiver of callbacks. A callback is only a hint to poll, so the receiver knows no more than ids.
    ("listen", &["model"]),
    // The client: a method per endpoint.
    ("api", &["sabotage", "net", "core", "model", "text", "report", "exit"]),
    // The local server: its start and its end. It shares only the model with the client.
    ("server", &["server::http", "server::engine", "server::models", "server::store", "server::types", "db", "model"]),
    // The server as its own tests drive it.
    ("server::tests", &["server", "server::engine", "server::store", "server::types", "model"]),
    // Listener, middleware, routes, validation.
    (
        "server::http",
        &[
            "server",
            "server::engine",
            "server::render",
            "server::models",
            "server::store",
            "server::types",
            "db",
            "model",
            "report",
        ],
    ),
    // Workers, execution of runs, callbacks, approvals, subscriptions.
    (
        "server::engine",
        &[
            "server",
            "server::render",
            "server::models",
            "server::store",
            "server::types",
            "sabotage",
            "model",
            "report",
        ],
    ),
    // Rows of the database as documents of the API.
    ("server::render", &["server", "server::store", "server::types", "model"]),
    // The models that answer: echo, script, chat completions.
    ("server::models", &["server::types", "net", "core", "model", "text", "report"]),
    // Queries and transactions.
    ("server::store", &["server::types", "sabotage", "db", "model"]),
    // The types that the other rooms of the server share.
    ("server::types", &["net", "model", "text"]),
    // Turns runs, messages and agents into lines, tables and JSON. It prints nothing.
    ("render", &["follow::event", "core", "model", "text", "report"]),
    // Streams, progress, prompts.
    ("ui", &["follow::event", "jq", "core", "model", "text", "report", "exit"]),
    // JSON Schemas of the documents that the program reads and writes. Pure.
    ("schema", &["render", "core", "report", "model"]),
    // A jq filter for the printed documents. Pure.
    ("jq", &["model", "text", "report"]),
    // The base URL, the credentials and the settings: from flags, environment and files.
    ("config", &["net", "db", "model", "text", "report", "exit"]),
    // HTTP, TLS, proxies, address policy.
    ("net", &["report", "exit"]),
    // SQLite.
    ("db", &[]),
    // A failure: what happened, why, and what to do next. It may name any id, and escapes what it shows.
    ("report", &["exit", "model", "text"]),
    // Decisions. Pure.
    ("core", &["model", "exit"]),
    // The nouns of the API.
    ("model", &["text::show"]),
    // Exit codes.
    ("exit", &[]),
    // Promises broken on purpose, in builds that the fault tests must catch.
    ("sabotage", &[]),
    // Text for people.
    ("text", &[]),
];

/// Whether a path is a place, or something in it.
pub fn within(path: &str, place: &str) -> bool {
    path.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns the room of a path: the longest that has a row.
pub fn room(path: &str) -> Option<&'static str> {
    ARROWS.iter().map(|(room, _)| *room).filter(|room| within(path, room)).max_by_key(|room| room.len())
}

fn row(room: &str) -> &'static [&'static str] {
    ARROWS.iter().find(|(name, _)| *name == room).map_or(&[], |(_, row)| row)
}

/// Returns the entry of a row that allows a path, if there is one.
pub fn entry(from: &str, to: &str) -> Option<&'static str> {
    let from = room(from)?;
    let allows = |entry: &&str| {
        let is_around = from != *entry && within(from, entry);
        if is_around { room(to) == Some(entry) } else { within(to, entry) }
    };
    row(from).iter().copied().find(allows)
}

/// Returns what is wrong with a path from a module to another, if anything.
pub fn offence(from: &str, to: &str) -> Option<String> {
    let Some(own) = room(from) else { return Some(format!("the room of `{from}` is not in the table")) };
    let Some(target) = room(to) else { return Some(format!("`{to}` leads to no known room")) };
    let allowed = target == own || entry(from, to).is_some();
    (!allowed).then(|| format!("`{own}` must not use `{to}`"))
}

/// Returns the rooms that a room may use, directly or through others.
///
/// An entry for an item is left out, since the item is plain data. So is the room around an inner one.
pub fn below(from: &str) -> BTreeSet<&'static str> {
    let counts = |from: &str, entry: &str| room(entry) == Some(entry) && !within(from, entry);
    let entries = |from: &str| row(from).iter().copied().filter(|entry| counts(from, entry)).collect::<Vec<_>>();
    let mut seen = BTreeSet::new();
    let mut next = entries(from);
    while let Some(to) = next.pop() {
        if seen.insert(to) {
            next.extend(entries(to));
        }
    }
    seen
}

/// Returns the entries of the table that none of these arrows uses.
pub fn unused(arrows: &[(String, String)]) -> Vec<String> {
    let used: BTreeSet<(&str, &str)> =
        arrows.iter().filter_map(|(from, to)| Some((room(from)?, entry(from, to)?))).collect();
    let entries = ARROWS.iter().flat_map(|(room, row)| row.iter().map(move |entry| (*room, *entry)));
    entries.filter(|pair| !used.contains(pair)).map(|(room, entry)| format!("{room} -> {entry}")).collect()
}

#[test]
fn an_entry_without_an_arrow_is_unused() {
    let arrow = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let found = unused(&[arrow("core::retry", "model::Run"), arrow("server::http::routes", "server::Options")]);
    assert!(!found.contains(&"core -> model".to_owned()) && !found.contains(&"server::http -> server".to_owned()));
    assert!(found.contains(&"core -> exit".to_owned()) && found.contains(&"commands -> server".to_owned()));
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
    for (from, to) in
        [("model", "text::show::show"), ("render", "follow::event::Event"), ("api", "api::error"), ("ui", "core")]
    {
        assert_eq!(offence(from, to), None);
    }
}

#[test]
fn an_inner_room_has_its_own_row() {
    assert!(offence("server::store::runs", "server::render::run").is_some());
    assert!(offence("server::store::runs", "server::start").is_some());
    assert!(offence("server::store::runs", "text").is_some());
    assert_eq!(offence("server::http::routes", "server::store::runs"), None);
    assert_eq!(offence("server::http::routes", "server::Options"), None);
    assert!(within("follow::event::Event", "follow::event") && !within("follow::events", "follow::event"));
}
