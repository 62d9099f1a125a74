//! The output of `send`, at once and at the end of the run.

use super::*;

#[test]
fn the_run_is_printed_as_the_server_sent_it() {
    let raw = "{\"id\": \"run-22222222-2222-4222-8222-222222222222\",\n  \"z\": 1.50, \"a\": {\"y\": 1e3}, \"big\": 12345678901234567890123}";
    let mock = letta::done();
    mock.on("POST", POST_PATH, [Answer::body(200, "application/json", raw)]);
    let output = agentctl(&mock, SEND);
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(output.stdout.matches('\n').count(), 1, "one line\n{output}");
    let keys: Vec<usize> =
        ["\"id\"", "\"z\"", "\"a\"", "\"big\""].iter().filter_map(|key| output.stdout.find(key)).collect();
    assert!(keys.len() == 4 && keys.is_sorted(), "{output}");
    for number in ["1.50", "1e3", "12345678901234567890123"] {
        assert!(output.stdout.contains(number), "{output}");
    }
    assert!(!output.stdout.contains("_agentctl"), "{output}");
}

#[test]
fn every_format_has_its_own_output() {
    let run = |format: &str| agentctl(&letta::done(), &format!("{SEND} -o {format}"));
    assert_eq!(run("json").document()["id"], RUN);
    assert_eq!(run("id").stdout, format!("{RUN}\n"));
    let none = run("none");
    assert_eq!(none.stdout, "");
    assert!(none.stderr.contains(RUN), "{none}");
    let human = run("human");
    assert!(human.stdout.contains(RUN) && human.stdout.contains("agentctl watch"), "{human}");
    assert!(serde_json::from_str::<Value>(&human.stdout).is_err());
}

#[test]
fn the_id_is_on_stderr_at_once_if_stdout_does_not_have_it() {
    for flags in ["--watch", "--wait", "--reply", "--watch -o id"] {
        let (env, gate) = (TestEnv::new(), Gate::default());
        let mock = letta::letta([run_answer("completed", Some("end_turn")).held(&gate)]);
        let line = format!("{SEND} {flags}");
        let sending = env.agentctl(line.split(' ')).server(&mock.url()).spawn();
        sending.wait_for_stderr(RUN);
        gate.open();
        assert_eq!(sending.wait().code(), 0, "{flags}");
    }
}

#[test]
fn the_reply_is_the_text_and_nothing_else() {
    let mock = letta::done();
    let output = agentctl(&mock, &format!("{SEND} --reply"));
    assert_eq!((output.code(), output.stdout.as_str()), (0, "hello\n"), "{output}");
}

#[test]
fn wait_follows_without_progress() {
    let output = agentctl(
        &letta::letta([run_answer("running", None), run_answer("completed", Some("end_turn"))]),
        &format!("{SEND} --wait"),
    );
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
    assert!(!output.stderr.contains("running"), "{output}");
}

#[test]
fn when_idle_waits_for_the_runs_of_the_agent() {
    let busy = {
        let mut run = letta::run("running", None);
        run["id"] = "run-66666666-6666-4666-8666-666666666666".into();
        run
    };
    let mock = letta::done();
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([busy])), Answer::json(200, &json!([]))]);
    let ended = {
        let mut run = letta::run("completed", Some("end_turn"));
        run["id"] = busy["id"].clone();
        run
    };
    let path = "/v1/runs/run-66666666-6666-4666-8666-666666666666";
    mock.on("GET", path, [Answer::json(200, &ended)]);
    let output = agentctl(&mock, &format!("{SEND} --when-idle"));
    assert_eq!(output.code(), 0, "{output}");
    assert!(output.stderr.contains("idle"), "{output}");
    let order: Vec<String> = mock.requests().iter().map(|one| format!("{} {}", one.method, one.path)).collect();
    let at = |what: &str| order.iter().position(|one| one == what).unwrap_or_else(|| panic!("{what}: {order:?}"));
    assert!(
        at("GET /v1/runs/") < at(&format!("GET {path}"))
            && at(&format!("GET {path}")) < at(&format!("POST {POST_PATH}"))
    );
    assert_eq!(output.document()["id"], RUN, "the runs of others are not printed\n{output}");
}

#[test]
fn last_is_the_last_run_sent_from_this_machine() {
    let (env, mock) = (TestEnv::new(), letta::done());
    assert_eq!(env.agentctl(SEND.split(' ')).server(&mock.url()).run().code(), 0);
    let output = env.agentctl(["status", "@last", "-o", "id"]).server(&mock.url()).run();
    assert_eq!((output.code(), output.stdout), (0, format!("{RUN}\n")));
    let elsewhere = letta::done();
    let output = env.agentctl(["status", "@last"]).server(&elsewhere.url()).run();
    assert_eq!((output.code(), elsewhere.connections()), (2, 0), "each server has its own last run\n{output}");
}

#[test]
fn a_home_that_cannot_be_written_does_not_matter() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let blocked = env.write("file", "").join("below");
    let process = env.agentctl(SEND.split(' ')).server(&mock.url());
    let process = process.env("HOME", &blocked).env("AGENTCTL_DATA_DIR", &blocked).env("XDG_DATA_HOME", &blocked);
    let output = process.run();
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
}

#[test]
fn followed_by_send_a_run_ends_as_by_watch() {
    for (status, stop_reason, code, outcome) in [
        ("completed", "end_turn", 0, "succeeded"),
        ("completed", "max_steps", 0, "truncated"),
        ("completed", "requires_approval", 6, "needs_approval"),
        ("cancelled", "cancelled", 3, "cancelled"),
        ("failed", "error", 1, "failed"),
    ] {
        let mock = letta::letta([run_answer("running", None), run_answer(status, Some(stop_reason))]);
        let output = agentctl(&mock, &format!("{SEND} --watch"));
        assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (code, &json!(outcome)), "{output}");
        assert!(mock.seen("GET").iter().filter(|get| get.path == RUN_PATH).count() >= 2);
    }
}

#[test]
fn quiet_tells_the_id_only_where_something_went_wrong() {
    let quiet = |status: &str, stop_reason: &str| {
        let mock = letta::letta([run_answer(status, Some(stop_reason))]);
        agentctl(&mock, &format!("{SEND} --watch -o none -q"))
    };
    let good = quiet("completed", "end_turn");
    assert_eq!((good.code(), good.stdout.as_str(), good.stderr.as_str()), (0, "", ""));
    let bad = quiet("failed", "error");
    assert_eq!(bad.code(), 1, "{bad}");
    assert!(bad.stderr.contains(RUN), "{bad}");
}
