//! The secret canary: every feature of the program is used with a unique key, which is then searched for in all output
//! and files. It may be in `credentials.toml` and on the wire, and nowhere else.

mod sweep;

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use self::sweep::{Canary, Sweep, publish, secret};
use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, run_answer};
use crate::support::process::{Process, Running};
use crate::support::{Answer, Gate, Mock, TestEnv, callback, mock};

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

const SEND: [&str; 5] = ["send", "--agent", AGENT, "-m", "hi"];

#[test]
fn a_secret_is_only_in_its_own_file() {
    let (key, hidden) = (secret(), secret());
    let mut sweep = Sweep::new(vec![Canary::new(&key), Canary::new(&hidden)]);
    let env = TestEnv::new();
    // The person's input files are in another folder than the files that the program writes.
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

/// Every command that talks to a server, at increasing verbosity.
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
        &["api", "GET", "/v1/agents/"],
        &["api", "GET", "/v1/runs/", "--paginate", "-i"],
        &["api", "POST", "/v1/agents/", "-f", "name=a"],
        &["doctor"],
        &["doctor", "-o", "json"],
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
    let asking = letta::asking();
    for args in [&["approve", RUN, "-vv"][..], &["deny", RUN, "--reason", "no", "-vv"]] {
        sweep.run("commands, -vv", 0, run(args).env("LETTA_BASE_URL", asking.url()));
    }
    listener(sweep, run(&["listen", "--count", "1", "--exec", "cat", "-vv"]));
    let bearer = format!("Bearer {key}");
    let sent = server.requests().iter().filter(|one| one.header("authorization") == Some(&bearer)).count();
    assert!(sent > 20, "the key was really sent: {sent}");
}

/// Calls a listener back about a run, as soon as it has said where. Its URL is one write.
fn call_back(listener: &Running) {
    listener.wait_for_stderr("url: ");
    let url = callback::url_in(&listener.stderr_so_far());
    assert_eq!(callback::post(&url, &callback::about(RUN)), 204);
}

/// A listener that is called back, with a command that gets the callback.
fn listener(sweep: &mut Sweep, listener: Process) {
    let running = listener.spawn();
    running.wait_for_stderr("url: ");
    sweep.command_line("commands, -vv", &running);
    call_back(&running);
    sweep.output("commands, -vv", 0, &running.wait());
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
        (4, Answer::json(401, &echo).header("www-authenticate", &format!("Bearer error=\"{key}\""))),
        (4, Answer::json(402, &echo)),
        (4, Answer::body(403, "text/html", format!("<title>no {key}</title>"))),
        (5, Answer::json(404, &echo)),
        (12, Answer::json(422, &echo)),
        (9, later(Answer::json(429, &echo))),
        (9, later(Answer::json(500, &echo))),
        (14, Answer::status(302).header("location", &elsewhere.url())),
        (14, Answer::status(307).header("location", &moved)),
    ] {
        let server = Mock::always(answer);
        sweep.run("errors", code, to(&server.url(), &["status", RUN]));
        for args in [
            &["status", RUN, "-vv", "-o", "human"][..],
            &["api", "GET", "/v1/agents/", "-i", "-vv"],
            &["approve", RUN, "-vv"],
            &["deny", RUN, "--reason", "no"],
            &["doctor", "-vv"],
        ] {
            sweep.run("errors", code, to(&server.url(), args));
        }
    }
    assert_eq!(elsewhere.connections(), 0, "no redirect was followed");
    deaf_listener(sweep, to(&Mock::always(Answer::json(401, &echo)).url(), &["listen", "-vv"]));
    let web = Mock::always(Answer::body(200, "text/html", "<title>hello</title>"));
    let garbage = Mock::always(Answer::body(200, "application/json", "{"));
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

/// A listener that is called back and whose server then says no, repeating the key.
fn deaf_listener(sweep: &mut Sweep, listener: Process) {
    let running = listener.spawn();
    call_back(&running);
    running.wait_for_stderr("error");
    running.signal(Signal::TERM);
    sweep.output("errors", 143, &running.wait());
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
    let (good, bad) = (server(), Mock::always(Answer::json(401, &json!({"detail": key}))));
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

/// A process that is ended by a signal, and its files.
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

/// The local engine and the local server: neither may use the key of another server or show its own.
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
