//! Profiles, `config`, and the precedence of settings.

use std::fs;

use serde_json::json;

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, run_answer};
use crate::support::pty::Pty;
use crate::support::{Mock, Output, TestEnv};

/// The folder of the configuration, with a file in it.
fn with_config(text: &str) -> TestEnv {
    let env = TestEnv::new();
    fs::create_dir(env.home().join("config/agentctl")).expect("a folder");
    env.write("config/agentctl/config.toml", text);
    env
}

fn config(env: &TestEnv, line: &str) -> Output {
    env.agentctl(line.split(' ')).run()
}

#[test]
fn a_setting_that_was_set_is_used_until_it_is_unset() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let done = |line: &str| {
        let output = config(&env, line);
        assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (0, "", ""), "{line}\n{output}");
    };
    done(&format!("config set base_url {}/v1/", mock.url()));
    done(&format!("config set profiles.default.agent {AGENT}"));
    assert_eq!(config(&env, "send -m hi").code(), 0);
    assert_eq!(mock.seen("POST")[0].path, POST_PATH);
    assert_eq!(config(&env, "config get agent").stdout, format!("{AGENT}\n"));
    done("config unset agent");
    let output = config(&env, "config get agent");
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    assert_eq!(config(&env, "send -m hi").code(), 2, "no agent is given now");
    let path = config(&env, "config path").stdout;
    assert_eq!(path.trim(), env.home().join("config/agentctl/config.toml").to_str().expect("UTF-8"));
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_profile() {
    let servers: Vec<Mock> = (0..4).map(|_| letta::done()).collect();
    let urls: Vec<String> = servers.iter().map(Mock::url).collect();
    let env = with_config(&format!(
        "profile = 'a'\n[profiles.a]\nbase_url = '{}'\n[profiles.b]\nbase_url = '{}'\n",
        urls[0], urls[1]
    ));
    let connections = || servers.iter().map(Mock::connections).collect::<Vec<_>>();
    let look = |more: &[&str]| env.agentctl([&["status", RUN], more].concat());
    for (process, expected) in [
        (look(&[]), [1, 0, 0, 0]),
        (look(&[]).env("AGENTCTL_PROFILE", "b"), [1, 1, 0, 0]),
        (look(&["--profile", "b"]).env("AGENTCTL_PROFILE", "a"), [1, 2, 0, 0]),
        (look(&["--profile", "b"]).env("LETTA_BASE_URL", &urls[2]), [1, 2, 1, 0]),
        (look(&["--base-url", &urls[3]]).env("LETTA_BASE_URL", &urls[2]), [1, 2, 1, 1]),
    ] {
        let output = process.run();
        assert_eq!((output.code(), connections()), (0, expected.to_vec()), "{output}");
    }
    assert_eq!(config(&env, "config use b").code(), 0);
    assert_eq!((look(&[]).run().code(), connections()), (0, vec![1, 3, 1, 1]));
}

#[test]
fn every_setting_is_listed_with_where_it_came_from() {
    let env = with_config("[profiles.default]\nbase_url = 'http://127.0.0.1:9'\nagent = 'helper'\nproject = 'alpha'\n");
    let list = |args: &[&str]| env.agentctl([&["config", "list"], args].concat()).env("LETTA_AGENT_ID", "other");
    let text = list(&[]).run().stdout;
    for line in [
        "profile   default  (from the default)",
        "base_url  http://127.0.0.1:9  (from the profile `default`)",
        "agent     other  (from LETTA_AGENT_ID)",
        "output    human  (from the default)",
    ] {
        assert!(text.lines().any(|one| one == line), "{line}\n{text}");
    }
    let terminal = Pty::agentctl(&env, ["config", "list"]).env("LETTA_AGENT_ID", "other").columns(200).spawn().wait();
    assert_eq!(terminal.lines(), text.lines().collect::<Vec<_>>(), "the same on a terminal and in a pipe");
    let documents = list(&["-o", "json"]).run().documents();
    let agent = json!({"key": "agent", "value": "other", "origin": "LETTA_AGENT_ID"});
    assert!(documents.contains(&agent), "{documents:?}");
}

#[test]
fn a_profile_decides_about_output_on_a_terminal_only() {
    let (env, mock) = (with_config("[profiles.default]\noutput = 'id'\n"), letta::done());
    let screen = Pty::agentctl(&env, ["status", RUN]).server(&mock.url()).spawn().wait();
    assert_eq!(screen.lines(), [RUN]);
    assert_eq!(env.agentctl(["status", RUN]).server(&mock.url()).run().document()["id"], RUN);
}

#[test]
fn an_invalid_file_is_reported_with_its_line_and_nothing_is_sent() {
    for (text, gist) in [
        ("base_url = [1", "config.toml:1:14: bad TOML: unclosed array"),
        ("[profiles.default]\nbase_url = 'localhost:8283'", "config.toml:2:12: the base URL `localhost:8283`"),
        ("[profiles.default]\nagent = 'agent-7'", "config.toml:2:9: `agent` is not an agent"),
    ] {
        let (env, mock) = (with_config(text), letta::done());
        let output = env.agentctl(["status", RUN]).server(&mock.url()).run();
        assert!(output.error()["message"].as_str().is_some_and(|message| message.contains(gist)), "{output}");
        assert_eq!((output.code(), mock.connections()), (2, 0), "{output}");
        // The command that helps to repair the file works without it.
        assert_eq!(config(&env, "config path").code(), 0);
    }
}

#[test]
fn an_invalid_value_is_not_written() {
    let env = with_config("[profiles.default]\nagent = 'x'\n");
    for line in [
        "config set base_url localhost:8283",
        "config set base_url http://u:canary@h",
        "config set agent agent-7",
        "config set output yaml",
        "config set api_key canary",
        "config set profiles.a/b.agent x",
        "config use nobody",
        "config get nonsense",
        "send -m hi --profile nobody",
        "status run-12345678 --local --profile default",
    ] {
        let output = config(&env, line);
        assert_eq!(output.code(), 2, "{line}\n{output}");
        let echoes_password = line.contains("canary@") && output.stderr.contains("canary");
        assert!(!echoes_password, "{output}");
    }
    let text = fs::read_to_string(env.home().join("config/agentctl/config.toml")).expect("the file");
    assert_eq!(text, "[profiles.default]\nagent = 'x'\n");
    let known = config(&env, "send -m hi --profile nobody");
    assert!(known.error()["hint"].as_str().is_some_and(|hint| hint.ends_with("are default")), "{known}");
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let env = TestEnv::new();
    let names: Vec<String> = (0..12).map(|at| format!("p{at}")).collect();
    let set = |name: &String| env.agentctl(["config", "set", &format!("profiles.{name}.agent"), name]).spawn();
    let writers: Vec<_> = names.iter().map(set).collect();
    writers.into_iter().for_each(|writer| assert_eq!(writer.wait().code(), 0));
    for name in &names {
        assert_eq!(config(&env, &format!("config get profiles.{name}.agent")).stdout, format!("{name}\n"));
    }
    let left: Vec<_> = fs::read_dir(env.home().join("config/agentctl")).expect("the folder").flatten().collect();
    assert_eq!(left.len(), 2, "the file and its lock: {left:?}");
}

#[test]
fn a_file_in_the_current_folder_is_never_read() {
    for name in ["config.toml", "agentctl.toml", ".agentctl.toml", ".agentctl/config.toml", "agentctl/config.toml"] {
        let (env, hostile, mine) = (TestEnv::new(), letta::done(), letta::done());
        let file = env.home().join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(&file, format!("[profiles.default]\nbase_url = '{}'\n", hostile.url())).expect("a file");
        let output = env.agentctl(["status", RUN]).server(&mine.url()).run();
        assert_eq!((output.code(), hostile.connections(), mine.connections()), (0, 0, 1), "{name}\n{output}");
        let listed = config(&env, "config list").stdout;
        assert!(!listed.contains(&hostile.url()), "{name}\n{listed}");
    }
}

#[test]
fn unknown_keys_are_kept_and_reported_on_request() {
    let mock = letta::letta([run_answer("completed", Some("end_turn"))]);
    let text = "future = 1 # keep me\n[profiles.default]\nshiny = true\n";
    let env = with_config(text);
    let output = env.agentctl(["status", RUN, "-v", "-o", "json"]).server(&mock.url()).run();
    assert_eq!(output.code(), 0, "{output}");
    for line in ["config.toml: `future` is unknown", "`profiles.default.shiny` is unknown", "profile: default (from"] {
        assert!(output.stderr.contains(line), "{output}");
    }
    assert_eq!(config(&env, "config set agent x").code(), 0);
    let after = fs::read_to_string(env.home().join("config/agentctl/config.toml")).expect("the file");
    assert_eq!(after, format!("{text}agent = \"x\"\n"));
    assert_eq!(mock.requests()[0].path, RUN_PATH);
}
