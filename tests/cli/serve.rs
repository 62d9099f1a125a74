//! `serve`: readiness, discovery, shutdown, and the commands that it runs.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::TestEnv;
use crate::support::process::{Output, Process};
use crate::support::serve::{Serve, exchange, status};

const MEMORY: &[&str] = &["--in-memory"];

/// Runs the program until it prints the text, so that the test does not depend on the time of a start.
fn until(text: &str, process: impl Fn() -> Process) -> Output {
    for _ in 0..200 {
        let output = process().run();
        if output.to_string().contains(text) {
            return output;
        }
    }
    panic!("it never said `{text}`: {}", process().run());
}

#[test]
fn it_is_ready_when_it_says_so_and_removes_its_files() {
    let env = TestEnv::new();
    let file = env.home().join("ready");
    let serve = Serve::start(&env, &["--in-memory", "--ready-file", file.to_str().expect("a path")]);
    assert_eq!(fs::read_to_string(&file).expect("the ready file"), format!("{}\n", serve.url));
    assert_eq!(file.metadata().expect("there").permissions().mode() & 0o777, 0o600);
    assert_eq!(status(&serve.ask("GET /v1/health/", "", "")), 200);
    let address = serve.address();
    let output = serve.stop();
    assert_eq!((output.code(), output.signal()), (0, None), "{output}");
    assert!(output.stderr.contains("serving http://127.0.0.1:") && output.stderr.contains("stopped"), "{output}");
    assert!(!file.exists(), "the ready file goes with it");
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[test]
fn ctrl_c_is_how_a_person_stops_it() {
    let env = TestEnv::new();
    let output = Serve::start(&env, MEMORY).end(Signal::INT);
    assert_eq!((output.code(), output.signal()), (0, None), "{output}");
}

#[test]
fn it_asks_for_its_key_and_agentctl_finds_it() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, MEMORY);
    let port = serve.address().port();
    for url in [serve.url.clone(), format!("http://localhost:{port}")] {
        let found = env.agentctl(["agents", "list"]).env("LETTA_BASE_URL", &url).run();
        assert_eq!(found.code(), 0, "{url} {found}");
    }
    let elsewhere = TestEnv::new().agentctl(["agents", "list"]).env("LETTA_BASE_URL", &serve.url).run();
    assert_eq!((elsewhere.code(), &elsewhere.error()["http_status"]), (4, &json!(401)), "{elsewhere}");
    let wrong = env.agentctl(["agents", "list"]).server(&serve.url).run();
    assert_eq!(wrong.code(), 4, "a key that is given is the one that counts: {wrong}");
    let key = serve.key.clone();
    assert!(!serve.stop().stderr.contains(&key), "no key in the log");
}

#[test]
fn the_key_stays_the_same_from_start_to_start() {
    let env = TestEnv::new();
    let first = Serve::start(&env, &[]);
    let key = first.key.clone();
    assert_eq!(first.stop().code(), 0);
    assert_eq!(Serve::start(&env, &[]).key, key);
    let open = Serve::start(&TestEnv::new(), &["--in-memory", "--no-auth"]);
    assert_eq!(open.key, "");
    assert_eq!(TestEnv::new().agentctl(["agents", "list"]).env("LETTA_BASE_URL", &open.url).run().code(), 0);
}

#[test]
fn local_means_the_server_that_runs() {
    let env = TestEnv::new();
    let send = || env.agentctl(["send", "--local", "-m", "hi", "--watch", "-o", "human"]);
    let here = send().run().to_string();
    assert!(here.contains("the local engine answers, with the model agentctl/echo"), "{here}");
    let serve = Serve::start(&env, &["-v"]);
    let there = send().run();
    assert_eq!(there.code(), 0, "{there}");
    let words = format!("the local server at {} answers, with the model agentctl/echo", serve.url);
    assert!(there.to_string().contains(&words), "{there}");
    assert_eq!(env.agentctl(["agents", "list", "--local"]).run().documents().len(), 1, "the same agent `default`");
    let last = env.agentctl(["status", "--local", "@last"]).run();
    assert_eq!((last.code(), &last.document()["status"]), (0, &json!("completed")), "{last}");
    let log = serve.stop().stderr;
    assert!(log.contains("POST /v1/agents/"), "{log}");
    assert!(send().run().to_string().contains("the local engine answers"), "and when it is gone, without it");
}

#[test]
fn files_of_a_killed_server_do_not_block_the_next() {
    let env = TestEnv::new();
    let killed = Serve::start(&env, &[]).end(Signal::KILL);
    assert_eq!(killed.signal(), Some(9), "{killed}");
    assert!(env.home().join("agentctl-data/local.db.server").exists(), "its record is still there");
    let output = env.agentctl(["send", "--local", "-m", "hi", "--reply"]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (0, "hi\n"), "{output}");
    assert_eq!(Serve::start(&env, &[]).stop().code(), 0, "and another one starts");
}

#[test]
fn a_killed_servers_key_is_not_sent_to_a_program_that_takes_its_port() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, MEMORY);
    let (address, url, key) = (serve.address(), serve.url.clone(), serve.key.clone());
    serve.end(Signal::KILL);
    let record = env.home().join(format!("agentctl-data/servers/{}", address.port()));
    assert!(fs::read_to_string(record).expect("it is still there").contains(&key));
    let taken = TcpListener::bind(address).expect("the port is free again");
    let listing = env.agentctl(["agents", "list"]).env("LETTA_BASE_URL", &url).spawn();
    let (mut stream, _) = taken.accept().expect("a connection");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(head.starts_with("get /v1/agents") && !head.contains("authorization") && !head.contains(&key), "{head}");
    stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}").expect("answered");
    assert_eq!(listing.wait().code(), 4);
}

#[test]
fn a_killed_servers_ready_file_is_not_taken_for_the_next_ones() {
    let env = TestEnv::new();
    let (ready, foreign) = (env.home().join("ready"), env.home().join("notes.txt"));
    let flags = ["--in-memory", "--ready-file", "ready"];
    Serve::start(&env, &flags).end(Signal::KILL);
    assert!(ready.exists(), "nobody could remove it");
    fs::write(&foreign, "no database").expect("written");
    let failed = env.agentctl(["serve", "--bind", "127.0.0.1:0", "--db", "notes.txt", "--ready-file", "ready"]).run();
    assert_eq!((failed.code(), ready.exists()), (13, false), "it never was ready: {failed}");
}

#[test]
fn two_servers_do_not_share_a_database_or_a_port() {
    let env = TestEnv::new();
    let first = Serve::start(&env, &[]);
    let second = env.agentctl(["serve", "--bind", "127.0.0.1:0"]).run();
    assert_eq!(second.code(), 13, "{second}");
    let message = second.error()["message"].to_string();
    assert!(message.contains(&first.url) && message.contains("local.db"), "{message}");
    let address = first.address().to_string();
    let third = env.agentctl(["serve", "--in-memory", "--bind", &address]).run();
    assert_eq!(third.code(), 13, "{third}");
    assert!(third.error()["hint"].to_string().contains("--bind"), "{third}");
    assert_eq!(env.agentctl(["agents", "list", "--local"]).run().code(), 0, "the first one is unharmed");
}

#[test]
fn a_port_that_others_reach_needs_a_key_and_a_name() {
    let env = TestEnv::new();
    for flags in [
        &["--bind", "0.0.0.0:0"][..],
        &["--bind", "[::]:0"],
        &["--bind", "0.0.0.0:0", "--no-auth", "--allow-host", "a.example"],
    ] {
        let output = env.agentctl([&["serve", "--in-memory"], flags].concat()).run();
        assert_eq!(output.code(), 14, "{flags:?} {output}");
    }
    let flags = ["serve", "--in-memory", "--print-env", "--bind", "0.0.0.0:0", "--allow-host", "box.example"];
    let serve = Serve::from(env.agentctl(flags));
    assert!(serve.url.starts_with("http://127.0.0.1:"), "it is reached from here: {}", serve.url);
    let head = |host: &str| format!("GET /v1/health/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(status(&serve.raw(head("box.example"))), 200);
    assert_eq!(status(&serve.raw(head("box.example:9000"))), 200, "a port may be mapped to another");
    assert_eq!(status(&serve.raw(head("other.example"))), 421);
}

#[test]
fn a_database_that_cannot_be_used_is_left_unchanged() {
    let env = TestEnv::new();
    let sqlite = |name: &str, sql: &str| {
        let path = env.home().join(name);
        rusqlite::Connection::open(&path).and_then(|db| db.execute_batch(sql)).expect("a database");
        path
    };
    let foreign = sqlite("foreign.db", "CREATE TABLE notes (x)");
    let serve = Serve::start(&env, &["--db", env.home().join("newer.db").to_str().expect("a path")]);
    assert_eq!(serve.stop().code(), 0);
    let mut holes = fs::read(env.home().join("newer.db")).expect("the file");
    holes[4096..4 * 4096].fill(0xaa);
    let holes = env.write("holes.db", &holes);
    let newer = sqlite("newer.db", "PRAGMA user_version = 9999");
    fs::copy(&newer, env.home().join("older.db")).expect("copied");
    let older = sqlite("older.db", "PRAGMA user_version = 6");
    let ours = fs::read(&newer).expect("the file");
    let torn = env.write("torn.db", &ours[..ours.len() / 2]);
    let text = env.write("README.md", "# Notes\n\nNot a database, but a long enough text to be taken for one.\n");
    let folder = env.home().join("folder");
    fs::create_dir(&folder).expect("made");
    let output = env.agentctl(["serve", "--bind", "127.0.0.1:0", "--db", "folder"]).run();
    assert!(output.code() == 13 && output.error()["message"] == "folder is a folder", "{output}");
    for (path, words) in [
        (foreign, "not a database"),
        (newer, "newer.db has version 9999 of the tables"),
        (older, "older.db has version 6 of the tables"),
        (torn, "damaged"),
        (holes, "damaged"),
        (text, "not a database"),
    ] {
        let beside = || fs::read_dir(env.home()).expect("the home").count();
        let before = (fs::read(&path).expect("the file"), beside());
        let output = env.agentctl(["serve", "--bind", "127.0.0.1:0", "--db", path.to_str().expect("a path")]).run();
        assert_eq!(output.code(), 13, "{} {output}", path.display());
        assert!(output.error()["message"].to_string().contains(words), "{words}: {output}");
        assert!(
            output.error()["hint"]
                .to_string()
                .contains("together with its -wal and -shm files, or name another one with --db"),
            "{output}"
        );
        assert!((fs::read(&path).expect("the file"), beside()) == before, "{} was touched", path.display());
    }
}

#[test]
fn an_empty_command_does_not_serve_without_one() {
    let output = TestEnv::new().bash("command=; agentctl serve -- $command").run();
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    assert!(output.stderr.contains("no command follows `--`"), "{output}");
}

#[test]
fn a_folder_that_cannot_be_written_is_reported() {
    let env = TestEnv::new();
    let below_a_file = env.write("file", "").join("it.db");
    for db in [below_a_file.as_path(), Path::new("/proc/it.db")] {
        let output = env.agentctl(["serve", "--bind", "127.0.0.1:0", "--db", db.to_str().expect("a path")]).run();
        assert_eq!(output.code(), 13, "{output}");
        assert!(output.error()["hint"].to_string().contains("--in-memory"), "{output}");
    }
    let nowhere = env.agentctl(["serve", "--in-memory", "--bind", "127.0.0.1:0", "--ready-file", "/proc/x/y"]).run();
    assert_eq!(nowhere.code(), 13, "{nowhere}");
}

#[test]
fn every_file_is_for_this_user_only_whatever_the_umask() {
    let env = TestEnv::new();
    let script = "umask 000; exec agentctl serve --bind 127.0.0.1:0 --print-env --ready-file ready";
    let serve = Serve::from(env.bash(&format!("cd '{}'; {script}", env.home().display())));
    let port = serve.address().port();
    assert_eq!(serve.reach(env.agentctl(["send", "--agent", "x", "-m", "hi"])).run().code(), 5, "it answers");
    let data = env.home().join("agentctl-data");
    for name in ["local.db", "local.db-wal", "local.db-shm", "local.db.key", "local.db.server", "../ready"] {
        let mode = data.join(name).metadata().unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    for name in ["servers".to_owned(), format!("servers/{port}")] {
        let mode = data.join(&name).metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}

#[test]
fn a_shell_gets_the_variables_and_goes_on() {
    let env = TestEnv::new();
    let script = r#"eval "$(agentctl serve --bind 127.0.0.1:0 --print-env 2>/dev/null & echo "pid=$!")"
        agentctl agents create --name x -o id | grep -q '^agent-'
        echo "$LETTA_BASE_URL"
        kill "$pid""#;
    let output = env.bash(script).run();
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stdout.starts_with("http://127.0.0.1:"), "{output}");
}

#[test]
fn the_log_is_lines_or_json() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, &["--in-memory", "-o", "json", "-v"]);
    let (url, key) = (serve.url.clone(), serve.key.clone());
    assert_eq!(serve.reach(env.agentctl(["agents", "create", "--name", "canary"])).run().code(), 0);
    assert_eq!(status(&serve.raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")), 421);
    let output = serve.stop();
    let lines: Vec<serde_json::Value> =
        output.stderr.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["type"].as_str()).collect();
    for kind in ["started", "request", "refused", "stopping", "stopped"] {
        assert!(kinds.contains(&kind), "{kind}: {output}");
    }
    assert_eq!(lines[0]["base_url"], url.as_str());
    assert!(!output.stderr.contains(&key) && !output.stderr.contains("canary"), "no key, no body: {output}");
}

#[test]
fn a_run_at_work_is_finished_first() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, &[]);
    let agent = scripted(&env);
    let id = send(&env, &agent, "@sleep 1s\n@reply done");
    until("running", || env.agentctl(["status", "--local", &id]));
    let waiting = send(&env, &agent, "@reply later");
    let address = serve.address();
    serve.process().signal(Signal::TERM);
    serve.process().wait_for_stderr("finishing 1 run");
    until_refused(address);
    let output = serve.end_of_it();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(runs_in_file(&env.home().join("agentctl-data/local.db")), 2, "nothing is left in the write-ahead log");
    let status = |id: &str| env.agentctl(["status", "--local", id]).run().document()["status"].clone();
    assert_eq!((status(&id), status(&waiting)), (json!("completed"), json!("created")));
    let again = Serve::start(&env, &[]);
    send(&env, &agent, "@reply last");
    let watched = env.agentctl(["watch", "--local", &waiting]).run();
    assert_eq!(watched.code(), 0, "the next start goes on with the rest: {watched}");
    drop(again);
}

#[test]
fn a_request_at_work_is_answered_first() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, &[]);
    let agent = scripted(&env);
    let (line, address) = (format!("POST /v1/agents/{agent}/messages"), serve.address());
    let request = serve.request(&line, "", r#"{"input":"@sleep 1s\n@reply done"}"#);
    let asking = std::thread::spawn(move || exchange(address, request.as_bytes()));
    until("running", || env.agentctl(["list", "--local"]));
    serve.process().signal(Signal::TERM);
    let answer = asking.join().expect("no panic");
    assert!(status(&answer) == 200 && answer.contains("done"), "{answer}");
    assert_eq!(serve.end_of_it().code(), 0);
}

#[test]
fn it_survives_more_connections_than_it_can_have() {
    let env = TestEnv::new();
    let script = "ulimit -n 64; exec agentctl serve --bind 127.0.0.1:0 --in-memory --print-env";
    let serve = Serve::from(env.bash(script));
    let many: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(serve.address()).expect("a connection")).collect();
    drop(many);
    assert_eq!(status(&serve.ask("GET /v1/health/", "", "")), 200, "the next one is served");
    assert_eq!(serve.stop().code(), 0);
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let env = TestEnv::new();
    let serve = Serve::start(&env, &[]);
    let agent = scripted(&env);
    let id = send(&env, &agent, "@hang");
    until("running", || env.agentctl(["status", "--local", &id]));
    serve.process().signal(Signal::TERM);
    serve.process().wait_for_stderr("stopping");
    let output = serve.end(Signal::TERM);
    assert_eq!((output.code(), output.signal()), (143, Some(15)), "{output}");
    assert!(output.stderr.contains("1 run left to the next start"), "{output}");
}

/// How many runs a database file holds by itself, without the files beside it.
fn runs_in_file(path: &Path) -> i64 {
    let copy = path.with_extension("copy");
    fs::copy(path, &copy).expect("a copy");
    let db = rusqlite::Connection::open(&copy).expect("a database");
    db.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).expect("a count")
}

/// An agent of the local server that does what its messages say.
fn scripted(env: &TestEnv) -> String {
    let create = ["agents", "create", "--local", "--name", "scripted", "--model", "agentctl/script", "-o", "id"];
    let output = env.agentctl(create).run();
    assert_eq!(output.code(), 0, "{output}");
    output.stdout.trim().to_owned()
}

/// Sends to the local server without waiting for the run.
fn send(env: &TestEnv, agent: &str, text: &str) -> String {
    let output = env.agentctl(["send", "--local", "--agent", agent, "-m", text, "-o", "id"]).run();
    assert_eq!(output.code(), 0, "{output}");
    output.stdout.trim().to_owned()
}

fn until_refused(address: std::net::SocketAddr) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(address).is_ok() {
        assert!(std::time::Instant::now() < deadline, "connections are still accepted");
    }
}
