//! Compares the messages that were sent and acknowledged with the runs that exist in the end, in Jepsen's terms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

/// Every message by its word, with the run that was acknowledged.
#[derive(Default)]
pub struct Ledger(Mutex<BTreeMap<String, Option<String>>>);

/// The result of the comparison.
#[derive(Default)]
pub struct Verdict {
    sent: BTreeMap<String, Option<String>>,
    seen: BTreeMap<String, BTreeSet<String>>,
    /// Runs that did not end.
    pub stuck: usize,
    /// Runs whose effects do not exist exactly once.
    pub doubled: usize,
    /// Runs whose callback never came.
    pub undelivered: usize,
    /// Runs whose callback came under several ids.
    pub renamed: usize,
    /// Runs over which three servers died.
    pub given_up: usize,
}

impl Ledger {
    pub fn attempt(&self, word: &str) {
        self.0.lock().expect("no panic").insert(word.to_owned(), None);
    }

    pub fn acknowledge(&self, word: &str, run: &str) {
        self.0.lock().expect("no panic").insert(word.to_owned(), Some(run.to_owned()));
    }

    /// Begins to compare.
    pub fn begin(&self) -> Verdict {
        Verdict { sent: self.0.lock().expect("no panic").clone(), ..Verdict::default() }
    }
}

impl Verdict {
    /// Adds a run that exists.
    pub fn saw(&mut self, word: &str, run: &str) {
        self.seen.entry(word.to_owned()).or_default().insert(run.to_owned());
    }

    /// The counts, in the order of the columns.
    fn counts(&self) -> [(&'static str, usize); 12] {
        let acknowledged = || self.sent.iter().filter_map(|(word, run)| Some((word, run.as_ref()?)));
        let there = |word: &String, run: &String| self.seen.get(word).is_some_and(|runs| runs.contains(run));
        let ok = acknowledged().filter(|(word, run)| there(word, run)).count();
        let silent = |word: &&String| self.sent.get(*word).is_some_and(Option::is_none);
        [
            ("attempted", self.sent.len()),
            ("acknowledged", acknowledged().count()),
            ("ok", ok),
            ("recovered", self.seen.keys().filter(silent).count()),
            ("given up", self.given_up),
            ("lost", acknowledged().count() - ok),
            ("unexpected", self.seen.keys().filter(|word| !self.sent.contains_key(*word)).count()),
            ("duplicated", self.seen.values().filter(|runs| runs.len() > 1).count()),
            ("stuck", self.stuck),
            ("doubled", self.doubled),
            ("never delivered", self.undelivered),
            ("other id", self.renamed),
        ]
    }

    pub fn columns(&self, first: &'static str) -> Vec<&'static str> {
        std::iter::once(first).chain(self.counts().map(|(name, _)| name)).collect()
    }

    pub fn cells(&self, first: &str) -> Vec<String> {
        std::iter::once(first.to_owned()).chain(self.counts().map(|(_, count)| count.to_string())).collect()
    }

    /// Fails if a promise was broken.
    pub fn check(&self) {
        let counts = self.counts();
        let broken: Vec<String> = counts[5..]
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        assert!(broken.is_empty(), "broken promises: {}", broken.join(", "));
        assert!(counts[2].1 > 0, "nothing was accepted, so nothing was shown");
    }
}
