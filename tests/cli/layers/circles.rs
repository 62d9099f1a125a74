//! Circles of dependencies between files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::modules::{Arrow, Module, Tree};

/// The edges between modules, each with its first place.
type Graph = BTreeMap<Module, BTreeMap<Module, String>>;

/// A circle of modules, in the order of its edges. The last module uses the first.
pub type Circle = Vec<Module>;

pub struct Circles {
    graph: Graph,
    pub found: BTreeSet<Circle>,
}

impl Circles {
    /// Finds a shortest circle through each edge that is part of one.
    pub fn of(tree: &Tree) -> Self {
        let mut graph = Graph::new();
        for Arrow { from, to, place } in tree.edges() {
            graph.entry(from).or_default().entry(to).or_insert(place);
        }
        let edges = graph.iter().flat_map(|(from, targets)| targets.keys().map(move |to| (from, to)));
        let found = edges.filter_map(|(from, to)| Some(from_the_first(chain(&graph, to, from)?))).collect();
        Self { graph, found }
    }

    /// Shows a circle as `a -> b -> a`, with the place of each edge below.
    pub fn shown(&self, circle: &Circle) -> String {
        let names: Vec<String> = circle.iter().chain(circle.first()).map(|module| module.join("::")).collect();
        let mut text = names.join(" -> ");
        for (from, to) in circle.iter().zip(circle.iter().cycle().skip(1)) {
            let _ = write!(text, "\n    {}: {} -> {}", self.graph[from][to], from.join("::"), to.join("::"));
        }
        text
    }
}

/// Returns the modules on a shortest chain of edges, with both ends.
fn chain(graph: &Graph, from: &Module, to: &Module) -> Option<Vec<Module>> {
    let mut chains = vec![vec![from.clone()]];
    let mut seen = BTreeSet::from([from.clone()]);
    let mut at = 0;
    while at < chains.len() {
        let chain = chains[at].clone();
        let last = chain.last()?;
        if last == to {
            return Some(chain);
        }
        for next in graph.get(last).into_iter().flat_map(BTreeMap::keys) {
            if seen.insert(next.clone()) {
                chains.push(chain.iter().chain([next]).cloned().collect());
            }
        }
        at += 1;
    }
    None
}

/// Turns a circle so that its least module is the first.
fn from_the_first(mut circle: Circle) -> Circle {
    let first = circle.iter().enumerate().min_by_key(|(_, module)| *module).map_or(0, |(at, _)| at);
    circle.rotate_left(first);
    circle
}

#[test]
fn a_circle_is_found_with_the_place_of_each_edge() {
    let a = ("src/a.rs", "// use crate::c::x;\nuse crate::b::x;");
    let b = ("src/b.rs", "fn x() { \"crate::a::y\"; crate::c::y() }");
    let circles = Circles::of(&super::modules::tree(&[a, b, ("src/c.rs", "\n\nuse crate::a::z;")]));
    let shown: Vec<String> = circles.found.iter().map(|circle| circles.shown(circle)).collect();
    assert_eq!(shown, ["a -> b -> c -> a\n    src/a.rs:2: a -> b\n    src/b.rs:1: b -> c\n    src/c.rs:3: c -> a"]);
}

#[test]
fn a_chain_is_no_circle() {
    let a = ("src/a/mod.rs", "mod d; use crate::b::x;");
    let files = [a, ("src/a/d.rs", "use super::y;"), ("src/b.rs", "use crate::c::x;"), ("src/c.rs", "")];
    assert_eq!(Circles::of(&super::modules::tree(&files)).found, std::collections::BTreeSet::new());
}
