//! The secret canary: a key that exists nowhere else goes through everything that the program can do, and is then looked
//! for in all that was printed and written. It may be in `credentials.toml` and on the wire, and nowhere else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use rustix::process::Signal;
use serde_json::json;

use crate::report::{Table, circumstances};
use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, run_answer};
use crate::support::process::{Process, Running};
use crate::support::{Answer, Gate, Mock, Output, TestEnv, mock};

/// A text that must not be found, in all the forms in which it could be.
struct Canary {
    forms: Vec<(&'static str, String)>,
}

impl Canary {
    fn new(text: &str) -> Self {
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
    fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let is_in = |form: &str| bytes.windows(form.len()).any(|part| part == form.as_bytes());
        self.forms.iter().filter(|(_, form)| is_in(form)).map(|(name, _)| *name).collect()
    }
}

/// What was searched of a kind of scenario.
#[derive(Default)]
struct Row {
    scenarios: usize,
    bytes: usize,
    hits: usize,
}

struct Sweep {
    canaries: Vec<Canary>,
    rows: BTreeMap<&'static str, Row>,
    hits: Vec<String>,
}

impl Sweep {
    fn search(&mut self, kind: &'static str, what: &str, bytes: &[u8]) {
        let found: Vec<&str> = self.canaries.iter().flat_map(|canary| canary.found_in(bytes)).collect();
        let row = self.rows.entry(kind).or_default();
        row.bytes += bytes.len();
        row.hits += found.len();
        self.hits.extend(found.iter().map(|form| format!("{kind}: {what}: {form}")));
    }

    /// A scenario that ended: with the code that proves that it took the way that it was meant to take.
    fn output(&mut self, kind: &'static str, code: i32, output: &Output) {
        assert_eq!(output.code(), code, "{kind}\n{output}");
        self.rows.entry(kind).or_default().scenarios += 1;
        self.search(kind, "standard output", output.stdout.as_bytes());
        self.search(kind, &format!("standard error: {}", output.stderr), output.stderr.as_bytes());
    }

    fn run(&mut self, kind: &'static str, code: i32, process: Process) {
        let output = process.run();
        self.output(kind, code, &output);
    }

    /// The command line of a process at work, as everybody on this machine can read it.
    fn command_line(&mut self, kind: &'static str, running: &Running) {
        let path = format!("/proc/{}/cmdline", running.id());
        self.search(kind, &path, &fs::read(&path).expect("the process is there"));
    }

    /// Every file below a folder but those that hold keys by design.
    fn files(&mut self, kind: &'static str, folder: &Path, by_design: &[&str]) {
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
fn secret() -> String {
    let random = || uuid::Uuid::new_v4().simple().to_string();
    format!("sk-{}+/=~%&\"\\$'{}", random(), random())
}

/// A server that takes everything.
fn server() -> Mock {
    let mock = letta::done();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([]))]);
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([letta::run("completed", Some("end_turn"))]))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}"), [Answer::json(200, &json!({"id": AGENT, "name": "a"}))]);
    mock.on("POST", "/v1/agents/", [Answer::json(200, &json!({"id": AGENT, "name": "a"}))]);
    mock.on("POST", &format!("/v1/agents/{AGENT}/messages/cancel"), [Answer::json(200, &json!({}))]);
    mock
}

/// A server that says no and repeats what it was told.
fn refusing(answer: Answer) -> Mock {
    let mock = Mock::start();
    for method in ["GET", "POST"] {
        mock.on(method, "*", [answer.clone()]);
    }
    mock
}

const SEND: [&str; 5] = ["send", "--agent", AGENT, "-m", "hi"];

#[test]
fn a_secret_is_found_nowhere_but_where_it_belongs() {
    let (key, hidden) = (secret(), secret());
    let mut sweep =
        Sweep { canaries: vec![Canary::new(&key), Canary::new(&hidden)], rows: BTreeMap::new(), hits: vec![] };
    let env = TestEnv::new();
    // What a person gives to the program lies elsewhere than what the program writes.
    let given = TestEnv::new();
    let key_file = given.write("key", format!("{key}\n")).display().to_string();
    let header_file = format!("@{}", given.write("headers", format!("X-Tenant: {hidden}\n")).display());
    commands(&mut sweep, &env, &key, &key_file);
    headers(&mut sweep, &env, &header_file, &hidden);
    errors(&mut sweep, &env, &key);
    bad_secrets(&mut sweep, &env, &given, &key, &hidden);
    logins(&mut sweep, &env, &key);
    signals(&mut sweep, &env, &key);
    local(&mut sweep, &env, &key);
    sweep.files("files written", env.home(), &["credentials.toml"]);
    publish(&sweep);
    assert!(sweep.hits.is_empty(), "{:#?}", sweep.hits);
}

/// Everything that can be asked of a server, ever more talkative.
fn commands(sweep: &mut Sweep, env: &TestEnv, key: &str, key_file: &str) {
    let server = server();
    let run = |args: &[&str]| env.agentctl(args).server(&server.url()).env("LETTA_API_KEY", key);
    for args in [
        &SEND[..],
        &[&SEND[..], &["--watch"]].concat(),
        &[&SEND[..], &["--reply"]].concat(),
        &["status", RUN],
        &["status", RUN, "-o", "json", "--pretty"],
        &["watch", RUN, "--events"],
        &["watch", RUN, "--follow"],
        &["messages", RUN],
        &["cancel", RUN],
        &["list"],
        &["agents", "list"],
        &["agents", "show", AGENT],
        &["agents", "create", "--name", "a"],
        &["config", "list"],
        &["config", "list", "-o", "json"],
        &["completions", "bash"],
        &["man"],
        &["schema", "run"],
        &["--help"],
    ] {
        sweep.run("commands", 0, run(args));
        sweep.run("commands, -vv", 0, run(&[args, &["-vv"]].concat()));
    }
    for preview in ["--dry-run", "--curl"] {
        sweep.run("previews", 0, run(&[&SEND[..], &[preview]].concat()));
        let by_file = env.agentctl([&SEND[..], &[preview, "-vv", "--api-key-file", key_file]].concat());
        sweep.run("previews", 0, by_file.env("LETTA_BASE_URL", server.url()));
    }
    let by_file = env.agentctl(["status", RUN, "-vv", "--api-key-file", key_file, "--base-url", &server.url()]);
    sweep.run("commands, -vv", 0, by_file);
    let by_pipe = env.agentctl(["status", RUN, "-vv", "--api-key-file", "-", "--base-url", &server.url()]);
    sweep.run("commands, -vv", 0, by_pipe.stdin(key));
    let bearer = format!("Bearer {key}");
    let sent = server.requests().iter().filter(|one| one.header("authorization") == Some(&bearer)).count();
    assert!(sent > 20, "the key was really sent: {sent}");
}

fn headers(sweep: &mut Sweep, env: &TestEnv, file: &str, hidden: &str) {
    let server = server();
    let custom = format!("X-Other: {hidden}");
    let run = |args: &[&str]| env.agentctl(args).server(&server.url()).env("LETTA_CUSTOM_HEADERS", &custom);
    for args in [
        &["status", RUN, "-vv", "-H", file][..],
        &["config", "list", "-H", file],
        &[&SEND[..], &["--dry-run", "-vv", "-H", file]].concat(),
        &[&SEND[..], &["--curl", "-vv", "-H", file]].concat(),
    ] {
        sweep.run("custom headers", 0, run(args));
    }
    assert_eq!(server.requests()[0].header("x-tenant"), Some(hidden), "the header was really sent");
}

/// Servers that misbehave, and some that repeat the key in what they say.
fn errors(sweep: &mut Sweep, env: &TestEnv, key: &str) {
    let echo = json!({"detail": format!("the key {key} is not known"), "header": format!("Bearer {key}")});
    let later = |answer: Answer| answer.header("retry-after", "3600");
    let to = |url: &str, args: &[&str]| env.agentctl(args).env("LETTA_BASE_URL", url).env("LETTA_API_KEY", key);
    let elsewhere = Mock::start();
    let moved = format!("{}/login?key={key}", elsewhere.url());
    for (code, answer) in [
        (4, Answer::json(401, &echo)),
        (4, Answer::json(402, &echo)),
        (4, Answer::body(403, "text/html", format!("<title>no {key}</title>"))),
        (5, Answer::json(404, &echo)),
        (12, Answer::json(422, &echo)),
        (9, later(Answer::json(429, &echo))),
        (9, later(Answer::json(500, &echo))),
        (14, Answer::status(302).header("location", &elsewhere.url())),
        (14, Answer::status(307).header("location", &moved)),
    ] {
        let server = refusing(answer);
        sweep.run("errors", code, to(&server.url(), &["status", RUN]));
        sweep.run("errors", code, to(&server.url(), &["status", RUN, "-vv", "-o", "human"]));
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect was followed");
    let web = refusing(Answer::body(200, "text/html", "<title>hello</title>"));
    let garbage = refusing(Answer::body(200, "application/json", "{"));
    // These are tried for a while: all at once.
    let slow: Vec<(i32, Running)> = vec![
        (11, to(&web.url(), &["status", RUN, "-vv"]).spawn()),
        (11, to(&garbage.url(), &["status", RUN, "-vv"]).spawn()),
        // Plain http where TLS is expected.
        (9, to(&web.url().replace("http:", "https:"), &["status", RUN, "-vv"]).spawn()),
        (9, to(&mock::refusing(), &["status", RUN, "-vv"]).spawn()),
        (14, to("http://203.0.113.7", &["status", RUN, "-vv"]).spawn()),
        (2, to("http://h:99999", &["status", RUN, "-vv"]).spawn()),
        (2, to(&web.url(), &["status", RUN, "--profile", "none"]).spawn()),
        (2, to(&web.url(), &["status", "nonsense"]).spawn()),
    ];
    for (code, running) in slow {
        let output = running.wait();
        sweep.output("errors", code, &output);
    }
}

/// Secrets that cannot be used, and files of them that cannot be read.
fn bad_secrets(sweep: &mut Sweep, env: &TestEnv, given: &TestEnv, key: &str, hidden: &str) {
    let server = server();
    let run = |more: &[&str]| env.agentctl([&["status", RUN, "-vv"], more].concat()).server(&server.url());
    sweep.run("bad secrets", 2, run(&[]).env("LETTA_API_KEY", format!("{key} {key}")));
    sweep.run("bad secrets", 2, run(&[]).env("LETTA_API_KEY", format!("{key}\n{key}")));
    sweep.run("bad secrets", 2, run(&[]).env("LETTA_BASE_URL", format!("http://me:{hidden}@127.0.0.1")));
    sweep.run("bad secrets", 2, run(&[]).env("LETTA_BASE_URL", format!("http://127.0.0.1/?{hidden}")));
    let file = given.write("bad", format!("{key}\u{7}\n"));
    sweep.run("bad secrets", 2, run(&["--api-key-file", &file.display().to_string()]));
    for line in
        [hidden.to_owned(), format!("X Y: {hidden}"), format!("X-Y: {hidden}\u{1b}"), format!("Authorization: {key}")]
    {
        sweep.run("bad secrets", 2, run(&[]).env("LETTA_CUSTOM_HEADERS", &line));
        let file = format!("@{}", given.write("bad-headers", &line).display());
        sweep.run("bad secrets", 2, run(&["-H", &file]));
    }
    sweep.run("bad secrets", 2, env.agentctl(["login", "--base-url", &server.url()]).stdin(format!("{key} x")));
    assert_eq!(server.connections(), 0, "nothing was sent");
}

fn logins(sweep: &mut Sweep, env: &TestEnv, key: &str) {
    let (good, bad) = (server(), refusing(Answer::json(401, &json!({"detail": key}))));
    let login = |url: &str| env.agentctl(["login", "--base-url", url, "-vv"]).stdin(format!("{key}\n"));
    sweep.run("login, logout", 4, login(&bad.url()));
    sweep.run("login, logout", 9, login(&mock::refusing()));
    sweep.run("login, logout", 0, login(&good.url()));
    let file = env.home().join("config/agentctl/credentials.toml");
    assert!(fs::read_to_string(&file).is_ok_and(|text| text.contains("[keys]")), "the key was really saved");
    let with_saved = |args: &[&str]| env.agentctl([args, &["--base-url", &good.url(), "-vv"]].concat());
    sweep.run("login, logout", 0, with_saved(&["status", RUN]));
    sweep.run("login, logout", 0, with_saved(&["config", "list"]));
    sweep.run("login, logout", 0, with_saved(&[&SEND[..], &["--curl"]].concat()));
    let mode = |mode: u32| fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode));
    mode(0o644).expect("a mode");
    sweep.run("login, logout", 14, with_saved(&["status", RUN]));
    mode(0o600).expect("a mode");
    let saved = fs::read_to_string(&file).expect("the file");
    fs::write(&file, format!("{saved}x = {key}\n")).expect("written");
    sweep.run("login, logout", 2, with_saved(&["status", RUN]));
    fs::write(&file, saved).expect("written");
    sweep.run("login, logout", 0, env.agentctl(["logout", "--base-url", &good.url(), "-vv"]));
    let after = fs::read(&file).expect("the file");
    sweep.search("login, logout", "credentials.toml after logout", &after);
}

/// A process at work, and what is left of it after a signal.
fn signals(sweep: &mut Sweep, env: &TestEnv, key: &str) {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::ABORT, 134), (Signal::KILL, 137)] {
        let (server, gate) = (letta::letta([run_answer("running", None)]), Gate::default());
        server.on("GET", RUN_PATH, [run_answer("running", None), run_answer("running", None).held(&gate)]);
        let running = env.agentctl(["watch", RUN, "-vv", "--interval", "50ms"]).server(&server.url());
        let running = running.env("LETTA_API_KEY", key).spawn();
        server.wait_for("GET", 2);
        sweep.command_line("signals", &running);
        running.signal(signal);
        let output = running.wait();
        sweep.output("signals", code, &output);
        assert!(!output.dumped_core(), "{output}");
        gate.open();
    }
    let (server, gate) = (server(), Gate::default());
    server.on("POST", POST_PATH, [run_answer("created", None).held(&gate)]);
    let running = env.agentctl([&SEND[..], &["-vv"]].concat()).server(&server.url()).env("LETTA_API_KEY", key).spawn();
    server.wait_for("POST", 1);
    running.signal(Signal::KILL);
    let output = running.wait();
    sweep.output("signals", 137, &output);
    gate.open();
}

/// The local engine and the local server: the key is none of their business, and theirs is nobody else's.
fn local(sweep: &mut Sweep, env: &TestEnv, key: &str) {
    let run = |args: &[&str]| env.agentctl(args).env("LETTA_API_KEY", key).env("LETTA_BASE_URL", "http://127.0.0.1:9");
    sweep.run("local engine and server", 0, run(&["send", "--local", "-m", "hi", "--watch", "-vv"]));
    sweep.run("local engine and server", 0, run(&["agents", "list", "--local", "-vv"]));
    let serving = run(&["serve", "--bind", "127.0.0.1:0", "-vv"]).spawn();
    serving.wait_for_stderr("http://127.0.0.1:");
    let own = fs::read_to_string(env.home().join("agentctl-data/local.db.key")).expect("the server's key");
    let own = Canary::new(own.trim());
    sweep.command_line("local engine and server", &serving);
    let listed = run(&["list", "--local", "-vv"]).run();
    serving.signal(Signal::TERM);
    let served = serving.wait();
    for (code, output) in [(0, &listed), (0, &served)] {
        sweep.output("local engine and server", code, output);
        let found = own.found_in(output.to_string().as_bytes());
        assert_eq!(found, [""; 0], "the server's own key\n{output}");
    }
}

fn publish(sweep: &Sweep) {
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
    let mut sweep = Sweep { canaries: vec![canary], rows: BTreeMap::new(), hits: vec![] };
    sweep.files("files", env.home(), &["credentials.toml"]);
    assert!(sweep.hits.iter().any(|hit| hit.contains("agentctl-data/leak")), "{:?}", sweep.hits);
    env.write("agentctl-data/credentials.toml", &key);
    let before = sweep.hits.len();
    fs::remove_file(env.home().join("agentctl-data/leak")).expect("removed");
    sweep.files("files", env.home(), &["credentials.toml"]);
    assert_eq!(sweep.hits.len(), before, "where it belongs");
}
