//! Tests of agents, and of the health routes.

use super::*;

#[tokio::test]
async fn a_change_alters_only_the_fields_it_names() {
    let server = Server::in_memory().await;
    let made = json!({"name": "one", "description": "d", "tags": ["a"], "metadata": {"k": 1}, "system": "s"});
    let before = server.post("/v1/agents/", made).await;
    let path = format!("/v1/agents/{}", before["id"].as_str().expect("an id"));
    let change = async |body: Value| server.call("PATCH", &path, Body::from(body.to_string())).await;
    let (status, after) =
        change(json!({"name": "two", "model": "agentctl/script", "tags": [], "metadata": null})).await;
    assert_eq!(status, StatusCode::OK, "{after}");
    let seen = server.get(&path).await;
    for (key, value) in [
        ("name", json!("two")),
        ("model", json!("agentctl/script")),
        ("system", json!("s")),
        ("description", json!("d")),
        ("tags", json!([])),
        ("metadata", Value::Null),
        ("created_at", before["created_at"].clone()),
    ] {
        assert_eq!((&after[key], &seen[key]), (&value, &value), "{key}");
    }
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{after}");
    for (body, status) in [
        (json!({"name": "a/b"}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"tags": "a"}), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({"model": "nobody/x"}), StatusCode::NOT_FOUND),
        (json!({"model": "nobody"}), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(change(body.clone()).await.0, status, "{body}");
    }
    assert_eq!(server.get(&path).await, seen, "a rejected change has no effect");
    let nobody = format!("/v1/agents/{}", crate::model::AgentId::random());
    assert_eq!(server.call("PATCH", &nobody, Body::from("{}")).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn agents_are_listed_by_any_or_all_of_the_given_tags() {
    let server = Server::start(Store::Memory, false).await;
    for tags in [json!(["a"]), json!(["a", "b"])] {
        server.post("/v1/agents/", json!({"tags": tags})).await;
    }
    for (query, count) in [("tags=a&tags=b", 2), ("tags=a&tags=b&match_all_tags=true", 1), ("match_all_tags=true", 2)] {
        let found = server.get(&format!("/v1/agents/?{query}")).await;
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{query}");
    }
    let (status, body) = server.call("GET", "/v1/agents/?include=agent.nonsense", Body::empty()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
}

#[tokio::test]
async fn cancelling_a_conversation_cancels_the_runs_of_its_agent() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    let path = format!("/v1/conversations/default/cancel?agent_id={agent}");
    let run = server.send(&agent, json!({"input": "@hang"})).await;
    assert_eq!(server.post(&path, json!({})).await, json!({run.as_str(): "cancelled"}));
    server.until(&run, "cancelled").await;
    for (path, status, words) in [
        (path.as_str(), 409, "CONFLICT: No active runs to cancel for conversation default"),
        ("/v1/conversations/default/cancel", 404, "Conversation not found with id='default'"),
        ("/v1/conversations/conv-00000000-0000-4000-8000-00000000dead/cancel", 404, "Conversation not found"),
        ("/v1/conversations/nonsense/cancel", 422, "[{'type': 'string_pattern_mismatch'"),
    ] {
        let (got, answer) = server.call("POST", path, Body::empty()).await;
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer["detail"].as_str().is_some_and(|detail| detail.starts_with(words)), "{answer}");
        assert_eq!(answer.get("examples"), None, "no example of an agent id");
    }
}

#[tokio::test]
async fn the_api_is_served_under_both_prefixes() {
    let server = Server::in_memory().await;
    for path in ["/v1/ready", "/latest/ready/", "/latest/health", "/v1/health/"] {
        assert_eq!(server.get(path).await, json!({"version": "0.16.8", "status": "ok"}), "{path}");
    }
    assert_eq!(server.get("/latest/runs").await, json!([]));
}

#[tokio::test]
async fn messages_of_an_agent_are_filtered_by_type() {
    let server = Server::in_memory().await;
    let agent = server.scripted().await;
    server.run(&agent, "@reply hi").await;
    let path = format!("/v1/agents/{agent}/messages?include_return_message_types");
    assert_eq!(types(server.get(&format!("{path}=user_message")).await.as_array().expect("a list")), ["user_message"]);
    let (status, body) = server.call("GET", &format!("{path}=nonsense"), Body::empty()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
}
