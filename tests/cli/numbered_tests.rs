//! The index of numbered tests in RELIABILITY.md names every `agt_NN` test, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::layers::sources;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The names of the `agt_NN` test functions in a source text.
fn defined(source: &str) -> impl Iterator<Item = String> {
    source.split("fn ").filter(|rest| rest.starts_with("agt_")).map(identifier)
}

/// The rows of the index: a number, and the names of its tests.
fn rows(page: &str) -> Vec<(&str, Vec<String>)> {
    page.lines()
        .filter_map(|line| {
            let [_, number, promise, tests, _] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
                return None;
            };
            let is_row = number.starts_with("agt_");
            assert!(!is_row || !promise.is_empty(), "{number} does not say what it is about");
            is_row.then(|| (number, tests.split(", ").map(|name| name.trim_matches('`').to_owned()).collect()))
        })
        .collect()
}

fn identifier(rest: &str) -> String {
    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

#[test]
fn the_index_names_every_numbered_test_and_no_other() {
    let files: Vec<_> = ["src", "tests"].into_iter().flat_map(sources).collect();
    let tests: BTreeSet<String> = files.iter().flat_map(|file| defined(&file.text)).collect();
    let page = fs::read_to_string(Path::new(ROOT).join("RELIABILITY.md")).expect("RELIABILITY.md");
    let rows = rows(&page);
    let named: BTreeSet<String> = rows.iter().flat_map(|(_, names)| names.clone()).collect();
    assert!(tests.len() >= 19, "{tests:#?}");
    assert_eq!(named, tests);
    for (number, names) in &rows {
        assert!(names.iter().all(|name| name.starts_with(&format!("{number}_"))), "{number}: {names:?}");
    }
    assert!(rows.is_sorted_by(|one, next| one.0 < next.0), "in order, each number once");
}

#[test]
fn a_test_and_a_row_are_found_in_their_texts() {
    let source = "#[test]\nfn agt\u{5f}98_a() {}\n    async fn agt\u{5f}99_b() {}\nfn other() {}";
    assert_eq!(defined(source).collect::<Vec<_>>(), ["agt_98_a", "agt_99_b"]);
    let page = "| agt_98 | An attack. | `agt_98_a`, `agt_98_b` |\n| agt_20 | 126 | 126 | 0 |\n";
    assert_eq!(rows(page), [("agt_98", vec!["agt_98_a".to_owned(), "agt_98_b".to_owned()])]);
}
