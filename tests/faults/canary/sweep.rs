//! A secret in every form in which it could be written, and the search for it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;

use crate::report::{Table, circumstances};
use crate::support::process::{Process, Running};
use crate::support::{Output, TestEnv};

/// A secret text, in all its encoded forms.
pub struct Canary {
    forms: Vec<(&'static str, String)>,
}

impl Canary {
    pub fn new(text: &str) -> Self {
        let (first, second) = text.split_at(text.len() / 2);
        let reversed = |text: &str| text.chars().rev().collect::<String>();
        let hex: String = text.bytes().map(|b| format!("{b:02x}")).collect();
        let percent: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let mut forms = vec![
            ("its first half", first.to_owned()),
            ("its second half", second.to_owned()),
            ("its first half, reversed", reversed(first)),
            ("its second half, reversed", reversed(second)),
            ("hexadecimal", hex.to_uppercase()),
            ("hexadecimal", hex),
            ("percent-encoded", percent),
            ("JSON", json!(text).to_string().trim_matches('"').to_owned()),
        ];
        // Base64 depends on where in a group of three bytes a text begins.
        for before in 0..3 {
            let padded = format!("{}{text}", &"xyz"[..before]);
            let inner = |encoded: String| encoded[4..encoded.len() - 4].to_owned();
            forms.push(("base64", inner(STANDARD_NO_PAD.encode(&padded))));
            forms.push(("base64", inner(URL_SAFE_NO_PAD.encode(&padded))));
        }
        Self { forms }
    }

    /// In which forms it is in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let is_in = |form: &str| bytes.windows(form.len()).any(|part| part == form.as_bytes());
        self.forms.iter().filter(|(_, form)| is_in(form)).map(|(name, _)| *name).collect()
    }
}

/// The amount of output searched for one kind of scenario.
#[derive(Default)]
struct Row {
    scenarios: usize,
    bytes: usize,
    hits: usize,
}

pub struct Sweep {
    canaries: Vec<Canary>,
    rows: BTreeMap<&'static str, Row>,
    pub hits: Vec<String>,
}

impl Sweep {
    /// A search for these secrets that has not begun.
    pub fn new(canaries: Vec<Canary>) -> Self {
        Self { canaries, rows: BTreeMap::new(), hits: vec![] }
    }

    pub fn search(&mut self, kind: &'static str, what: &str, bytes: &[u8]) {
        let found: Vec<&str> = self.canaries.iter().flat_map(|canary| canary.found_in(bytes)).collect();
        let row = self.rows.entry(kind).or_default();
        row.bytes += bytes.len();
        row.hits += found.len();
        self.hits.extend(found.iter().map(|form| format!("{kind}: {what}: {form}")));
    }

    /// Adds a scenario that ended with the expected exit code, which proves that it did what it is for.
    pub fn output(&mut self, kind: &'static str, code: i32, output: &Output) {
        assert_eq!(output.code(), code, "{kind}\n{output}");
        self.rows.entry(kind).or_default().scenarios += 1;
        self.search(kind, "standard output", output.stdout.as_bytes());
        self.search(kind, &format!("standard error: {}", output.stderr), output.stderr.as_bytes());
    }

    pub fn run(&mut self, kind: &'static str, code: i32, process: Process) {
        let output = process.run();
        self.output(kind, code, &output);
    }

    /// The command line of a process at work, as everybody on this machine can read it.
    pub fn command_line(&mut self, kind: &'static str, running: &Running) {
        let path = format!("/proc/{}/cmdline", running.id());
        self.search(kind, &path, &fs::read(&path).expect("the process is there"));
    }

    /// Every file below a folder but those that hold keys by design.
    pub fn files(&mut self, kind: &'static str, folder: &Path, by_design: &[&str]) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                self.files(kind, &path, by_design);
            } else if path.is_file() && !by_design.contains(&name.as_str()) {
                self.rows.entry(kind).or_default().scenarios += 1;
                self.search(kind, &path.display().to_string(), &fs::read(&path).expect("a file"));
            }
        }
    }
}

/// A secret that needs an escape in every encoding, and is unlike any other.
pub fn secret() -> String {
    let random = || uuid::Uuid::new_v4().simple().to_string();
    format!("sk-{}+/=~%&\"\\$'{}", random(), random())
}

/// Publishes the amount searched.
pub fn publish(sweep: &Sweep) {
    let mut table = Table::new("canary", &["what", "scenarios or files", "bytes searched", "hits"]);
    for (kind, row) in &sweep.rows {
        table.row(&[(*kind).to_owned(), row.scenarios.to_string(), row.bytes.to_string(), row.hits.to_string()]);
    }
    let forms: usize = sweep.canaries.iter().map(|canary| canary.forms.len()).sum();
    table.publish(&format!("{}; {forms} forms of two secrets.", circumstances()));
}

#[test]
fn a_leak_that_is_planted_is_found_in_every_form() {
    let key = secret();
    let canary = Canary::new(&key);
    let half = key.len() / 2;
    let leaks = [
        format!("error: the key {key} is bad"),
        format!("…{}…", &key[..half]),
        format!("…{}…", &key[half..]),
        key.chars().rev().collect(),
        base64::engine::general_purpose::STANDARD.encode(&key),
        base64::engine::general_purpose::STANDARD.encode(format!("user:{key}")),
        base64::engine::general_purpose::URL_SAFE.encode(format!("{{\"key\": \"{key}\"}}")),
        url::form_urlencoded::byte_serialize(key.as_bytes()).collect(),
        key.bytes().map(|b| format!("{b:02x}")).collect(),
        json!({"key": key}).to_string(),
    ];
    for leak in &leaks {
        assert!(!canary.found_in(format!("before {leak} after").as_bytes()).is_empty(), "{leak}");
    }
    assert_eq!(canary.found_in(secret().as_bytes()), [""; 0], "another secret is none of this one's");
    let env = TestEnv::new();
    env.write("agentctl-data/leak", &key);
    let mut sweep = Sweep::new(vec![canary]);
    sweep.files("files", env.home(), &["credentials.toml"]);
    assert!(sweep.hits.iter().any(|hit| hit.contains("agentctl-data/leak")), "{:?}", sweep.hits);
    env.write("agentctl-data/credentials.toml", &key);
    let before = sweep.hits.len();
    fs::remove_file(env.home().join("agentctl-data/leak")).expect("removed");
    sweep.files("files", env.home(), &["credentials.toml"]);
    assert_eq!(sweep.hits.len(), before, "where it belongs");
}
