//! The rooms of the program and the arrows between them: a room may use only what its row of the table names, and files
//! other than parent and child have no circle of dependencies.

mod circles;
mod modules;
mod paths;
mod table;
mod tokens;

use std::collections::BTreeSet;

use circles::Circles;
use modules::Tree;
pub use modules::sources;

/// Names a path from the root of the crate. The items of `lib.rs` are in the room `lib`.
fn name(path: &[String], tree: &Tree) -> String {
    let is_module = path.first().is_some_and(|_| tree.contains(&path[..1]));
    let lib = (!is_module).then(|| "lib".to_owned());
    lib.iter().chain(path).cloned().collect::<Vec<_>>().join("::")
}

#[test]
fn every_room_uses_only_the_rooms_of_its_row() {
    let tree = Tree::new(&sources("src"), true);
    let offences: Vec<String> = tree
        .arrows()
        .iter()
        .filter_map(|arrow| {
            Some(format!("{}: {}", arrow.place, table::offence(&name(&arrow.from, &tree), &name(&arrow.to, &tree))?))
        })
        .collect();
    assert!(offences.is_empty(), "arrows that the table does not allow:\n{}", offences.join("\n"));
}

#[test]
fn every_entry_of_the_table_has_an_arrow() {
    let tree = Tree::new(&sources("src"), true);
    let arrows: Vec<_> = tree.arrows().iter().map(|arrow| (name(&arrow.from, &tree), name(&arrow.to, &tree))).collect();
    let unused = table::unused(&arrows);
    assert!(unused.is_empty(), "no path uses these, so delete them from the table:\n{}", unused.join("\n"));
}

#[test]
fn every_room_on_disk_is_in_the_table_and_every_row_on_disk() {
    let tree = Tree::new(&sources("src"), true);
    let names: BTreeSet<String> = tree.modules().map(|module| name(module, &tree)).collect();
    let unknown: Vec<&String> = names.iter().filter(|name| table::room(name).is_none()).collect();
    assert!(unknown.is_empty(), "rooms that the table does not know: {unknown:?}");
    let gone: Vec<&str> = table::ARROWS.iter().map(|(room, _)| *room).filter(|room| !names.contains(*room)).collect();
    assert!(gone.is_empty(), "rows without a room: {gone:?}");
}

#[test]
fn the_table_has_no_circle() {
    for (room, _) in table::ARROWS {
        assert!(!table::below(room).contains(room), "`{room}` is above itself");
    }
}

#[test]
fn files_have_no_circle_of_dependencies() {
    let circles = Circles::of(&Tree::new(&sources("src"), false));
    let shown: Vec<String> = circles.found.iter().map(|circle| circles.shown(circle)).collect();
    assert!(shown.is_empty(), "circles of dependencies between files:\n{}", shown.join("\n"));
}

#[test]
fn a_path_to_another_room_begins_at_the_root() {
    for source in sources("src") {
        let climbs = source.text.lines().position(|line| line.contains("super::super::"));
        assert_eq!(climbs.map(|line| line + 1), None, "{}: write `crate::` instead", source.shown);
    }
}
