//! Acceptance tests of the first requirements, against a server with the two documented routes.

use crate::support::letta::{self, AGENT, RUN};
use crate::support::process::Process;
use crate::support::pty::Pty;
use crate::support::{Seed, TestEnv};

const SEEDS_RUN: &str = "run-12345678";

/// A script with the agent in `$A`.
fn script(env: &TestEnv, seed: &Seed, script: &str) -> Process {
    env.bash(script).server(&seed.0).env("A", AGENT)
}

/// jq is the other half of many pipes; where it is missing these tests cannot be carried out.
fn has_jq() -> bool {
    let found = TestEnv::new().bash("command -v jq").run().code() == 0;
    if !found {
        eprintln!("skipped: there is no jq here");
    }
    found
}

#[test]
fn send_submits_a_message_and_prints_the_run() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let output = env.agentctl(["send", "--agent", AGENT, "-m", "hi"]).server(&seed.0).run();
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!((&output.document()["id"], &output.document()["status"]), (&SEEDS_RUN.into(), &"created".into()));
}

#[test]
fn watch_follows_a_run_to_its_end_and_tells_ttft_and_duration() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let output = env.agentctl(["watch", SEEDS_RUN, "-o", "human"]).server(&seed.0).run();
    assert_eq!(output.code(), 0, "{output}");
    let last = output.stdout.lines().last().expect("a line");
    assert!(last.contains("ttft 310 ms") && last.contains("duration 4.2 s"), "{output}");
}

#[test]
fn json_goes_in_and_out_of_a_script() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let text = r#"printf '{"messages": [{"role": "user", "content": "hi"}]}' | agentctl send --agent "$A" | cat"#;
    let output = script(&env, &seed, text).run();
    assert_eq!((output.code(), output.document()["id"].as_str()), (0, Some(SEEDS_RUN)), "{output}");
}

#[test]
fn send_watch_and_jq_make_a_pipe() {
    if !has_jq() {
        return;
    }
    let (env, seed) = (TestEnv::new(), Seed::start());
    let text = r#"echo '{"messages": [{"role": "user", "content": "hi"}]}' |
        agentctl send --agent "$A" | agentctl watch - | jq -r ._agentctl.outcome"#;
    let output = script(&env, &seed, text).run();
    assert_eq!((output.code(), output.stdout.as_str()), (0, "succeeded\n"), "{output}");
}

#[test]
fn a_variable_holds_one_id() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let output = script(&env, &seed, r#"id=$(agentctl send --agent "$A" -m hi -o id); printf '<%s>' "$id""#).run();
    assert_eq!((output.code(), output.stdout.as_str()), (0, "<run-12345678>"), "{output}");
}

#[test]
fn a_variable_that_holds_the_run_can_be_watched() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let output = script(&env, &seed, r#"r=$(agentctl send --agent "$A" -m hi); agentctl watch "$r""#).run();
    assert_eq!((output.code(), output.document()["status"].as_str()), (0, Some("completed")), "{output}");
}

#[test]
fn send_in_a_loop_leaves_the_input_to_the_loop() {
    let (env, mock) = (TestEnv::new(), letta::done());
    env.write("lines", "one\ntwo\n-three\n");
    let text = r#"while read -r line; do agentctl send --agent "$A" -m "$line" -o id; done < lines"#;
    let output = env.bash(text).server(&mock.url()).env("A", AGENT).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{RUN}\n").repeat(3)));
    let said = |request: &crate::support::mock::Request| request.json()["messages"][0]["content"].clone();
    assert_eq!(mock.seen("POST").iter().map(said).collect::<Vec<_>>(), ["one", "two", "-three"]);
}

#[test]
fn one_ctrl_c_ends_a_loop_of_the_shell() {
    let (env, mock) = (TestEnv::new(), letta::letta([letta::run_answer("running", None)]));
    let text = format!("for i in 1 2 3; do agentctl watch {RUN}; echo turn $i is over; done; echo never reached");
    let mut loops = Pty::bash(&env, &text).server(&mock.url()).spawn();
    mock.wait_for("GET", 2);
    loops.wait_for("running");
    loops.type_in("\u{3}");
    let screen = loops.wait();
    assert!(!screen.raw().contains("is over") && !screen.raw().contains("never reached"), "{}", screen.raw());
    assert_eq!(screen.raw().matches("detached").count(), 1, "{}", screen.raw());
    assert!(screen.code != 0);
}
