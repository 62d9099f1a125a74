//! `list`: runs, newest first.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::letta::{self, AGENT, RUN};
use crate::support::runs::RunsServer;
use crate::support::{Answer, Mock, Output, TestEnv, agentctl};

/// Returns `count` runs, newest first, one second apart. The first was created at `newest`.
fn runs(count: usize, newest: Timestamp) -> Vec<Value> {
    let run = |age: usize| {
        let mut run = letta::run("completed", Some("end_turn"));
        run["id"] = format!("run-{:08x}-2222-4222-8222-222222222222", count - age).into();
        let at = Timestamp::from_second(newest.as_second() - i64::try_from(age).expect("small")).expect("a time");
        run["created_at"] = at.to_string().into();
        run
    };
    (0..count).map(run).collect()
}

fn some(count: usize) -> Vec<Value> {
    runs(count, "2026-11-23T14:56:08Z".parse().expect("a time"))
}

fn list(server: &RunsServer, flags: &str) -> Output {
    TestEnv::new().agentctl(format!("list {flags}").trim_end().split(' ')).server(&server.url).run()
}

fn ids(runs: &[Value]) -> Vec<String> {
    runs.iter().map(|run| run["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn two_thousand_five_hundred_runs_are_listed_once_each_on_either_kind_of_server() {
    for inverted in [false, true] {
        let expected = some(2500);
        let server = RunsServer::start(expected.clone(), inverted);
        let output = list(&server, "--all");
        assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "inverted {inverted}\n{}", output.stderr);
        assert!(output.documents() == expected, "each once, in order, as the server shows it");
        assert!(server.queries().len() <= 5, "{:?}", server.queries());
        let some = list(&server, "--limit 1500 -o id");
        assert_eq!(some.stdout.lines().collect::<Vec<_>>(), ids(&expected[..1500]), "inverted {inverted}");
    }
}

#[test]
fn the_newest_twenty_take_one_request() {
    let server = RunsServer::start(some(30), false);
    let output = list(&server, "");
    assert_eq!((output.code(), output.documents()), (0, some(30)[..20].to_vec()));
    assert_eq!(server.queries(), ["limit=20"]);
    let human = list(&server, "-o human");
    assert!(human.stderr.contains("the newest 20 runs; --all"), "{human}");
    assert_eq!(human.stdout.lines().count(), 21, "a heading and a line each\n{human}");
}

#[test]
fn reading_stops_at_the_first_run_that_is_too_old() {
    let all = runs(2500, Timestamp::now());
    let server = RunsServer::start(all.clone(), true);
    let since = all[1299]["created_at"].as_str().expect("a time").to_owned();
    let output = list(&server, &format!("--all --since {since} -o id"));
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), ids(&all[..1300]), "{}", output.stderr);
    assert_eq!(server.queries().len(), 3, "the last page is not asked for: {:?}", server.queries());
    let recent = list(&server, "--all --since 10m -o id").stdout.lines().count();
    assert!((500..=601).contains(&recent), "{recent} runs of ten minutes");
    for bad in ["tomorrow", "2026-13-01", "5x"] {
        let output = list(&server, &format!("--since {bad}"));
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    }
}

#[test]
fn filters_go_to_the_server_as_they_are() {
    let mock = Mock::start();
    mock.on("GET", "/v1/runs/", [Answer::json(200, &json!([letta::run("expired", Some("tomorrow"))]))]);
    for (flags, query) in [
        (format!("--agent {AGENT}"), format!("limit=20&agent_id={AGENT}")),
        (
            "--status failed,expired --status x".to_owned(),
            "limit=20&statuses=failed&statuses=expired&statuses=x".to_owned(),
        ),
        ("--stop-reason tomorrow".to_owned(), "limit=20&stop_reason=tomorrow".to_owned()),
        ("--active --limit 7".to_owned(), "limit=7&statuses=created&statuses=running".to_owned()),
    ] {
        let output = agentctl(&mock, &format!("list {flags}"));
        assert_eq!((output.code(), &output.document()["id"]), (0, &json!(RUN)), "{output}");
        assert_eq!(mock.requests().last().map(|request| request.query.clone()), Some(query));
    }
}

#[test]
fn contradictory_flags_are_refused_before_any_request() {
    let mock = Mock::start();
    for flags in ["--limit 0", "--limit 5 --all", "--active --status failed", "--agent agent-1"] {
        let output = agentctl(&mock, &format!("list {flags}"));
        assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    }
    assert_eq!(mock.connections(), 0);
}

#[test]
fn an_unknown_status_filter_is_left_to_the_server_to_refuse() {
    let mock = Mock::start();
    mock.on("GET", "/v1/runs/", [Answer::json(400, &json!({"detail": "'bogus' is not a valid RunStatus"}))]);
    let output = agentctl(&mock, "list --status bogus");
    assert_eq!((output.code(), output.stdout.as_str()), (12, ""), "{output}");
    assert!(output.stderr.contains("not a valid RunStatus"), "{output}");
}

#[test]
fn no_runs_are_no_error() {
    let server = RunsServer::start(vec![], false);
    for (flags, said) in [("", ""), ("-o human", "no runs\n"), ("-o human --stats --all", "no runs\n")] {
        let output = list(&server, flags);
        assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (0, "", said));
    }
}

#[test]
fn runs_are_counted_by_stop_reason() {
    let mut all = some(100);
    for (at, run) in all.iter_mut().enumerate() {
        run["total_duration_ns"] = ((at as u64 + 1) * 1_000_000_000).into();
        run["ttft_ns"] = if at < 20 { (at as u64 + 1).into() } else { Value::Null };
    }
    all.push(letta::failed("it broke"));
    let server = RunsServer::start(all, true);
    let output = list(&server, "--all --stats");
    let second = 1_000_000_000_u64;
    let expected = [
        json!({
            "stop_reason": "end_turn",
            "runs": 100,
            "ttft_ns": {"count": 20, "p50": 10, "p95": 19, "max": 20},
            "duration_ns": {"count": 100, "p50": 50 * second, "p95": 95 * second, "max": 100 * second},
        }),
        json!({
            "stop_reason": "error",
            "runs": 1,
            "ttft_ns": {"count": 0, "p50": null, "p95": null, "max": null},
            // A run without a duration: from its creation to its completion.
            "duration_ns": {"count": 1, "p50": 1_395_016_000, "p95": 1_395_016_000, "max": 1_395_016_000},
        }),
    ];
    assert_eq!((output.code(), output.documents()), (0, expected.to_vec()), "{output}");
    let human = list(&server, "--all --stats -o human");
    insta::assert_snapshot!(human, @"
    stop reason  runs  ttft p50  p95   max   duration p50  p95       max
    end_turn     100   0 ms      0 ms  0 ms  50.0 s        1 m 35 s  1 m 40 s
    error        1     n/a       n/a   n/a   1.4 s         1.4 s     1.4 s
    [exit 0]
    ");
}

#[test]
fn a_server_whose_cursors_lead_nowhere_is_not_read_for_ever_and_that_is_said() {
    let mock = Mock::start();
    mock.on("GET", "/v1/runs/", [Answer::json(200, &Value::from(some(3)))]);
    let output = agentctl(&mock, "list --all");
    assert_eq!((output.code(), output.documents().len()), (0, 3), "{output}");
    assert!(output.stderr.contains("cannot be read further than 3 runs"), "{output}");
    assert_eq!(mock.requests().len(), 3);
}

#[test]
fn a_reader_who_goes_away_ends_the_list_quietly() {
    let server = RunsServer::start(some(2500), false);
    let output = TestEnv::new().bash("agentctl list --all | head -n 1 | jq -r .status").server(&server.url).run();
    assert_eq!((output.code(), output.stdout.as_str(), output.stderr.as_str()), (0, "completed\n", ""));
}
