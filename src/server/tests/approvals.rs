//! Tests of tool calls that need approval.

use super::*;

const SCRIPT: &str = "@reply before\n@ask rm {\"path\": \"x\"}\n@reply after";

/// Makes an agent request an approval; returns the run and the id of the call.
async fn request_approval(server: &Server, agent: &str) -> (Value, String) {
    let run = server.run(agent, SCRIPT).await;
    assert_eq!(end(&run), ("completed", "requires_approval"));
    let messages = server.messages(&run).await;
    assert_eq!(types(&messages), ["user_message", "assistant_message", "approval_request_message"]);
    let id = messages[2]["tool_calls"][0]["tool_call_id"].as_str().expect("an id").to_owned();
    (run, id)
}

fn decision(id: &str, approve: bool) -> Value {
    let approval = json!({"type": "approval", "approve": approve, "tool_call_id": id, "reason": "because"});
    json!({"messages": [{"type": "approval", "approvals": [approval]}]})
}

#[tokio::test]
async fn an_approved_call_runs_and_the_turn_continues_after_it() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (_, id) = request_approval(&server, &agent).await;
    let run = server.run_with(&agent, decision(&id, true)).await;
    assert_eq!(end(&run), ("completed", "end_turn"));
    let messages = server.messages(&run).await;
    assert_eq!(types(&messages), ["approval_response_message", "tool_return_message", "assistant_message"]);
    assert_eq!((&messages[0]["otid"], &messages[0]["step_id"]), (&Value::Null, &Value::Null));
    assert_eq!((&messages[1]["status"], &messages[1]["tool_call_id"]), (&json!("success"), &json!(id)));
    assert_eq!(messages[2]["content"], "after");
    assert_eq!(end(&server.run(&agent, "@reply again").await).0, "completed", "no call is pending");
}

#[tokio::test]
async fn a_denied_call_returns_an_error_with_the_reason() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (_, id) = request_approval(&server, &agent).await;
    let run = server.run_with(&agent, decision(&id, false)).await;
    let messages = server.messages(&run).await;
    assert_eq!(messages[0]["approvals"][0]["approve"], false);
    assert_eq!(messages[1]["status"], "error");
    assert!(messages[1]["tool_return"].as_str().is_some_and(|text| text.contains("because")));
    assert_eq!(messages[2]["content"], "after");
}

#[tokio::test]
async fn the_model_that_asked_continues_the_turn() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run_with(&agent, json!({"input": SCRIPT, "override_model": "agentctl/script"})).await;
    let request = &server.messages(&run).await[2];
    let body = json!({"messages": [{"approve": true, "approval_request_id": request["id"]}]});
    let run = server.run_with(&agent, body).await;
    assert_eq!(server.messages(&run).await[2]["content"], "after", "the deprecated form is accepted");
}

#[tokio::test]
async fn a_message_fails_while_a_call_is_pending() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (_, id) = request_approval(&server, &agent).await;
    let run = server.run(&agent, "@reply hi").await;
    assert_eq!(end(&run), ("failed", "error"));
    assert!(
        run["metadata"]["error"].as_str().is_some_and(|text| text.starts_with("CONFLICT: Cannot send a new message"))
    );
    assert_eq!(end(&server.run_with(&agent, decision(&id, true)).await).0, "completed", "the call is still pending");
}

#[tokio::test]
async fn a_decision_on_another_call_fails_its_run() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let run = server.run_with(&agent, decision("call_1", true)).await;
    let error = run["metadata"]["error"].as_str().expect("an error");
    assert!(error.starts_with("Cannot process approval response: No tool call is currently awaiting"), "{error}");
    let (_, id) = request_approval(&server, &agent).await;
    let run = server.run_with(&agent, decision("call_1", true)).await;
    let words = format!("Invalid tool call IDs. Expected ['{id}'], received ['call_1']");
    assert_eq!(run["metadata"]["error"], words);
}

#[tokio::test]
async fn cancelling_a_run_with_a_pending_call_denies_the_call() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (run, _) = request_approval(&server, &agent).await;
    server.cancel(&agent, json!({"run_ids": [run["id"]]})).await;
    let run = server.get(&format!("/v1/runs/{}", run["id"].as_str().expect("an id"))).await;
    assert_eq!(end(&run), ("cancelled", "cancelled"));
    let messages = server.messages(&run).await;
    assert_eq!(types(&messages)[3..], ["approval_response_message", "tool_return_message"]);
    assert_eq!(messages[4]["status"], "error");
    assert_eq!(end(&server.run(&agent, "@reply hi").await).0, "completed", "the agent is free");
}

#[tokio::test]
async fn every_form_of_a_decision_is_accepted() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let result = |id: &str| json!({"type": "tool", "tool_call_id": id, "status": "success", "tool_return": "gone", "stdout": ["rm x"]});
    for form in ["approvals", "tool_returns", "deprecated", "untyped"] {
        let (run, id) = request_approval(&server, &agent).await;
        let shown = server.get(&format!("/v1/agents/{agent}?include=agent.pending_approval")).await;
        assert_eq!(shown["pending_approval"]["tool_calls"][0]["tool_call_id"], id, "{form}");
        let request = server.messages(&run).await[2]["id"].clone();
        let message = match form {
            "approvals" => json!({"type": "approval", "approvals": [result(&id)]}),
            "tool_returns" => json!({"type": "tool_return", "tool_returns": [result(&id)]}),
            "deprecated" => json!({"type": "approval", "approve": true, "approval_request_id": request}),
            _ => json!({"approve": false, "approval_request_id": request, "reason": "because"}),
        };
        let run = server.run_with(&agent, json!({"messages": [message]})).await;
        assert_eq!(end(&run), ("completed", "end_turn"), "{form}: {run}");
        let messages = server.messages(&run).await;
        let kinds = ["approval_response_message", "tool_return_message", "assistant_message"];
        assert_eq!(types(&messages), kinds, "{form}");
        if form == "approvals" || form == "tool_returns" {
            assert_eq!((&messages[0]["approvals"][0]["type"], &messages[0]["approve"]), (&json!("tool"), &Value::Null));
            assert_eq!((&messages[1]["tool_return"], &messages[1]["stdout"]), (&json!("gone"), &json!(["rm x"])));
        }
        let shown = server.get("/v1/agents/?include=agent.pending_approval").await;
        assert_eq!(shown[0]["pending_approval"], Value::Null, "{form}");
    }
}

#[tokio::test]
async fn a_repeated_decision_succeeds_and_changes_nothing() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (_, id) = request_approval(&server, &agent).await;
    server.run_with(&agent, decision(&id, true)).await;
    let again = server.run_with(&agent, decision(&id, true)).await;
    assert_eq!((end(&again), server.messages(&again).await.len()), (("completed", "end_turn"), 0));
    let other = server.run_with(&agent, decision("call_other", true)).await;
    assert_eq!(end(&other).0, "failed", "an unknown call");
    let insert = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
        INSERT INTO messages (id, agent, run_seq, date, message_type, own)
        SELECT 'message-' || i, (SELECT seq FROM agents WHERE id = ?), 1000 + i, 0, 'user_message', '{}' FROM n";
    let to = agent.clone();
    server.running.engine.db.write(move |tx| Ok(tx.execute(insert, [&to])?)).await.expect("inserted");
    let late = server.run_with(&agent, decision(&id, true)).await;
    assert_eq!(end(&late).0, "failed", "only recent messages are searched");
}

#[tokio::test]
async fn decisions_on_more_than_the_pending_call_are_rejected_as_a_whole() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let (_, id) = request_approval(&server, &agent).await;
    let item = |id: &str| json!({"type": "approval", "approve": true, "tool_call_id": id});
    let both = json!({"messages": [{"type": "approval", "approvals": [item(&id), item("call_other")]}]});
    let run = server.run_with(&agent, both).await;
    let words = format!("Invalid tool call IDs. Expected ['{id}'], received ['{id}', 'call_other']");
    assert_eq!(run["metadata"]["error"], words);
    assert_eq!(end(&server.run_with(&agent, decision(&id, false)).await).0, "completed", "the call is still pending");
}
