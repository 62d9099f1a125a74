//! Every exit code, end to end.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::letta::{self, AGENT, POST_PATH, RUN, RUN_PATH, SEND, WATCH, run_answer};
use crate::support::{Answer, Gate, Mock, Output, TestEnv, agentctl, mock};

/// Follows a run that ends like this.
fn watch(status: &str, stop_reason: &str) -> Output {
    agentctl(&letta::letta([run_answer(status, Some(stop_reason))]), WATCH)
}

/// `status --exit-status`.
fn status(answer: Answer) -> Output {
    agentctl(&letta::letta([answer]), &format!("status {RUN} --exit-status"))
}

/// Sends to a server that answers like this.
fn send(answer: Answer) -> Output {
    let mock = Mock::start();
    mock.on("POST", POST_PATH, [answer]);
    agentctl(&mock, SEND)
}

/// Follows a run that is interrupted by a signal.
fn interrupted(signal: Signal) -> Output {
    let env = TestEnv::new();
    let mock = letta::letta([run_answer("running", None)]);
    let watching = env.agentctl(["watch", RUN, "--interval", "50ms"]).server(&mock.url()).spawn();
    mock.wait_for("GET", 2);
    watching.signal(signal);
    watching.wait()
}

#[test]
fn every_code_of_the_table_has_a_way_to_it() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let env = TestEnv::new();
    let to = |url: &str| env.agentctl(SEND.split(' ')).env("LETTA_BASE_URL", url);
    let done = letta::done();
    let onto_full = to(&done.url()).stdout_to(full).run();
    let table = [
        (0, agentctl(&letta::done(), SEND)),
        (0, watch("completed", "end_turn")),
        (0, watch("completed", "tool_rule")),
        (0, watch("completed", "max_steps")),
        (0, watch("completed", "max_tokens_exceeded")),
        (0, watch("completed", "something_of_tomorrow")),
        (1, watch("failed", "error")),
        (1, watch("completed", "error")),
        (1, watch("completed", "insufficient_credits")),
        (1, agentctl(&letta::letta([run_answer("completed", Some("max_steps"))]), &format!("{WATCH} --strict"))),
        (2, agentctl(&letta::done(), "watch nonsense")),
        (2, agentctl(&letta::done(), "send --no-such-flag")),
        (3, watch("cancelled", "cancelled")),
        (4, send(Answer::status(401))),
        (4, to("https://api.letta.com").run()),
        (5, send(Answer::status(404))),
        (5, status(Answer::status(404))),
        (6, watch("completed", "requires_approval")),
        (8, status(run_answer("running", None))),
        (8, status(run_answer("created", None))),
        (9, to(&mock::refusing()).run()),
        (10, send(Answer::close())),
        (11, status(Answer::body(200, "text/html", "<html>hello</html>"))),
        (12, send(Answer::status(422))),
        (13, agentctl(&letta::done(), &format!("send --agent {AGENT} -F no-such-file"))),
        (13, onto_full),
        (14, send(Answer::status(307).header("location", "http://127.0.0.1:9/"))),
        (14, to("http://203.0.113.7").env("LETTA_API_KEY", "test-key").run()),
        (124, agentctl(&letta::letta([run_answer("running", None)]), &format!("{WATCH} --timeout 200ms"))),
        (130, interrupted(Signal::INT)),
        (143, interrupted(Signal::TERM)),
    ];
    for (at, (code, output)) in table.iter().enumerate() {
        assert_eq!(output.code(), *code, "row {at}\n{output}");
    }
}

#[test]
fn a_signal_really_ends_the_process_so_that_shells_know() {
    for (signal, number) in [(Signal::INT, 2), (Signal::TERM, 15)] {
        let output = interrupted(signal);
        assert_eq!(output.signal(), Some(number), "{output}");
        assert!(output.stderr.contains(&format!("agentctl watch {RUN}")), "how to resume is told\n{output}");
    }
    // SIGHUP is handled as SIGTERM.
    assert_eq!(interrupted(Signal::HUP).code(), 143);
}

#[test]
fn agt_05_a_signal_ends_a_command_that_waits_for_an_answer() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let env = TestEnv::new();
        let mock = letta::done();
        let gate = Gate::default();
        mock.on("GET", RUN_PATH, [run_answer("running", None).held(&gate)]);
        let watching = env.agentctl(["watch", RUN]).server(&mock.url()).limit(Duration::from_secs(15)).spawn();
        mock.wait_for("GET", 1);
        watching.signal(signal);
        // The gate stays closed until the watch has ended, which proves that it did not wait for the answer.
        let output = watching.wait();
        gate.open();
        assert_eq!(output.code(), code, "{output}");
    }
}

#[test]
fn with_several_runs_the_documented_order_decides() {
    let id = |digit: u8| format!("run-{0}{0}{0}{0}{0}{0}{0}{0}-2222-4222-8222-222222222222", digit);
    let ended = |digit: u8, status: &str, stop_reason: &str| {
        let mut run = letta::run(status, Some(stop_reason));
        run["id"] = id(digit).into();
        Answer::json(200, &run)
    };
    let mut table: Vec<(u8, i32, Answer)> = vec![
        (1, 0, ended(1, "completed", "end_turn")),
        (2, 3, ended(2, "cancelled", "cancelled")),
        (3, 6, ended(3, "completed", "requires_approval")),
        (4, 1, ended(4, "failed", "error")),
        (5, 5, Answer::status(404)),
        (6, 12, Answer::status(422)),
        (7, 4, Answer::status(401)),
    ];
    let mock = Mock::start();
    for (digit, _, answer) in &table {
        mock.on("GET", &format!("/v1/runs/{}", id(*digit)), [answer.clone()]);
    }
    // The worst first; without it the next one decides, down to success.
    while let Some((_, code, _)) = table.last() {
        let ids: Vec<String> = table.iter().map(|(digit, ..)| id(*digit)).collect();
        let output = agentctl(&mock, &format!("watch {}", ids.join(" ")));
        assert_eq!(output.code(), *code, "{} runs\n{output}", ids.len());
        let ended = ids.len().min(4);
        assert_eq!(output.documents().len(), ended, "one bad run never stops the others\n{output}");
        table.pop();
    }
}

#[test]
fn a_request_is_made_for_the_run_and_nowhere_else() {
    let mock = letta::done();
    assert_eq!(agentctl(&mock, &format!("status {RUN}")).code(), 0);
    let requests: Vec<String> = mock.requests().iter().map(|one| format!("{} {}", one.method, one.path)).collect();
    assert_eq!(requests, [format!("GET {RUN_PATH}")]);
}
