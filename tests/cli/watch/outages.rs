//! Servers that are away for a while, or for good.

use super::*;

#[test]
fn a_missing_run_is_exit_5() {
    let output = watch([Answer::status(404)], "");
    assert_eq!(
        (output.code(), output.stdout.as_str(), output.error()["run_id"].as_str()),
        (5, "", Some(RUN)),
        "{output}"
    );
}

#[test]
fn an_outage_is_survived() {
    let looks = [running(), Answer::status(503), Answer::close(), running().cut(30), Answer::reset(), completed()];
    let output = watch(looks, "");
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
    assert!(output.stderr.contains("the server answers again"), "{output}");
}

#[test]
fn a_server_that_is_gone_for_a_while_is_waited_for() {
    let (env, first) = (TestEnv::new(), letta::letta([running()]));
    let address = first.address();
    let watching = env.agentctl(["watch", RUN, "--interval", "50ms"]).server(&first.url()).spawn();
    first.wait_for("GET", 2);
    first.stop();
    watching.wait_for_stderr("no answer from the server");
    let second = Mock::start_at(address);
    second.on("GET", RUN_PATH, [completed()]);
    let output = watching.wait();
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
}

#[test]
fn a_server_that_stays_away_is_given_up_with_124() {
    let output = watch([running(), Answer::status(503)], "--max-outage 500ms");
    assert_eq!((output.code(), &output.error()["run_id"]), (124, &json!(RUN)), "{output}");
    assert_eq!(output.document()["status"], "running", "what was known last\n{output}");
}

#[test]
fn retry_after_is_obeyed_and_shown() {
    let began = Instant::now();
    let output = watch([running(), Answer::status(429).header("retry-after", "2"), completed()], "");
    assert_eq!(output.code(), 0, "{output}");
    assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(output.stderr.contains("next try in 2"), "{output}");
}
