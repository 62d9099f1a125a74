//! Reads the paths of one source file: its imports, and the paths in its code.

use super::tokens::{Token, tokens};

/// A path as it is written, in a module of a file.
#[derive(Clone, Debug)]
pub struct Written {
    /// The inline modules around it.
    pub inside: Vec<String>,
    pub path: Vec<String>,
    pub line: usize,
}

/// One name of a `use` declaration.
#[derive(Clone, Debug)]
pub struct Import {
    pub name: String,
    pub target: Written,
}

/// The paths of a file, and the modules that it declares for tests only.
#[derive(Debug, Default)]
pub struct Paths {
    pub imports: Vec<Import>,
    pub code: Vec<Written>,
    pub test_modules: Vec<String>,
}

/// Reads a file, with or without its inline modules of tests.
pub fn read(source: &str, with_tests: bool) -> Paths {
    let tokens = tokens(source);
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0, inside: vec![], with_tests, found: Paths::default() };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    /// The inline modules that are open, each with the depth of its braces.
    inside: Vec<(String, usize)>,
    with_tests: bool,
    found: Paths,
}

const FOR_TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

impl Reader<'_> {
    fn text(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", |token| &token.text)
    }

    fn step(&mut self) {
        if FOR_TESTS.iter().enumerate().all(|(ahead, text)| self.text(ahead) == *text) {
            self.at += FOR_TESTS.len();
            self.test_item();
            return;
        }
        match self.text(0) {
            "use" => self.declaration(),
            "mod" if self.text(2) == "{" => self.open_module(),
            "{" => self.open(),
            "}" => self.close(),
            word if is_name(word) => self.path(),
            _ => self.at += 1,
        }
    }

    /// Notes a module declared for tests only, and skips its body unless tests are read too.
    fn test_item(&mut self) {
        while matches!(self.text(0), "pub" | "(" | "crate" | "super" | ")") {
            self.at += 1;
        }
        if self.text(0) != "mod" {
            return;
        }
        if self.text(2) == ";" {
            self.found.test_modules.push(self.text(1).to_owned());
        } else if !self.with_tests {
            self.at += 2;
            self.skip_block();
        }
    }

    fn skip_block(&mut self) {
        let mut depth = 0;
        while self.at < self.tokens.len() {
            match self.text(0) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    fn open_module(&mut self) {
        self.inside.push((self.text(1).to_owned(), self.depth + 1));
        self.at += 2;
        self.open();
    }

    fn open(&mut self) {
        self.depth += 1;
        self.at += 1;
    }

    fn close(&mut self) {
        if self.inside.last().is_some_and(|(_, depth)| *depth == self.depth) {
            self.inside.pop();
        }
        self.depth = self.depth.saturating_sub(1);
        self.at += 1;
    }

    fn written(&self, path: Vec<String>, line: usize) -> Written {
        Written { inside: self.inside.iter().map(|(name, _)| name.clone()).collect(), path, line }
    }

    /// Reads `a::b::C` in code. The path of `pub(in …)` is no use of that module.
    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        let before = |back: usize| self.at.checked_sub(back).map_or("", |at| &self.tokens[at].text);
        let counts = before(1) != "::" && !(before(1) == "in" && before(2) == "(");
        let path = self.segments();
        if counts && path.len() > 1 {
            let written = self.written(path, line);
            self.found.code.push(written);
        }
    }

    fn segments(&mut self) -> Vec<String> {
        let mut path = vec![self.text(0).to_owned()];
        self.at += 1;
        while self.text(0) == "::" && is_name(self.text(1)) {
            path.push(self.text(1).to_owned());
            self.at += 2;
        }
        path
    }

    fn declaration(&mut self) {
        self.at += 1;
        // `use<'a>` is a bound, not a declaration.
        if self.text(0) == "<" {
            return;
        }
        self.tree(&[]);
    }

    /// Reads one tree of a `use` declaration: `a::b`, `a as b`, `a::*` or `a::{b, c}`.
    fn tree(&mut self, prefix: &[String]) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut path = prefix.to_vec();
        if self.text(0) == "::" {
            self.at += 1;
        }
        if is_name(self.text(0)) {
            path.extend(self.segments());
        }
        if self.text(0) == "::" {
            self.at += 1;
        }
        match self.text(0) {
            "{" => self.group(&path),
            "*" => self.glob(path, line),
            _ => self.leaf(path, prefix.len(), line),
        }
    }

    fn group(&mut self, prefix: &[String]) {
        self.at += 1;
        while !matches!(self.text(0), "}" | "") {
            self.tree(prefix);
            if self.text(0) == "," {
                self.at += 1;
            }
        }
        self.at += 1;
    }

    fn glob(&mut self, mut path: Vec<String>, line: usize) {
        self.at += 1;
        path.push("*".to_owned());
        let target = self.written(path, line);
        self.found.imports.push(Import { name: "*".to_owned(), target });
    }

    fn leaf(&mut self, mut path: Vec<String>, prefix: usize, line: usize) {
        if path.len() > prefix.max(1) && path.last().is_some_and(|last| last == "self") {
            path.pop();
        }
        let mut name = path.last().cloned().unwrap_or_default();
        if self.text(0) == "as" {
            name = self.text(1).to_owned();
            self.at += 2;
        }
        let target = self.written(path, line);
        self.found.imports.push(Import { name, target });
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

#[cfg(test)]
fn shown(source: &str) -> Vec<String> {
    let found = read(source, false);
    let imports = found.imports.iter().map(|import| format!("{} = {}", import.name, import.target.path.join("::")));
    let code = found.code.iter().map(|written| written.path.join("::"));
    imports.chain(code).collect()
}

#[test]
fn the_trees_of_a_use_declaration_are_taken_apart() {
    let source = "pub use crate::{a, b::{self, C as D, e::*}};\nuse super::super::f;";
    assert_eq!(
        shown(source),
        ["a = crate::a", "b = crate::b", "D = crate::b::C", "* = crate::b::e::*", "f = super::super::f"]
    );
}

#[test]
fn paths_in_code_are_read_and_modules_of_tests_are_not() {
    let source = "#[cfg(test)] mod t { fn x() { crate::no::no() } } #[cfg(test)] mod samples;
        pub(in crate::no) fn f(a: self::b::C) -> Vec<u8> { x.collect::<Vec<_>>(); <D as E>::f(); g::h!() }";
    assert_eq!(shown(source), ["self::b::C", "g::h"]);
    assert_eq!(read(source, false).test_modules, ["samples"]);
    assert_eq!(read(source, true).code[0].inside, ["t"]);
}
