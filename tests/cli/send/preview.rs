//! `--dry-run` and `--curl` show the request and do not send it.

use super::*;

#[test]
fn a_dry_run_shows_the_request_and_sends_nothing() {
    let mock = letta::done();
    let output = agentctl(&mock, &format!("{SEND} --max-steps 3 --dry-run"));
    assert_eq!((output.code(), mock.connections()), (0, 0), "{output}");
    let shown = output.document();
    assert_eq!(shown["method"], "POST");
    assert_eq!(shown["url"], format!("{}{POST_PATH}", mock.url()));
    assert_eq!(without_otids(shown["body"].clone()), json!({"messages": [user("hi")], "max_steps": 3}));
    assert!(shown["headers"]["Authorization"].is_string() && !output.stdout.contains("test-key"), "{output}");
    let by_name = agentctl(&mock, "send --agent helper -m hi --dry-run");
    assert_eq!((by_name.code(), mock.connections()), (2, 0), "the name would need the server\n{by_name}");
}

#[test]
fn a_dry_run_needs_no_server_key_or_home() {
    let env = TestEnv::new();
    let process = env.agentctl([SEND.split(' ').collect::<Vec<_>>(), vec!["--dry-run"]].concat());
    let output = process.env("HOME", "/proc/nowhere").env("AGENTCTL_DATA_DIR", "/proc/nowhere").run();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(output.document()["url"], format!("http://localhost:8283{POST_PATH}"));
}

#[test]
fn the_curl_command_does_what_the_program_would() {
    let (env, mock) = (TestEnv::new(), letta::done());
    if env.bash("command -v curl").run().code() != 0 {
        eprintln!("skipped: there is no curl here");
        return;
    }
    let text = "it's \"$HOME\" `id` \\ \n!x ä";
    let process = env.agentctl(["send", "--agent", AGENT, "-m", text, "--max-steps", "3", "--curl"]);
    let shown = process.server(&mock.url()).run();
    assert_eq!((shown.code(), mock.connections()), (0, 0), "{shown}");
    assert!(!shown.stdout.contains("test-key") && shown.stdout.contains("$LETTA_API_KEY"), "{shown}");
    let output = env.bash(&shown.stdout).server(&mock.url()).run();
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(RUN)), "{output}");
    let post = &mock.seen("POST")[0];
    assert_eq!((post.path.as_str(), post.header("authorization")), (POST_PATH, Some("Bearer test-key")));
    assert_eq!(post.header("content-type"), Some("application/json"));
    assert_eq!(without_otids(post.json()), json!({"messages": [user(text)], "max_steps": 3}));
}
