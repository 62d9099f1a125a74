//! Tests of the fields of a request to send messages.

use super::*;

#[tokio::test]
async fn max_steps_ends_a_longer_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let three = "@tool t {}\n@repeat 3";
    for (steps, expected, count) in [(2, "max_steps", 5), (3, "end_turn", 7), (0, "max_steps", 1), (-1, "max_steps", 1)]
    {
        let run = server.run_with(&agent, json!({"input": three, "max_steps": steps})).await;
        assert_eq!(end(&run), ("completed", expected), "{steps}");
        assert_eq!(server.messages(&run).await.len(), count, "{steps}");
    }
}

#[tokio::test]
async fn a_call_of_the_assistant_message_tool_becomes_an_assistant_message() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let text = "@tool send_message {\"message\": \"hi\"}\n@tool say {\"words\": \"ho\"}";
    let calls = ["tool_call_message", "tool_return_message"];
    for (extra, expected) in [
        (json!({}), vec!["assistant_message", calls[0], calls[1]]),
        (json!({"use_assistant_message": false}), vec![calls[0], calls[1], calls[0], calls[1]]),
        (
            json!({"assistant_message_tool_name": "say", "assistant_message_tool_kwarg": "words"}),
            vec![calls[0], calls[1], "assistant_message"],
        ),
        (
            json!({"assistant_message_tool_name": "say", "assistant_message_tool_kwarg": "nothing"}),
            vec![calls[0], calls[1], calls[0], calls[1]],
        ),
    ] {
        let mut body = json!({"input": text});
        body.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        let run = server.run_with(&agent, body).await;
        assert_eq!(types(&server.messages(&run).await)[1..], expected, "{extra}");
    }
}

#[tokio::test]
async fn messages_of_a_run_are_filtered_by_the_types_of_its_request() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let body = json!({"input": "@tool t {}\n@reply hi", "include_return_message_types": ["assistant_message"]});
    let run = server.run_with(&agent, body).await;
    assert_eq!(types(&server.messages(&run).await), ["assistant_message"]);
    let all = server.get(&format!("/v1/agents/{agent}/messages")).await;
    assert_eq!(all.as_array().map(Vec::len), Some(4), "the agent's own list is not filtered");
    let body = json!({"input": "@reply hi", "include_return_message_types": []});
    let run = server.run_with(&agent, body).await;
    assert_eq!(server.messages(&run).await.len(), 2, "an empty list is no filter");
}

#[tokio::test]
async fn reasoning_is_listed_only_if_the_request_enables_it() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    for (extra, expected) in [(json!("true"), 3), (json!("false"), 2)] {
        let run = server.run_with(&agent, json!({"input": "@think hm\n@reply hi", "enable_thinking": extra})).await;
        assert_eq!(server.messages(&run).await.len(), expected);
    }
    let run = server.run(&agent, "@think hm\n@reply hi").await;
    assert_eq!(server.messages(&run).await.len(), 2);
    let run = server.run_with(&agent, json!({"input": "@think hm\n@reply hi", "enable_thinking": "true"})).await;
    let messages = server.messages(&run).await;
    assert_eq!((&messages[1]["reasoning"], &messages[1]["message_type"]), (&json!("hm"), &json!("reasoning_message")));
}

#[tokio::test]
async fn override_model_applies_to_one_run() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run_with(&agent, json!({"input": "@stop tool_rule", "override_model": "agentctl/script"})).await;
    assert_eq!(run["stop_reason"], "tool_rule");
    assert_eq!(server.run(&agent, "@stop tool_rule").await["stop_reason"], "end_turn");
    let run = server.run_with(&agent, json!({"input": "x", "override_model": "no/such"})).await;
    assert_eq!(end(&run), ("failed", "error"));
    let words = "NOT_FOUND: Handle no/such not found, must be one of [agentctl/echo, agentctl/script]";
    assert_eq!(run["metadata"]["error"], words);
}

#[tokio::test]
async fn override_system_is_sent_to_the_model() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let mut prompts = Vec::new();
    for system in ["x", &"x".repeat(401)] {
        let run = server.run_with(&agent, json!({"input": "hi", "override_system": system})).await;
        let usage = server.get(&format!("/v1/runs/{}/usage", run["id"].as_str().expect("an id"))).await;
        prompts.push(usage["prompt_tokens"].as_i64().expect("a number"));
    }
    assert_eq!(prompts[1] - prompts[0], 100);
}

#[tokio::test]
async fn a_run_shows_the_configuration_of_its_request() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.agent("agentctl/echo").await;
    let body =
        json!({"input": "x", "assistant_message_tool_name": "n", "callback_url": "http://localhost:1/?k=1", "new": 1});
    let run = server.post(&format!("/v1/agents/{agent}/messages/async"), body).await;
    let config = json!({"use_assistant_message": true, "assistant_message_tool_name": "n",
        "assistant_message_tool_kwarg": "message", "include_return_message_types": null});
    assert_eq!((&run["request_config"], &run["callback_url"]), (&config, &json!("http://localhost:1/?k=1")));
}
