//! The tables of RELIABILITY.md: each is enclosed by two marks, and written by the harness that counted it.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Held while the page is written: harnesses may run side by side.
static PAGE: Mutex<()> = Mutex::new(());

/// A table of a harness, row by row.
pub struct Table {
    name: &'static str,
    lines: Vec<String>,
}

impl Table {
    /// Begins the table between `<!-- NAME -->` and `<!-- /NAME -->`.
    pub fn new(name: &'static str, columns: &[&str]) -> Self {
        let mut table = Self { name, lines: Vec::new() };
        table.row(columns);
        table.row(&vec!["---"; columns.len()]);
        table
    }

    /// Adds a row.
    pub fn row(&mut self, cells: &[impl AsRef<str>]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.lines.push(format!("| {} |", cells.join(" | ")));
    }

    /// Prints the table. With `UPDATE=1` in a long run it is written into RELIABILITY.md, too.
    pub fn publish(&self, note: &str) {
        let text = format!("{note}\n\n{}\n", self.lines.join("\n"));
        println!("{text}");
        if is_long() && std::env::var_os("UPDATE").is_some() {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("RELIABILITY.md");
            let _alone = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
            let page = fs::read_to_string(&path).expect("RELIABILITY.md");
            fs::write(&path, insert(&page, self.name, &text)).expect("RELIABILITY.md can be written");
        }
    }
}

/// Whether as many rounds are asked for as a promise needs.
pub fn is_long() -> bool {
    std::env::var("AGENTCTL_FAULTS").is_ok_and(|word| word == "long")
}

/// The seed of this run: the one that was asked for, or a new one.
pub fn seed() -> u64 {
    let asked = std::env::var("AGENTCTL_SEED").ok().and_then(|seed| seed.parse().ok());
    asked.unwrap_or_else(|| fastrand::u64(..))
}

/// The day and the machine of a run, for the note above a table.
pub fn circumstances() -> String {
    let day = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{day}, {cores} cores")
}

/// A page with the text between two marks replaced.
fn insert(page: &str, name: &str, text: &str) -> String {
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = page.split_once(&open).unwrap_or_else(|| panic!("RELIABILITY.md has no mark {open}"));
    let (_, after) = rest.split_once(&close).unwrap_or_else(|| panic!("RELIABILITY.md has no mark {close}"));
    format!("{before}{open}{text}{close}{after}")
}

#[test]
fn a_table_replaces_only_the_text_between_its_marks() {
    let page = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n";
    let page = insert(page, "x", "new\n");
    assert_eq!(page, "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n<!-- y -->\n<!-- /y -->\n");
    assert_eq!(insert(&page, "y", "more\n"), "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n<!-- y -->\nmore\n<!-- /y -->\n");
}
