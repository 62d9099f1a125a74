//! `watch`: following runs to their end.

mod many;
mod outages;
mod talk;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN, RUN_PATH, WATCH, message, run_answer};
use crate::support::{Answer, Gate, Mock, Output, Seed, TestEnv, agentctl};

/// An id that is not the one of the other tests.
fn id(number: u32) -> String {
    format!("run-{number:08}-2222-4222-8222-222222222222")
}

/// That run.
fn run(number: u32, status: &str, stop_reason: Option<&str>) -> Value {
    let mut run = letta::run(status, stop_reason);
    run["id"] = id(number).into();
    run
}

/// A server with numbered runs, each with its own answers.
fn server(looks: impl IntoIterator<Item = Vec<Answer>>) -> Mock {
    let mock = Mock::start();
    for (number, looks) in (1..).zip(looks) {
        mock.on("GET", &format!("/v1/runs/{}", id(number)), looks);
    }
    mock
}

fn answer(number: u32, status: &str, stop_reason: Option<&str>) -> Answer {
    Answer::json(200, &run(number, status, stop_reason))
}

fn running() -> Answer {
    run_answer("running", None)
}

fn completed() -> Answer {
    run_answer("completed", Some("end_turn"))
}

/// Watches the run at a short interval.
fn watch(looks: impl IntoIterator<Item = Answer>, flags: &str) -> Output {
    agentctl(&letta::letta(looks), format!("{WATCH} --interval 50ms {flags}").trim_end())
}

#[test]
fn a_run_is_followed_until_it_ends() {
    let output = watch([run_answer("created", None), running(), running(), completed()], "");
    assert_eq!(output.code(), 0, "{output}");
    let document = output.document();
    assert_eq!((&document["status"], &document["_agentctl"]["outcome"]), (&json!("completed"), &json!("succeeded")));
    let last = output.stderr.lines().last().expect("a line");
    assert!(last.contains("ttft n/a") && last.contains("duration 1.4 s"), "{output}");
}

#[test]
fn the_added_key_has_every_part() {
    let document = watch([completed()], "").document();
    let expected = json!({
        "outcome": "succeeded", "reason": null, "duration_ns": 1_446_280_448u64, "duration_from": "metrics",
        "ttft_ns": null, "ttft_from": null, "steps": 1, "total_tokens": 378,
    });
    assert_eq!(document["_agentctl"], expected);
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&document["_agentctl"]), keys(&expected), "in this order");
}

#[test]
fn a_run_is_printed_as_the_server_sent_it() {
    let raw = format!(
        r#"{{"z": 1.50, "id": "{RUN}", "status": "completed", "stop_reason": "end_turn", "of_tomorrow": {{"b": 1e3, "a": []}},
            "big": 12345678901234567890123, "total_duration_ns": 9007199254740993}}"#
    );
    let output = watch([Answer::body(200, "application/json", raw)], "");
    assert_eq!((output.code(), output.stdout.matches('\n').count()), (0, 1), "{output}");
    let parts = ["1.50", RUN, "\"of_tomorrow\"", "1e3", "12345678901234567890123", "9007199254740993", "\"_agentctl\""];
    let places: Vec<usize> = parts.iter().filter_map(|part| output.stdout.find(part)).collect();
    assert!(places.len() == parts.len() && places.is_sorted(), "{output}");
    assert_eq!(output.document()["_agentctl"]["duration_ns"], 9_007_199_254_740_993_u64);
}

#[test]
fn the_duration_is_the_runs_or_that_of_the_metrics_or_of_the_timestamps() {
    let duration = |change: &dyn Fn(&mut Value, &Mock)| {
        let (mut run, mock) = (letta::run("completed", Some("end_turn")), letta::letta([running()]));
        change(&mut run, &mock);
        mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
        let facts = agentctl(&mock, WATCH).document()["_agentctl"].clone();
        (facts["duration_ns"].as_u64(), facts["duration_from"].as_str().map(str::to_owned))
    };
    let metrics = format!("{RUN_PATH}/metrics");
    let from = |word: &str| Some(word.to_owned());
    assert_eq!(
        duration(&|run, _| run["total_duration_ns"] = json!(4_200_000_000u64)),
        (Some(4_200_000_000), from("run"))
    );
    assert_eq!(duration(&|_, _| {}), (Some(1_446_280_448), from("metrics")));
    let no_metrics = |_: &mut Value, mock: &Mock| _ = mock.on("GET", &metrics, [Answer::status(404)]);
    assert_eq!(duration(&no_metrics), (Some(1_395_016_000), from("timestamps")), "no offset means UTC");
    let no_times = |run: &mut Value, mock: &Mock| {
        mock.on("GET", &metrics, [Answer::status(404)]);
        run["completed_at"] = Value::Null;
    };
    assert_eq!(duration(&no_times), (None, None));
}

#[test]
fn the_reason_of_a_failure_is_the_best_there_is() {
    let reason = |error: Value, steps: Value| {
        let (mut run, mock) = (letta::run("failed", Some("error")), letta::letta([running()]));
        run["metadata"]["error"] = error;
        mock.on("GET", RUN_PATH, [Answer::json(200, &run)]);
        mock.on("GET", &format!("{RUN_PATH}/steps"), [Answer::json(200, &steps)]);
        let output = agentctl(&mock, WATCH);
        assert_eq!(output.code(), 1, "{output}");
        output.document()["_agentctl"]["reason"].as_str().unwrap_or_default().to_owned()
    };
    assert!(reason(json!("RATE_LIMIT_EXCEEDED: slow down"), json!([])).contains("RATE_LIMIT_EXCEEDED: slow down"));
    let object = json!({"error_type": "llm_error", "message": "the model is asleep", "detail": null});
    assert!(reason(object, json!([])).contains("the model is asleep"));
    let steps = json!([{
        "id": "step-1", "status": "failed", "error_type": "LLMRateLimitError",
        "error_data": {"message": "slow down", "traceback": "File \"/secret/path.py\""},
    }]);
    let told = reason(Value::Null, steps);
    assert!(told.contains("LLMRateLimitError") && told.contains("slow down") && !told.contains("/secret"), "{told}");
}

#[test]
fn a_server_with_two_routes_changes_neither_exit_nor_data() {
    let (env, seed) = (TestEnv::new(), Seed::start());
    let output = env.agentctl(["watch", "run-12345678"]).server(&seed.0).run();
    assert_eq!(output.code(), 0, "{output}");
    let facts = &output.document()["_agentctl"];
    assert_eq!((&facts["outcome"], &facts["duration_from"]), (&json!("succeeded"), &json!("run")), "{output}");
    assert_eq!((&facts["steps"], &facts["total_tokens"]), (&Value::Null, &Value::Null), "{output}");
    assert!(!output.stderr.contains("error"), "{output}");
    let reply = env.agentctl(["watch", "run-12345678", "--reply"]).server(&seed.0).run();
    assert_eq!((reply.code(), reply.stdout.as_str()), (0, ""), "{reply}");
}

#[test]
fn an_ended_run_is_reported_at_once_with_the_same_code() {
    for (status, stop_reason, code) in
        [("completed", "end_turn", 0), ("failed", "error", 1), ("cancelled", "cancelled", 3)]
    {
        let mock = letta::letta([run_answer(status, Some(stop_reason))]);
        let output = agentctl(&mock, WATCH);
        assert_eq!((output.code(), &output.document()["status"]), (code, &json!(status)), "{output}");
        assert_eq!(mock.seen("GET").iter().filter(|get| get.path == RUN_PATH).count(), 1, "one look is enough");
    }
}

#[test]
fn a_timeout_ends_the_watching_and_shows_what_is_known() {
    let began = Instant::now();
    let output = watch([running()], "--timeout 300ms");
    assert_eq!(output.code(), 124, "{output}");
    assert!(began.elapsed() < Duration::from_secs(10));
    let document = output.document();
    assert_eq!((&document["status"], &document["_agentctl"]["outcome"]), (&json!("running"), &json!("open")));
    let error = output.error();
    assert_eq!((&error["code"], &error["run_id"]), (&json!("timeout"), &json!(RUN)), "{output}");
    assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(&format!("agentctl watch {RUN}"))), "{output}");
}

#[test]
fn strict_counts_a_truncated_run_as_failed() {
    for stop_reason in ["max_steps", "max_tokens_exceeded"] {
        let run = || [run_answer("completed", Some(stop_reason))];
        let (lenient, strict) = (watch(run(), ""), watch(run(), "--strict"));
        assert_eq!((lenient.code(), strict.code()), (0, 1));
        assert_eq!(strict.document()["_agentctl"]["outcome"], "truncated");
        assert!(lenient.stderr.contains("truncated"), "it is said aloud\n{lenient}");
    }
}

#[test]
fn a_stop_reason_without_an_end_is_believed_after_ten_seconds() {
    let began = Instant::now();
    let output =
        agentctl(&letta::letta([run_answer("created", Some("max_steps"))]), &format!("{WATCH} --interval 200ms"));
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("truncated")), "{output}");
    assert!(began.elapsed() >= Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(output.stderr.contains("stop reason"), "it is said\n{output}");
}

#[test]
fn an_unknown_status_is_shown_and_no_end() {
    let output = watch([run_answer("thinking_hard", None), completed()], "");
    assert_eq!((output.code(), &output.document()["status"]), (0, &json!("completed")), "{output}");
    assert!(output.stderr.contains("thinking_hard"), "{output}");
}

#[test]
fn an_unknown_status_with_a_time_of_completion_is_an_unknown_end() {
    let mut run = letta::run("evaporated", None);
    run["completed_at"] = "2026-11-23T14:56:09.670795".into();
    let output = watch([Answer::json(200, &run)], "");
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (1, &json!("unknown")), "{output}");
}

#[test]
fn exit_status_is_accepted_and_changes_nothing() {
    assert_eq!(watch([run_answer("failed", Some("error"))], "--exit-status").code(), 1);
}
