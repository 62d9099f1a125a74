//! Saved keys: only those that a server accepted, only for that server, and readable by the owner only.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde_json::json;

use crate::support::letta::{self, RUN};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, Output, TestEnv, mock};

const KEY: &str = "sk-let-canary-0123456789";

/// A server that accepts this key only.
fn server() -> Mock {
    let mock = letta::done();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &json!([]))]);
    mock
}

fn login(env: &TestEnv, url: &str) -> Output {
    env.agentctl(["login", "--base-url", url]).stdin(format!("{KEY}\n")).run()
}

fn file(env: &TestEnv) -> PathBuf {
    env.home().join("config/agentctl/credentials.toml")
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

#[test]
fn an_accepted_key_is_saved_and_sent_until_logout() {
    let (env, mock) = (TestEnv::new(), server());
    let output = login(&env, &mock.url());
    assert_eq!((output.code(), output.stdout.as_str()), (0, ""), "{output}");
    assert!(output.stderr.contains(&mock.url()) && !output.stderr.contains(KEY), "{output}");
    let request = &mock.requests()[0];
    let bearer = format!("Bearer {KEY}");
    assert_eq!((request.path.as_str(), request.query.as_str()), ("/v1/agents/", "limit=1"));
    assert_eq!(request.header("authorization"), Some(bearer.as_str()));
    let status = |more: &[&str]| env.agentctl([&["status", RUN, "--base-url", &mock.url()], more].concat()).run();
    let key_sent = || mock.requests().last().and_then(|request| request.header("authorization").map(str::to_owned));
    let output = status(&["-v"]);
    assert_eq!((output.code(), key_sent()), (0, Some(bearer)), "{output}");
    assert!(output.stderr.contains("key: from login") && !output.stderr.contains(KEY), "{output}");
    let output = env.agentctl(["logout", "--base-url", &mock.url()]).run();
    assert_eq!(output.stderr, format!("forgot the key for {}\n", mock.url()));
    assert_eq!((status(&[]).code(), key_sent()), (0, None));
    assert!(!fs::read_to_string(file(&env)).expect("the file").contains(KEY));
    let again = env.agentctl(["logout", "--base-url", &mock.url()]).run();
    assert_eq!((again.code(), again.stderr), (0, format!("no key is saved for {}\n", mock.url())));
}

#[test]
fn a_key_is_sent_to_the_server_that_it_was_saved_for_and_to_no_other() {
    let (env, mine, other) = (TestEnv::new(), server(), server());
    assert_eq!(login(&env, &mine.url()).code(), 0);
    let other_name = mine.url().replace("127.0.0.1", "localhost");
    for url in [other.url(), other_name] {
        assert_eq!(env.agentctl(["status", RUN, "--base-url", &url]).run().code(), 0);
        let by_env = env.agentctl(["status", RUN]).env("LETTA_BASE_URL", &url).run();
        assert_eq!(by_env.code(), 0, "{by_env}");
    }
    let keys = |mock: &Mock| mock.requests().iter().filter(|request| request.header("authorization").is_some()).count();
    assert_eq!((keys(&other), keys(&mine)), (0, 1), "the login itself sent it, and nothing else did");
    // A key saved for one server is not used for the cloud: without an address, the local server is the default.
    let listed = env.agentctl(["config", "list"]).run().stdout;
    assert!(listed.contains("base_url  http://localhost:8283  (from the default)"), "{listed}");
}

#[test]
fn a_key_that_was_saved_for_the_cloud_leads_there() {
    let env = TestEnv::new();
    fs::create_dir(env.home().join("config/agentctl")).expect("a folder");
    fs::write(file(&env), format!("[keys]\n\"https://api.letta.com\" = \"{KEY}\"\n")).expect("a file");
    fs::set_permissions(file(&env), fs::Permissions::from_mode(0o600)).expect("a mode");
    let listed = env.agentctl(["config", "list"]).run().stdout;
    assert!(listed.contains("base_url  https://api.letta.com  (from the default with a key)"), "{listed}");
    assert!(listed.contains("key       (redacted)  (from login)"), "{listed}");
}

#[test]
fn a_key_that_is_refused_is_not_saved() {
    let refused = |status: u16| {
        let mock = Mock::start();
        mock.on("GET", "/v1/agents/", [Answer::status(status)]);
        mock
    };
    let (no, forbidden, web) = (refused(401), refused(403), Mock::start());
    web.on("GET", "/v1/agents/", [Answer::body(200, "text/html", "<html>hello</html>")]);
    let elsewhere = Mock::start();
    elsewhere.on("GET", "/v1/agents/", [Answer::status(302).header("location", &no.url())]);
    for (url, code) in [
        (no.url(), 4),
        (forbidden.url(), 4),
        (mock::refusing(), 9),
        (web.url(), 11),
        (elsewhere.url(), 14),
        ("http://203.0.113.7".to_owned(), 14),
        ("localhost:8283".to_owned(), 2),
    ] {
        let env = TestEnv::new();
        let output = login(&env, &url);
        assert_eq!(output.code(), code, "{url}\n{output}");
        assert!(!file(&env).exists() && !output.stderr.contains(KEY), "{url}\n{output}");
    }
    assert_eq!(no.connections(), 1, "where a redirect points to, nobody asks");
}

#[test]
fn an_invalid_key_is_refused_without_being_shown() {
    for (stdin, gist) in
        [("", "no key was given"), ("\n", "no key was given"), ("cana ry\n", "byte 5"), ("canar\u{fc}", "byte 6")]
    {
        let (env, mock) = (TestEnv::new(), server());
        let output = env.agentctl(["login", "--base-url", &mock.url()]).stdin(stdin).run();
        assert_eq!((output.code(), mock.connections()), (2, 0), "{output}");
        assert!(output.stderr.contains(gist) && !output.stderr.contains("cana"), "{output}");
    }
    let env = TestEnv::new();
    assert_eq!(env.agentctl(["login", "--local"]).run().code(), 2);
    assert_eq!(env.agentctl(["login", KEY]).run().code(), 2, "no key on the command line");
}

#[test]
fn the_file_is_for_this_user_only_whatever_the_umask() {
    let (env, mock) = (TestEnv::new(), server());
    let script = format!("umask 000; echo {KEY} | agentctl login --base-url {}", mock.url());
    assert_eq!(env.bash(&script).run().code(), 0);
    assert_eq!((mode(&file(&env)), mode(file(&env).parent().expect("a folder"))), (0o600, 0o700));
    let left: Vec<_> = fs::read_dir(file(&env).parent().expect("a folder")).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 2, "the file and the lock: {left:?}");
}

#[test]
fn a_file_that_others_could_have_read_or_exchanged_is_not_used() {
    let (env, mock) = (TestEnv::new(), server());
    assert_eq!(login(&env, &mock.url()).code(), 0);
    let (credentials, aside) = (file(&env), env.home().join("aside.toml"));
    let status = || env.agentctl(["status", RUN, "--base-url", &mock.url()]).run();
    let refused = |gist: &str| {
        let (before, output) = (mock.connections(), status());
        assert_eq!((output.code(), mock.connections()), (14, before), "{output}");
        assert!(output.stderr.contains(gist) && !output.stderr.contains(KEY), "{output}");
        output
    };
    for loose in [0o644, 0o640, 0o604, 0o660, 0o777] {
        fs::set_permissions(&credentials, fs::Permissions::from_mode(loose)).expect("a mode");
        let hint = refused("is readable by others").error()["hint"].as_str().map(str::to_owned).expect("a hint");
        // The command in the hint repairs the mode.
        assert_eq!(env.bash(hint.strip_prefix("run: ").expect("a command")).run().code(), 0);
        assert_eq!(status().code(), 0);
    }
    fs::rename(&credentials, &aside).expect("moved");
    symlink(&aside, &credentials).expect("a link");
    refused("is a symbolic link");
    fs::remove_file(&credentials).expect("removed");
    for (make, code) in [("mkfifo", 13), ("mkdir", 13)] {
        assert_eq!(env.bash(&format!("{make} {}", credentials.display())).run().code(), 0);
        let output = status();
        assert_eq!(output.code(), code, "{make}\n{output}");
        assert_eq!(env.bash(&format!("rm -r {}", credentials.display())).run().code(), 0);
    }
    // A key in the environment needs no file.
    symlink(&aside, &credentials).expect("a link");
    assert_eq!(env.agentctl(["status", RUN]).server(&mock.url()).run().code(), 0);
    let folder = credentials.parent().expect("a folder");
    fs::remove_file(&credentials).expect("removed");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).expect("a mode");
    let output = login(&env, &mock.url());
    assert_eq!(output.code(), 14, "{output}");
    assert!(output.stderr.contains("chmod 700") && !credentials.exists(), "{output}");
}

#[test]
fn a_key_that_is_typed_is_not_shown() {
    let (env, mock) = (TestEnv::new(), server());
    let mut terminal = Pty::agentctl(&env, ["login", "--base-url", &mock.url()]).spawn();
    terminal.wait_for("(it is not shown): ");
    terminal.type_in(&format!("{KEY}\r"));
    let screen = terminal.wait();
    assert_eq!(screen.code, 0, "{}", screen.raw());
    assert!(!screen.raw().contains("canary") && screen.raw().contains("saved the key"), "{}", screen.raw());
}

#[test]
fn a_terminal_echoes_again_after_an_interruption() {
    let (env, mock) = (TestEnv::new(), server());
    let script = format!("agentctl login --base-url {}; stty -a | grep -o ' -\\?echo '; echo done", mock.url());
    let mut terminal = Pty::bash(&env, &format!("trap : INT; {script}")).spawn();
    terminal.wait_for("(it is not shown): ");
    terminal.type_in("\u{3}");
    terminal.wait_for("done");
    let screen = terminal.wait();
    assert!(screen.raw().contains(" echo ") && !screen.raw().contains("-echo"), "{}", screen.raw());
    assert_eq!(mock.connections(), 0);
}

#[test]
fn a_crash_dumps_no_memory() {
    let (env, mock) = (TestEnv::new(), letta::letta([letta::run_answer("running", None)]));
    let script = format!("ulimit -c unlimited && exec agentctl watch {RUN} --interval 50ms");
    let watching = env.bash(&script).server(&mock.url()).spawn();
    mock.wait_for("GET", 1);
    watching.signal(rustix::process::Signal::ABORT);
    let output = watching.wait();
    assert_eq!((output.signal(), output.dumped_core()), (Some(6), false), "{output}");
}

#[test]
fn a_netrc_is_never_read() {
    let (env, mock) = (TestEnv::new(), server());
    let plain = |env: &TestEnv| env.agentctl(["status", RUN, "--base-url", &mock.url()]).run().code();
    assert_eq!(plain(&env), 0);
    for name in [".netrc", "_netrc"] {
        env.write(name, format!("machine 127.0.0.1 login me password {KEY}\ndefault login me password {KEY}\n"));
    }
    let netrc = env.home().join(".netrc");
    let output = env.agentctl(["status", RUN, "--base-url", &mock.url()]).env("NETRC", netrc).run();
    assert_eq!(output.code(), 0, "{output}");
    let requests = mock.requests();
    assert_eq!(format!("{:?}", requests[0]), format!("{:?}", requests[1]), "not a byte differs");
}
