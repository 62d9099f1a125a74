//! `watch`: following runs to their end.

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

/// A server with runs that are looked at with these answers, from the first number on.
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

/// Watches the one run, often, and returns how it went.
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
fn an_ended_run_is_told_at_once_with_the_same_code() {
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
fn several_runs_are_printed_as_they_end_and_counted() {
    let gate = Gate::default();
    let late = vec![answer(1, "completed", Some("end_turn")).held(&gate)];
    let mock =
        server([late, vec![answer(2, "failed", Some("error"))], vec![answer(3, "completed", Some("max_steps"))]]);
    let env = TestEnv::new();
    let ids = [id(2), id(3), id(1)];
    let watching =
        env.agentctl(std::iter::once("watch").chain(ids.iter().map(String::as_str))).server(&mock.url()).spawn();
    watching.wait_for_stdout(&id(2));
    watching.wait_for_stdout(&id(3));
    gate.open();
    let output = watching.wait();
    assert_eq!((output.code(), output.documents().len()), (1, 3), "{output}");
    assert_eq!(output.documents()[2]["id"], id(1), "the last to end is the last to be printed\n{output}");
    let last = output.stderr.lines().last().expect("a line");
    assert!(last.contains("3 runs") && last.contains("1 failed"), "{output}");
}

#[test]
fn runs_are_taken_from_standard_input_as_they_come() {
    let mock = server([vec![answer(1, "completed", Some("end_turn"))], vec![answer(2, "completed", Some("end_turn"))]]);
    let (env, (reader, mut writer)) = (TestEnv::new(), std::io::pipe().expect("a pipe"));
    let watching = env.agentctl(["watch", "-"]).server(&mock.url()).stdin_from(reader).spawn();
    let mut write = |text: &str| std::io::Write::write_all(&mut writer, text.as_bytes()).expect("somebody reads");
    write(&format!("{}\n", id(1)));
    watching.wait_for_stdout(&id(1));
    write(&format!("{{\"run_id\":\n \"{}\"}}\n", id(2)));
    watching.wait_for_stdout(&id(2));
    drop(writer);
    let output = watching.wait();
    assert_eq!((output.code(), output.documents().len()), (0, 2), "{output}");
}

#[test]
fn one_bad_line_never_stops_the_others() {
    let (env, mock) = (TestEnv::new(), server([vec![answer(1, "completed", Some("end_turn"))]]));
    let text = format!("nonsense\n{}\n", id(1));
    let output = env.agentctl(["watch", "-"]).server(&mock.url()).stdin(text).run();
    assert_eq!((output.code(), &output.document()["id"]), (2, &json!(id(1))), "{output}");
}

#[test]
fn any_ends_with_the_first_run_that_ends() {
    let mock = server([vec![answer(1, "running", None)], vec![answer(2, "completed", Some("end_turn"))]]);
    let output = agentctl(&mock, &format!("watch {} {} --any --interval 50ms", id(1), id(2)));
    assert_eq!((output.code(), &output.document()["id"]), (0, &json!(id(2))), "{output}");
}

#[test]
fn fail_fast_ends_with_the_first_run_that_does_not_succeed() {
    let looks = [
        vec![answer(1, "completed", Some("end_turn"))],
        vec![answer(2, "cancelled", Some("cancelled"))],
        vec![answer(3, "running", None)],
    ];
    let output = agentctl(&server(looks), &format!("watch {} {} {} --fail-fast --interval 50ms", id(1), id(2), id(3)));
    assert_eq!(output.code(), 3, "{output}");
    assert!(output.documents().iter().all(|run| run["id"] != id(3)), "{output}");
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

#[test]
fn three_runs_share_list_requests() {
    let numbers = [1, 2, 3];
    let mock = server(numbers.map(|number| vec![answer(number, "running", None)]));
    let open: Vec<Value> = numbers.iter().map(|number| run(*number, "running", None)).collect();
    let gate = Gate::default();
    let lists = [Answer::json(200, &json!(open)), Answer::json(200, &json!([])).held(&gate)];
    mock.on("GET", "/v1/runs/", lists);
    let env = TestEnv::new();
    let ids = numbers.map(id);
    let args = ["watch", &ids[0], &ids[1], &ids[2], "--interval", "50ms"];
    let watching = env.agentctl(args).server(&mock.url()).spawn();
    watching.wait_for_stderr(&ids[2]);
    for number in numbers {
        mock.on("GET", &format!("/v1/runs/{}", id(number)), [answer(number, "completed", Some("end_turn"))]);
    }
    gate.open();
    let output = watching.wait();
    assert_eq!((output.code(), output.documents().len()), (0, 3), "{output}");
    let list = mock.seen("GET").into_iter().rfind(|get| get.path == "/v1/runs/").expect("a list request");
    for part in ["statuses=created", "statuses=running", "limit=1000", &format!("agent_id={AGENT}")] {
        assert!(list.query.contains(part), "{part}: {}", list.query);
    }
    for id in ids {
        let looks = mock.seen("GET").iter().filter(|get| get.path == format!("/v1/runs/{id}")).count();
        assert!((1..=2).contains(&looks), "one look before the list at most, and one that confirms the end: {looks}");
    }
}

#[test]
fn runs_are_followed_one_by_one_where_lists_are_missing() {
    let looks = |number| vec![answer(number, "running", None), answer(number, "completed", Some("end_turn"))];
    let mock = server([1, 2, 3].map(looks));
    let output = agentctl(&mock, &format!("watch {} {} {} --interval 50ms", id(1), id(2), id(3)));
    assert_eq!((output.code(), output.documents().len()), (0, 3), "{output}");
}

#[test]
fn all_active_runs_of_an_agent_can_be_watched() {
    let mock = server([vec![answer(1, "completed", Some("end_turn"))], vec![answer(2, "completed", Some("end_turn"))]]);
    let open = json!([run(1, "running", None), run(2, "created", None)]);
    mock.on("GET", "/v1/runs/", [Answer::json(200, &open)]);
    let output = agentctl(&mock, &format!("watch --agent {AGENT} --interval 50ms"));
    assert_eq!((output.code(), output.documents().len()), (0, 2), "{output}");
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([]))]);
    let none = agentctl(&mock, &format!("watch --agent {AGENT}"));
    assert_eq!((none.code(), none.stdout.as_str()), (0, ""), "{none}");
    assert!(none.stderr.contains("no active run"), "{none}");
}

/// A run whose messages appear one after the other.
fn talking() -> Mock {
    let mock = letta::letta([running(), running(), completed()]);
    let said = [message("user_message", "hi"), message("assistant_message", "hello")];
    let messages = [json!([]), json!([said[0]]), json!(said)].map(|messages| Answer::json(200, &messages));
    mock.on("GET", &format!("{RUN_PATH}/messages"), messages);
    mock
}

#[test]
fn follow_prints_messages_as_they_appear_and_then_the_run() {
    let output = agentctl(&talking(), &format!("{WATCH} --follow --interval 50ms"));
    assert_eq!(output.code(), 0, "{output}");
    let documents = output.documents();
    let kinds: Vec<&str> = documents.iter().filter_map(|one| one["message_type"].as_str()).collect();
    assert_eq!((kinds, documents.len()), (vec!["user_message", "assistant_message"], 3), "each once\n{output}");
    assert_eq!(documents[2]["_agentctl"]["outcome"], "succeeded");
    let human = agentctl(&talking(), &format!("{WATCH} --follow --interval 50ms -o human"));
    let places: Vec<usize> = ["hi", "hello", "ttft"].iter().filter_map(|word| human.stdout.find(word)).collect();
    assert!(places.len() == 3 && places.is_sorted(), "{human}");
}

#[test]
fn events_are_lines_with_a_version_a_time_and_a_type() {
    let mock = talking();
    mock.on("GET", RUN_PATH, [run_answer("created", None), running(), Answer::status(503), running(), completed()]);
    let output = agentctl(&mock, &format!("{WATCH} --events --interval 50ms"));
    assert_eq!(output.code(), 0, "{output}");
    let events = output.documents();
    for event in &events {
        let keys: Vec<&String> = event.as_object().expect("an object").keys().take(3).collect();
        assert_eq!(keys, ["v", "time", "type"], "{event}");
        assert_eq!(event["v"], 1);
        assert!(event["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{event}");
    }
    let types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    for kind in ["status", "step", "message", "poll_error", "ended"] {
        assert!(types.contains(&kind), "{kind}: {types:?}");
    }
    let statuses: Vec<&Value> =
        events.iter().filter(|event| event["type"] == "status").map(|event| &event["status"]).collect();
    assert_eq!(statuses, ["created", "running", "completed"]);
    let last = events.last().expect("an event");
    assert_eq!((&last["type"], &last["run"]["_agentctl"]["outcome"]), (&json!("ended"), &json!("succeeded")));
}

#[test]
fn a_watched_run_that_is_sent_begins_its_events_with_the_submission() {
    let output = agentctl(&talking(), &format!("{} --events --interval 50ms", letta::SEND));
    let events = output.documents();
    assert_eq!((&events[0]["type"], &events[0]["run_id"]), (&json!("submitted"), &json!(RUN)), "{output}");
}

#[test]
fn the_reply_joins_parts_and_separates_messages() {
    let parts = json!([{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]);
    let mut first = message("assistant_message", "");
    first["content"] = parts;
    let mut second = message("assistant_message", "three\n");
    second["id"] = "message-2".into();
    let mock = letta::done();
    let messages = json!([message("user_message", "hi"), first, message("reasoning_message", "hm"), second]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &messages)]);
    for line in [format!("{WATCH} --reply"), format!("messages {RUN} --reply")] {
        let output = agentctl(&mock, &line);
        assert_eq!((output.code(), output.stdout.as_str()), (0, "one two\n\nthree\n"), "{output}");
    }
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!([]))]);
    let silent = agentctl(&mock, &format!("{WATCH} --reply"));
    assert_eq!((silent.code(), silent.stdout.as_str()), (0, ""), "{silent}");
    assert!(silent.stderr.contains("said nothing"), "{silent}");
}

#[test]
fn a_failed_run_without_a_reply_is_still_a_failed_run() {
    let mock = letta::letta([Answer::json(200, &letta::failed("it broke"))]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!([]))]);
    let output = agentctl(&mock, &format!("{WATCH} --reply"));
    assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
    assert!(output.stderr.contains("it broke"), "{output}");
}

#[test]
fn exit_status_is_accepted_and_changes_nothing() {
    assert_eq!(watch([run_answer("failed", Some("error"))], "--exit-status").code(), 1);
}

#[test]
fn the_last_of_many_runs_is_not_forgotten_when_lists_are_no_longer_worth_it() {
    let looks = |number: u32, running: usize| {
        let open = std::iter::repeat_n(answer(number, "running", None), running);
        open.chain([answer(number, "completed", Some("end_turn"))]).collect::<Vec<_>>()
    };
    let mock = server([looks(1, 1), looks(2, 1), looks(3, 2)]);
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([run(3, "running", None)]))]);
    let began = Instant::now();
    let output = agentctl(&mock, &format!("watch {} {} {} --interval 50ms --timeout 20s", id(1), id(2), id(3)));
    assert_eq!((output.code(), output.documents().len()), (0, 3), "{:?}\n{output}", began.elapsed());
}

#[test]
fn a_server_that_is_not_there_is_found_out_once_for_all_runs() {
    let env = TestEnv::new();
    let ids: Vec<String> = (1..=20).map(id).collect();
    let output =
        env.agentctl(["watch", "--base-url", "http://127.0.0.1:1"].map(str::to_owned).into_iter().chain(ids)).run();
    assert_eq!(output.code(), 9, "{output}");
    assert_eq!(output.stderr.matches("trying again").count(), 1, "{output}");
    assert_eq!(output.stderr.matches(r#""code":"unreachable""#).count(), 20, "{output}");
    assert!(output.stderr.ends_with("20 runs: 20 lost\n"), "{output}");
}
