//! Callbacks received by the program.

use serde_json::json;

use super::{Behaviour, Fixture, for_each_fixture};

for_each_fixture!(
    a_callback_of_ones_own_ends_the_wait,
    a_listener_prints_what_was_called_back,
    the_callback_can_be_waited_for,
);

fn a_callback_of_ones_own_ends_the_wait(fixture: &Fixture) {
    let output = fixture.follow(Behaviour::Slow(1), &["--listen"]);
    assert_eq!((output.code(), &output.document()["_agentctl"]["outcome"]), (0, &json!("succeeded")), "{output}");
    let url = output.document()["callback_url"].as_str().map(str::to_owned);
    assert!(url.is_some_and(|url| url.starts_with("http://127.0.0.1:")), "{output}");
}

fn a_listener_prints_what_was_called_back(fixture: &Fixture) {
    let listener = fixture.agentctl(&["listen", "--count", "2", "--exec", "sh -c 'cat >> called'"]).spawn();
    listener.wait_for_stderr("\n");
    let said = listener.stderr_so_far();
    let url = said.lines().find_map(|line| line.strip_prefix("url: ")).expect("a URL");
    let sent = [Behaviour::Reply("hello"), Behaviour::Fail]
        .map(|behaviour| fixture.follow(behaviour, &["--callback-url", url]).document());
    let output = listener.wait();
    assert_eq!(output.code(), 0, "{output}");
    for (heard, sent) in output.documents().iter().zip(&sent) {
        assert_eq!((&heard["id"], &heard["status"]), (&sent["id"], &sent["status"]), "{output}");
        assert_eq!(heard["_agentctl"]["outcome"], sent["_agentctl"]["outcome"], "{output}");
    }
    assert_eq!(output.documents().len(), 2, "{output}");
}

fn the_callback_can_be_waited_for(fixture: &Fixture) {
    let listener = fixture.agentctl(&["listen", "--count", "1"]).spawn();
    listener.wait_for_stderr("\n");
    let said = listener.stderr_so_far();
    let url = said.lines().find_map(|line| line.strip_prefix("url: ")).expect("a URL");
    let output = fixture.follow(Behaviour::Reply("hello"), &["--callback-url", url, "--wait-callback"]);
    assert_eq!((output.code(), &output.document()["callback_status_code"]), (0, &json!(204)), "{output}");
    assert!(output.stderr.contains("its callback was answered with 204"), "{output}");
    assert_eq!(listener.wait().code(), 0);
}
