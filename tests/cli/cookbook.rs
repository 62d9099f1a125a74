//! The scripts of the cookbook do what they say, against the local server on a port.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::process::Process;
use crate::support::serve::Serve;
use crate::support::{Output, TestEnv};

/// A home, a server, and agents whose model does what a message says.
struct Kitchen {
    env: TestEnv,
    serve: Serve,
    agents: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cookbook")
}

impl Kitchen {
    fn new(agents: usize) -> Self {
        let env = TestEnv::new();
        let serve = Serve::start(&env, &["--in-memory"]);
        let mut kitchen = Self { env, serve, agents: vec![] };
        kitchen.agents = (0..agents).map(|number| kitchen.agent(&format!("agent {number}"), "script")).collect();
        kitchen
    }

    fn agent(&self, name: &str, model: &str) -> String {
        let args = ["agents", "create", "--name", name, "--model", &format!("agentctl/{model}"), "-o", "id"];
        let output = self.serve.reach(self.env.agentctl(args)).run();
        assert_eq!(output.code(), 0, "{output}");
        output.stdout.trim().to_owned()
    }

    /// A recipe with its arguments, which are quoted for a shell. `LETTA_AGENT_ID` names the first agent.
    fn recipe(&self, name: &str, arguments: &str) -> Process {
        let script = format!("{}/{name} {arguments}", folder().display());
        let process = self.serve.reach(self.env.bash(&script));
        match self.agents.first() {
            Some(agent) => process.env("LETTA_AGENT_ID", agent),
            None => process,
        }
    }

    fn list(&self, flags: &[&str]) -> Vec<Value> {
        self.serve.reach(self.env.agentctl([&["list", "--all"], flags].concat())).run().documents()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.env.home().join(name)).unwrap_or_default()
    }
}

fn assert_done(output: &Output) {
    assert_eq!(output.code(), 0, "{output}");
}

#[test]
fn race_takes_the_first_answer_and_cancels_the_others() {
    let kitchen = Kitchen::new(3);
    let [quick, slow, slower] = &kitchen.agents[..] else { panic!("three agents") };
    // All get the same message; the other two are slow because each is busy with an earlier one.
    for agent in [slow, slower] {
        let busy = ["send", "--agent", agent, "-m", "@hang", "-o", "none", "-q"];
        assert_done(&kitchen.serve.reach(kitchen.env.agentctl(busy)).run());
    }
    let output = kitchen.recipe("race.sh", &format!("'@reply the answer' {slow} {quick} {slower}")).run();
    assert_done(&output);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "the answer", "{output}");
    assert!(lines[1].starts_with("p95 ttft: ") && lines[1].ends_with(" ms"), "{output}");
    assert_eq!(kitchen.list(&["--status", "cancelled"]).len(), 2);
    assert_eq!(kitchen.list(&["--status", "completed"])[0]["agent_id"], quick.as_str());
}

#[test]
fn github_step_puts_the_answer_on_the_summary_page_and_fails_with_the_run() {
    let kitchen = Kitchen::new(1);
    let summary = kitchen.env.write("summary.md", "");
    let step = |change: &str| {
        kitchen.recipe("github-step.sh", "").env("GITHUB_STEP_SUMMARY", &summary).stdin(change.to_owned()).run()
    };
    assert_done(&step("@reply looks good"));
    assert_eq!(kitchen.read("summary.md"), "## Review\nlooks good\n");
    assert_eq!(step("@fail no").code(), 1);
    assert_eq!(kitchen.read("summary.md"), "## Review\nlooks good\n");
}

#[test]
fn nightly_leaves_one_line_in_the_log() {
    let kitchen = Kitchen::new(1);
    let output = kitchen.recipe("nightly.sh", "").run();
    assert_done(&output);
    let fields: Vec<&str> = output.stdout.trim_end().split('\t').collect();
    assert_eq!((fields.len(), fields[2], output.stderr.as_str()), (4, "succeeded", ""), "{output}");
}

#[test]
fn parallel_and_fan_out_ask_every_agent_once() {
    let kitchen = Kitchen::new(6);
    let expected = |outcome: &str| {
        let mut lines: Vec<String> = kitchen.agents.iter().map(|agent| format!("{agent}\t{outcome}")).collect();
        lines.sort();
        lines
    };
    let parallel = kitchen.recipe("parallel.sh", "'@reply hi'").stdin(kitchen.agents.join("\n")).run();
    let fan_out = kitchen.recipe("fan-out.sh", "'@reply hi'").run();
    for output in [&parallel, &fan_out] {
        assert_done(output);
        let mut lines: Vec<&str> = output.stdout.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, expected("succeeded"), "{output}");
    }
    assert_eq!(kitchen.list(&[]).len(), 12);
    assert_eq!(kitchen.recipe("fan-out.sh", "'@fail no'").run().code(), 1, "it tells that a run failed");
}

#[test]
fn compose_waits_for_the_server_and_asks() {
    let kitchen = Kitchen::new(1);
    let output = kitchen.recipe("compose.sh", "'@reply hi'").run();
    assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (0, "hi\n", ""));
}

#[test]
fn check_commit_lets_the_agent_decide() {
    let kitchen = Kitchen::new(0);
    // It echoes the diff, so an added line decides.
    let agent = kitchen.agent("reviewer", "echo");
    let commit = |content: &str| {
        kitchen.env.write("file", content);
        let script = format!("git init -q . 2>/dev/null; git add file; {}/check-commit.sh", folder().display());
        kitchen.serve.reach(kitchen.env.bash(&script)).env("LETTA_AGENT_ID", &agent).run()
    };
    assert_done(&commit("this is OK\n"));
    let refused = commit("this is not\n");
    assert_eq!((refused.code(), refused.stdout.as_str()), (1, ""), "{refused}");
    assert!(refused.stderr.contains("this is not"), "{refused}");
}

#[test]
fn notify_runs_the_command_for_every_run() {
    let kitchen = Kitchen::new(1);
    let output = kitchen.recipe("notify.sh", "'jq -r ._agentctl.outcome' '@reply one' '@fail two'").run();
    assert_done(&output);
    let mut lines: Vec<&str> = output.stdout.lines().filter(|line| !line.starts_with("run-")).collect();
    lines.sort_unstable();
    assert_eq!(lines.iter().filter(|line| ["failed", "succeeded"].contains(line)).count(), 2, "{output}");
}

#[test]
fn resume_follows_the_pending_runs_to_their_end() {
    let kitchen = Kitchen::new(2);
    let send = |agent: &str| {
        let args = ["send", "--agent", agent, "-m", "@sleep 500ms\n@reply done", "-o", "id"];
        kitchen.serve.reach(kitchen.env.agentctl(args)).run().stdout
    };
    let pending: String = kitchen.agents.iter().map(|agent| send(agent)).collect();
    kitchen.env.write("pending", &pending);
    assert_done(&kitchen.recipe("resume.sh", "pending").run());
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&kitchen.read("pending.ended")), sorted(&pending));
    assert!(!kitchen.env.home().join("pending").exists());
    assert_done(&kitchen.recipe("resume.sh", "pending").run());
}

#[test]
fn json_goes_in_and_comes_out() {
    let kitchen = Kitchen::new(2);
    let request = |agent: &String| format!("{{\"agent_id\": \"{agent}\", \"input\": \"@reply hi\"}}\n");
    let output = kitchen.recipe("json.sh", "").stdin(kitchen.agents.iter().map(request).collect::<String>()).run();
    assert_done(&output);
    let results: Value = serde_json::from_str(&output.stdout).expect("one document");
    let results = results.as_array().expect("an array");
    assert_eq!(results.len(), 2, "{output}");
    assert!(results.iter().all(|one| one["outcome"] == "succeeded" && one["seconds"].is_number()), "{output}");
}

#[test]
fn every_recipe_is_tried_by_a_test() {
    let tests =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/cookbook.rs")).expect("this file");
    let names = fs::read_dir(folder()).expect("the cookbook").map(|entry| entry.expect("an entry").file_name());
    let names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        assert!(tests.contains(&name), "{name} is tried by no test");
    }
}
