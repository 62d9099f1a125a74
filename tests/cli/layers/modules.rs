//! The tree of modules, one per file, and the module that defines each path.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::paths::{Import, Paths, Written, read};

/// How many re-exports a path may pass through.
const RE_EXPORTS: usize = 16;

/// A source file, and its path as failures show it.
pub struct Source {
    pub shown: String,
    pub text: String,
}

/// A module: the segments of its path. The root of the library has none; `main.rs` is `main`.
pub type Module = Vec<String>;

/// A path from one module to what it names, written from the root of the crate.
#[derive(Clone, Debug)]
pub struct Arrow {
    pub from: Module,
    pub to: Vec<String>,
    pub place: String,
}

pub struct Tree {
    files: BTreeMap<Module, (String, Paths)>,
}

/// Reads every source file under a folder of the package.
pub fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    files(&root.join(folder), &mut found);
    found.sort();
    let source = |path: &PathBuf| Source {
        shown: path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/"),
        text: fs::read_to_string(path).expect("a source file"),
    };
    found.iter().map(source).collect()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Returns the module of a file: `src/a/b.rs` and `src/a/b/mod.rs` are both `a::b`.
fn module(shown: &str) -> Module {
    let path = shown.trim_start_matches("src/").trim_end_matches(".rs");
    let mut module: Module = path.split('/').map(str::to_owned).collect();
    let last = module.last().map_or("", String::as_str);
    if last == "mod" || (last == "lib" && module.len() == 1) {
        module.pop();
    }
    module
}

/// Whether one module is the other, or one of its ancestors or descendants.
fn is_lineage(a: &[String], b: &[String]) -> bool {
    a.starts_with(b) || b.starts_with(a)
}

impl Tree {
    /// Reads the modules of the files. Without tests, it leaves out modules named `tests` and those under `#[cfg(test)]`.
    pub fn new(sources: &[Source], with_tests: bool) -> Self {
        let paths = |source: &Source| (module(&source.shown), (source.shown.clone(), read(&source.text, with_tests)));
        let mut files: BTreeMap<Module, (String, Paths)> = sources.iter().map(paths).collect();
        if !with_tests {
            let tests = test_modules(&files);
            files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        }
        Self { files }
    }

    pub fn modules(&self) -> impl Iterator<Item = &Module> {
        self.files.keys()
    }

    pub fn contains(&self, module: &[String]) -> bool {
        self.files.contains_key(module)
    }

    /// Returns every path of the crate's own code, as written from the root.
    pub fn arrows(&self) -> Vec<Arrow> {
        let arrows = |(from, (shown, paths)): (&Module, &(String, Paths))| {
            let imports = paths.imports.iter().map(|import| &import.target);
            let arrow = |written: &Written| {
                let place = format!("{shown}:{}", written.line);
                Some(Arrow { from: from.clone(), to: self.absolute(from, written)?, place })
            };
            imports.chain(&paths.code).filter_map(arrow).collect::<Vec<_>>()
        };
        self.files.iter().flat_map(arrows).collect()
    }

    /// Returns the arrows between files other than parent and child, each to the module that defines the item.
    ///
    /// An import of a module is no arrow by itself: the paths through it are.
    pub fn edges(&self) -> Vec<Arrow> {
        let edge = |arrow: Arrow| {
            let (to, whole) = self.home(&arrow.to, RE_EXPORTS)?;
            let counts = !whole && !is_lineage(&arrow.from, &to);
            counts.then_some(Arrow { to, ..arrow })
        };
        self.arrows().into_iter().filter_map(edge).collect()
    }

    /// Writes a path from the root of the crate, unless it leads to another crate or to an item of the same file.
    fn absolute(&self, from: &Module, written: &Written) -> Option<Vec<String>> {
        let (first, rest) = written.path.split_first()?;
        let mut base: Vec<String> = from.iter().chain(&written.inside).cloned().collect();
        match first.as_str() {
            "agentctl" if is_main(from) => return Some(rest.to_vec()),
            "crate" => base.truncate(usize::from(is_main(from))),
            "self" => {}
            "super" => {
                base.pop()?;
                let climbs = rest.iter().take_while(|segment| *segment == "super").count();
                base.truncate(base.len().checked_sub(climbs)?);
                base.extend_from_slice(&rest[climbs..]);
                return Some(base);
            }
            name => base = self.in_scope(from, name)?,
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// Returns the path of a child module or an import. An import of a module goes before one of an item.
    fn in_scope(&self, from: &Module, name: &str) -> Option<Vec<String>> {
        let child: Module = from.iter().cloned().chain([name.to_owned()]).collect();
        if !from.is_empty() && self.files.contains_key(&child) || from.is_empty() && self.is_child_of_root(&child) {
            return Some(child);
        }
        let targets = self.imported(from, name);
        let is_module = |path: &&Vec<String>| self.home(path, RE_EXPORTS).is_some_and(|(_, whole)| whole);
        targets.iter().find(is_module).or(targets.first()).cloned()
    }

    fn is_child_of_root(&self, child: &Module) -> bool {
        !is_main(child) && self.files.contains_key(child)
    }

    fn imported(&self, module: &Module, name: &str) -> Vec<Vec<String>> {
        let Some((_, paths)) = self.files.get(module) else { return vec![] };
        let matching =
            |import: &&Import| import.name == name && import.target.path.first().is_some_and(|it| it != name);
        paths.imports.iter().filter(matching).filter_map(|import| self.absolute(module, &import.target)).collect()
    }

    /// Returns the module that defines what a path names, through re-exports, and whether the path names the module itself.
    fn home(&self, path: &[String], re_exports: usize) -> Option<(Module, bool)> {
        let mut module: Module = vec![];
        for (at, segment) in path.iter().enumerate() {
            let mut child = module.clone();
            child.push(segment.clone());
            if self.files.contains_key(&child) {
                module = child;
                continue;
            }
            let target = if re_exports > 0 { self.imported(&module, segment).into_iter().next() } else { None };
            let Some(mut target) = target else { return Some((module, false)) };
            target.extend_from_slice(&path[at + 1..]);
            return self.home(&target, re_exports - 1);
        }
        Some((module, true))
    }
}

fn is_main(module: &[String]) -> bool {
    module.first().is_some_and(|first| first == "main")
}

fn test_modules(files: &BTreeMap<Module, (String, Paths)>) -> BTreeSet<Module> {
    let named = files.keys().filter(|module| module.last().is_some_and(|last| last == "tests")).cloned();
    let declared = files.iter().flat_map(|(module, (_, paths))| {
        paths.test_modules.iter().map(|test| module.iter().cloned().chain([test.clone()]).collect())
    });
    named.chain(declared).collect()
}

#[cfg(test)]
pub fn tree(files: &[(&str, &str)]) -> Tree {
    let source = |(shown, text): &(&str, &str)| Source { shown: (*shown).to_owned(), text: (*text).to_owned() };
    Tree::new(&files.iter().map(source).collect::<Vec<_>>(), false)
}

#[cfg(test)]
fn edges(files: &[(&str, &str)]) -> Vec<String> {
    let shown = |edge: &Arrow| format!("{} -> {}", edge.from.join("::"), edge.to.join("::"));
    tree(files).edges().iter().map(shown).collect()
}

#[test]
fn an_edge_leads_through_re_exports_to_the_file_of_the_item() {
    let a = ("src/a.rs", "use crate::b::{Item, deep};\nfn f() { deep::g(); crate::b::here() }");
    let b = ("src/b/mod.rs", "mod inner; mod deep; pub use inner::Thing as Item; pub use crate::b::deep as other;");
    let files = [a, b, ("src/b/inner.rs", ""), ("src/b/deep.rs", "")];
    assert_eq!(edges(&files), ["a -> b::inner", "a -> b::deep", "a -> b"]);
}

#[test]
fn parent_and_child_have_no_edge_but_siblings_have() {
    let parent = ("src/b/mod.rs", "mod one; mod two; fn f() { one::g(); }");
    let one = ("src/b/one.rs", "use super::f; fn g() { super::two::h() }");
    assert_eq!(edges(&[parent, one, ("src/b/two.rs", "fn h() { super::super::x() }")]), ["b::one -> b::two"]);
}

#[test]
fn tests_have_no_edges() {
    let a = ("src/a.rs", "#[cfg(test)] mod samples; #[cfg(test)] mod more { use crate::b::x; }");
    let use_b = "use crate::b::x;";
    let tests = [("src/a/tests/mod.rs", use_b), ("src/a/tests/one.rs", use_b), ("src/a/samples.rs", use_b)];
    let files: Vec<_> = [a, ("src/b.rs", "")].into_iter().chain(tests).collect();
    assert_eq!(edges(&files), Vec::<String>::new());
}
