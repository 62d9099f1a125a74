//! A mock that answers as the real server does, and the documents that it answers with.

use serde_json::{Value, json};

use super::{Answer, Mock};

/// The agent and the run of most tests.
pub const AGENT: &str = "agent-11111111-1111-4111-8111-111111111111";
pub const RUN: &str = "run-22222222-2222-4222-8222-222222222222";

/// The usual command lines of tests.
pub const SEND: &str = "send --agent agent-11111111-1111-4111-8111-111111111111 -m hi";
pub const WATCH: &str = "watch run-22222222-2222-4222-8222-222222222222";

/// The path to post messages to that agent.
pub const POST_PATH: &str = "/v1/agents/agent-11111111-1111-4111-8111-111111111111/messages/async";
/// The path of that run.
pub const RUN_PATH: &str = "/v1/runs/run-22222222-2222-4222-8222-222222222222";

/// The run, with every key in the real server's order.
pub fn run(status: &str, stop_reason: Option<&str>) -> Value {
    let ended = matches!(status, "completed" | "failed" | "cancelled");
    json!({
        "id": RUN,
        "status": status,
        "created_at": "2026-11-23T14:56:08.275779Z",
        "completed_at": ended.then_some("2026-11-23T14:56:09.670795"),
        "agent_id": AGENT,
        "conversation_id": null,
        "base_template_id": null,
        "background": true,
        "metadata": {"run_type": "send_message_async", "lettuce": null},
        "request_config": {
            "use_assistant_message": true,
            "assistant_message_tool_name": "send_message",
            "assistant_message_tool_kwarg": "message",
            "include_return_message_types": null,
        },
        "stop_reason": stop_reason,
        "callback_url": null,
        "callback_sent_at": null,
        "callback_status_code": null,
        "callback_error": null,
        "ttft_ns": null,
        "total_duration_ns": null,
    })
}

/// The same as an answer.
pub fn run_answer(status: &str, stop_reason: Option<&str>) -> Answer {
    Answer::json(200, &run(status, stop_reason))
}

/// The run, failed, with what went wrong.
pub fn failed(error: &str) -> Value {
    let mut run = run("failed", Some("error"));
    run["metadata"]["error"] = error.into();
    run
}

/// A user message and the agent's reply.
pub fn messages(said: &str, reply: &str) -> Value {
    json!([message("user_message", said), message("assistant_message", reply)])
}

/// One message of the run.
pub fn message(kind: &str, content: &str) -> Value {
    json!({
        "id": format!("message-{kind}"),
        "date": "2026-11-23T14:56:09+00:00",
        "name": null,
        "message_type": kind,
        "otid": format!("otid-{kind}"),
        "sender_id": null,
        "step_id": "step-33333333-3333-4333-8333-333333333333",
        "is_err": null,
        "seq_id": null,
        "run_id": RUN,
        "content": content,
    })
}

/// The message by which the run asks for approval of calls with these ids.
pub fn approval_request(calls: &[&str]) -> Value {
    let calls: Vec<Value> =
        calls.iter().map(|id| json!({"name": "rm", "arguments": "{\"path\": \"x\"}", "tool_call_id": id})).collect();
    json!({"id": "message-7", "message_type": "approval_request_message", "run_id": RUN, "tool_calls": calls})
}

/// A server that accepts a message and whose run is looked at with these answers, the last one repeated.
pub fn letta(looks: impl IntoIterator<Item = Answer>) -> Mock {
    let mock = Mock::start();
    mock.on("GET", "/v1/health/", [Answer::json(200, &json!({"version": "0.16.8", "status": "ok"}))]);
    mock.on("POST", POST_PATH, [run_answer("created", None)]);
    mock.on("GET", RUN_PATH, looks);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &messages("hi", "hello"))]);
    mock.on("GET", &format!("{RUN_PATH}/steps"), [Answer::json(200, &json!([]))]);
    let usage = json!({"completion_tokens": 4, "prompt_tokens": 374, "total_tokens": 378});
    mock.on("GET", &format!("{RUN_PATH}/usage"), [Answer::json(200, &usage)]);
    let metrics = json!({"id": RUN, "agent_id": AGENT, "run_ns": 1_446_280_448, "num_steps": 1});
    mock.on("GET", &format!("{RUN_PATH}/metrics"), [Answer::json(200, &metrics)]);
    mock
}

/// The same with a run that is completed at the first look.
pub fn done() -> Mock {
    letta([run_answer("completed", Some("end_turn"))])
}

/// The same with a run that stopped because a call needs approval.
pub fn asking() -> Mock {
    let mock = letta([run_answer("completed", Some("requires_approval"))]);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &json!([approval_request(&["call_1"])]))]);
    mock.on("GET", &format!("/v1/agents/{AGENT}/messages"), [Answer::json(200, &json!([]))]);
    mock
}
