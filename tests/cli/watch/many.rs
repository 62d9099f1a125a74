//! Many runs at once: each is printed when it ends, and they share what is asked of the server.

use super::*;

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
