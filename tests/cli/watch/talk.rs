//! The output of a watched run: messages, events, the reply.

use super::*;

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
