//! `cancel` requests it, then shows the real end of each run.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, RUN_PATH, run_answer};
use crate::support::pty::Pty;
use crate::support::{Answer, Mock, Output, TestEnv, agentctl};

const OTHER_AGENT: &str = "agent-44444444-4444-4444-8444-444444444444";

/// The path to cancel the runs of an agent.
fn cancel_path(agent: &str) -> String {
    format!("/v1/agents/{agent}/messages/cancel")
}

fn id(number: u32) -> String {
    format!("run-{number:08}-2222-4222-8222-222222222222")
}

fn running() -> Answer {
    run_answer("running", None)
}

fn cancelled() -> Answer {
    run_answer("cancelled", Some("cancelled"))
}

/// A server whose run has these answers, and that accepts every cancel.
fn server(looks: impl IntoIterator<Item = Answer>) -> Mock {
    let mock = letta::letta(looks);
    mock.on("POST", &cancel_path(AGENT), [Answer::json(200, &json!({RUN: "cancelled"}))]);
    mock
}

/// Adds a run of an agent to a server: running at the first GET, cancelled from then on.
fn on_run(mock: &Mock, number: u32, agent: &str) {
    let answers = [("running", None), ("cancelled", Some("cancelled"))].map(|(status, stop_reason)| {
        let mut run = letta::run(status, stop_reason);
        run["id"] = id(number).into();
        run["agent_id"] = agent.into();
        Answer::json(200, &run)
    });
    mock.on("GET", &format!("/v1/runs/{}", id(number)), answers);
    mock.on("POST", &cancel_path(agent), [Answer::json(200, &json!({}))]);
}

fn cancel(looks: impl IntoIterator<Item = Answer>, flags: &str) -> Output {
    agentctl(&server(looks), format!("cancel {RUN} {flags}").trim_end())
}

/// The posted bodies, by agent.
fn posted(mock: &Mock) -> Vec<(String, Value)> {
    mock.seen("POST").iter().map(|post| (post.path.clone(), post.json())).collect()
}

fn sorted_ids(output: &Output) -> Vec<String> {
    let mut ids: Vec<String> =
        output.documents().iter().map(|run| run["id"].as_str().expect("an id").to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_run_is_cancelled_by_its_id_and_printed_as_the_server_shows_it() {
    let mock = server([running(), cancelled()]);
    let began = Instant::now();
    let output = agentctl(&mock, &format!("cancel {RUN}"));
    assert_eq!(output.code(), 0, "{output}");
    assert!(began.elapsed() >= Duration::from_secs(2), "it must stay so\n{output}");
    assert_eq!(posted(&mock), [(cancel_path(AGENT), json!({"run_ids": [RUN]}))]);
    assert_eq!(output.document(), letta::run("cancelled", Some("cancelled")), "nothing is added\n{output}");
    assert_eq!(output.stderr, "", "there is nothing to say about it\n{output}");
}

#[test]
fn runs_are_cancelled_together_with_those_of_the_same_agent() {
    let mock = Mock::start();
    [(1, AGENT), (2, OTHER_AGENT), (3, AGENT)].iter().for_each(|(number, agent)| on_run(&mock, *number, agent));
    let output = agentctl(&mock, &format!("cancel {} {} {}", id(1), id(2), id(3)));
    assert_eq!((output.code(), sorted_ids(&output)), (0, vec![id(1), id(2), id(3)]), "{output}");
    let mut posts = posted(&mock);
    posts.sort_by_key(|(path, _)| path.clone());
    let expected = [
        (cancel_path(AGENT), json!({"run_ids": [id(1), id(3)]})),
        (cancel_path(OTHER_AGENT), json!({"run_ids": [id(2)]})),
    ];
    assert_eq!(posts, expected);
}

#[test]
fn a_run_named_twice_is_cancelled_once() {
    let mock = server([running(), cancelled()]);
    let output = agentctl(&mock, &format!("cancel {RUN} {RUN}"));
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(RUN)), "{output}");
    assert_eq!(posted(&mock), [(cancel_path(AGENT), json!({"run_ids": [RUN]}))]);
}

#[test]
fn a_run_that_completes_after_all_is_printed_as_completed() {
    let flips = |status: &str, stop_reason: &str| {
        let output = cancel([running(), cancelled(), cancelled(), run_answer(status, Some(stop_reason))], "");
        assert_eq!((output.code(), &output.document()["status"]), (0, &json!(status)), "{output}");
        assert!(output.stderr.contains(RUN) && output.stderr.contains("was not stopped in time"), "{output}");
    };
    thread::scope(|scope| {
        scope.spawn(|| flips("completed", "end_turn"));
        scope.spawn(|| flips("failed", "error"));
    });
}

#[test]
fn a_run_that_goes_on_is_still_open() {
    let began = Instant::now();
    let output = cancel([running()], "--timeout 1s");
    assert_eq!((output.code(), &output.document()["status"]), (8, &json!("running")), "{output}");
    assert!((1..10).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    assert!(output.stderr.contains(RUN) && output.stderr.contains("still at work"), "{output}");
    assert_eq!(output.document().get("_agentctl"), None, "{output}");
}

#[test]
fn a_run_that_had_ended_before_is_reported_as_such() {
    let had_ended = |status: &str, stop_reason: &str| {
        let output = cancel([run_answer(status, Some(stop_reason))], "");
        assert_eq!((output.code(), &output.document()["status"]), (0, &json!(status)), "{output}");
        assert!(output.stderr.contains("had ended before"), "{output}");
    };
    thread::scope(|scope| {
        for (status, stop_reason) in [("completed", "end_turn"), ("failed", "error"), ("cancelled", "cancelled")] {
            scope.spawn(move || had_ended(status, stop_reason));
        }
    });
}

#[test]
fn a_run_that_does_not_exist_never_stops_the_others() {
    let mock = server([running(), cancelled()]);
    let output = agentctl(&mock, &format!("cancel {} {RUN}", id(1)));
    assert_eq!((output.code(), &output.document()["id"]), (5, &json!(RUN)), "{output}");
    assert!(output.stderr.contains(&id(1)), "{output}");
    assert_eq!(posted(&mock), [(cancel_path(AGENT), json!({"run_ids": [RUN]}))]);
    let alone = agentctl(&mock, &format!("cancel {}", id(1)));
    assert_eq!((alone.code(), alone.stdout.as_str(), &alone.error()["run_id"]), (5, "", &json!(id(1))), "{alone}");
    assert_eq!(mock.seen("POST").len(), 1, "nothing is cancelled that is not there");
}

#[test]
fn an_agent_that_may_not_be_touched_never_stops_the_others() {
    let mock = Mock::start();
    on_run(&mock, 1, AGENT);
    on_run(&mock, 2, OTHER_AGENT);
    mock.on("POST", &cancel_path(AGENT), [Answer::status(403)]);
    let output = agentctl(&mock, &format!("cancel {} {} --timeout 5s", id(1), id(2)));
    assert_eq!(output.code(), 4, "{output}");
    assert!(sorted_ids(&output).contains(&id(2)), "it was cancelled and is printed\n{output}");
    assert_eq!(mock.seen("POST").iter().filter(|post| post.path == cancel_path(OTHER_AGENT)).count(), 1);
}

#[test]
fn runs_are_named_on_standard_input() {
    let (env, mock) = (TestEnv::new(), Mock::start());
    (1..=3).for_each(|number| on_run(&mock, number, AGENT));
    let text = format!("{}\n\n{{\"id\": \"{}\"}}\n{{\"run_id\":\n\"{}\"}}", id(1), id(2), id(3));
    let output = env.agentctl(["cancel", "-", "-o", "id"]).server(&mock.url()).stdin(text).run();
    let mut ids: Vec<&str> = output.stdout.lines().collect();
    ids.sort_unstable();
    assert_eq!((output.code(), ids), (0, vec![id(1).as_str(), &id(2), &id(3)]), "{output}");
    assert_eq!(posted(&mock), [(cancel_path(AGENT), json!({"run_ids": [id(1), id(2), id(3)]}))]);
}

#[test]
fn a_bad_id_ends_it_before_any_request() {
    let (env, mock) = (TestEnv::new(), server([running()]));
    let bad = env.agentctl(["cancel", RUN, "nonsense"]).server(&mock.url()).run();
    let none = env.agentctl(["cancel", "-"]).server(&mock.url()).run();
    let last = env.agentctl(["cancel", "@last"]).server(&mock.url()).run();
    assert_eq!((bad.code(), none.code(), last.code()), (2, 2, 2), "{bad}\n{none}\n{last}");
    assert!(none.stderr.contains("no run on standard input"), "{none}");
    assert_eq!(mock.connections(), 0);
}

#[test]
fn people_see_a_card_of_what_the_run_became() {
    let output = cancel([running(), cancelled()], "-o human");
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stdout.contains(RUN) && output.stdout.contains("cancelled"), "{output}");
}

#[test]
fn a_look_that_fails_is_tried_again() {
    let mock = server([running(), Answer::status(503), Answer::close(), cancelled()]);
    let output = agentctl(&mock, &format!("cancel {RUN}"));
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("cancelled")), "{output}");
    assert_eq!(mock.seen("GET").iter().filter(|get| get.path == RUN_PATH).count().min(4), 4, "{output}");
}

#[test]
fn nothing_to_cancel_says_the_server_and_what_became_of_the_run_is_read_back() {
    let mock = letta::letta([running(), run_answer("completed", Some("end_turn"))]);
    mock.on("POST", &cancel_path(AGENT), [Answer::json(409, &json!({"detail": "CONFLICT: No active runs to cancel"}))]);
    let output = agentctl(&mock, &format!("cancel {RUN}"));
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
}

/// The active runs of the agent, as it lists them.
fn lists_active(mock: &Mock, numbers: &[u32]) {
    let runs: Vec<Value> = numbers
        .iter()
        .map(|number| {
            let mut run = letta::run("running", None);
            run["id"] = id(*number).into();
            run
        })
        .collect();
    numbers.iter().for_each(|number| on_run(mock, *number, AGENT));
    mock.on("GET", "/v1/runs/", [Answer::json(200, &Value::from(runs)), Answer::json(200, &json!([]))]);
}

#[test]
fn the_active_runs_of_an_agent_are_cancelled_by_their_ids() {
    let mock = Mock::start();
    lists_active(&mock, &[2, 1]);
    let output = agentctl(&mock, &format!("cancel --agent {AGENT} --active --yes"));
    assert_eq!((output.code(), sorted_ids(&output)), (0, vec![id(1), id(2)]), "{output}");
    assert_eq!(posted(&mock), [(cancel_path(AGENT), json!({"run_ids": [id(2), id(1)]}))]);
    let query = mock.seen("GET").first().map(|request| request.query.clone());
    assert!(query.is_some_and(|query| query.contains("statuses=created") && query.contains(AGENT)));
}

#[test]
fn without_a_terminal_only_a_yes_cancels_what_is_not_named() {
    let mock = Mock::start();
    lists_active(&mock, &[1]);
    for flags in ["--active", "", "--yes"] {
        let output = agentctl(&mock, format!("cancel --agent {AGENT} {flags}").trim_end());
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    }
    assert_eq!(agentctl(&mock, &format!("cancel {RUN} --agent {AGENT} --active -y")).code(), 2);
    assert_eq!(agentctl(&mock, "cancel").code(), 2);
    let output = agentctl(&mock, "cancel --active");
    let message = output.error()["message"].to_string();
    assert!(message.contains("--agent") && !message.contains("RUN"), "the agent is what is missing\n{output}");
    assert_eq!(mock.connections(), 0);
}

#[test]
fn an_agent_that_is_idle_has_nothing_to_cancel() {
    let mock = Mock::start();
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([]))]);
    let output = agentctl(&mock, &format!("cancel --agent {AGENT} --active -y"));
    assert_eq!((output.code(), output.stdout.as_str()), (0, ""), "{output}");
    assert!(output.stderr.contains("has no active run") && mock.seen("POST").is_empty(), "{output}");
}

#[test]
fn on_a_terminal_it_is_asked_and_a_no_cancels_nothing() {
    for (answer, posts) in [("n\r", 0), ("\r", 0), ("y\r", 1)] {
        let mock = Mock::start();
        lists_active(&mock, &[1]);
        let env = TestEnv::new();
        let pty = Pty::agentctl(&env, ["cancel", "--agent", AGENT, "--active"]).server(&mock.url());
        let mut cancelling = pty.spawn();
        cancelling.wait_for("cancel 1 active run of");
        cancelling.type_in(answer);
        let screen = cancelling.wait();
        assert!(screen.code == 0, "{:?}", screen.lines());
        assert_eq!(mock.seen("POST").len(), posts, "{answer:?}");
    }
}
