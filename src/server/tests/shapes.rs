//! Tests of the keys of documents and of the messages of errors.

use super::*;

async fn call(server: &Server, method: &str, path: &str, body: &str) -> (u16, Value) {
    let (status, body) = server.call(method, path, Body::from(body.to_owned())).await;
    (status.as_u16(), body)
}

#[tokio::test]
async fn a_run_has_its_seventeen_keys_in_the_documented_order() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let run = server.run(&agent, "hi").await;
    let keys: Vec<&str> = run.as_object().expect("an object").keys().map(String::as_str).collect();
    let expected = "id status created_at completed_at agent_id conversation_id base_template_id background metadata \
                    request_config stop_reason callback_url callback_sent_at callback_status_code callback_error \
                    ttft_ns total_duration_ns";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(run["metadata"], json!({"run_type": "send_message_async", "lettuce": null, "model": "agentctl/echo"}));
    let reply = &server.messages(&run).await[1];
    let id = reply["id"].as_str().expect("an id");
    let otid = reply["otid"].as_str().expect("an otid");
    assert_eq!(id["message-".len()..][..34], otid[..34], "an otid differs from its message id only in the last bits");
}

#[tokio::test]
async fn bad_requests_get_the_documented_errors() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let send = format!("/v1/agents/{agent}/messages/async");
    let nobody = crate::model::AgentId::random();
    let nothing = RunId::random();
    for (method, path, body, status, words) in [
        ("GET", "/v1/nonsense", "", 404, "Not Found"),
        ("PUT", "/v1/runs/", "", 405, "Method Not Allowed"),
        ("GET", send.as_str(), "", 405, "Method Not Allowed"),
        (
            "GET",
            "/v1/runs/nonsense",
            "",
            400,
            "INVALID_ARGUMENT: Invalid run ID format: nonsense. Expected format: 'run-<uuid4>'",
        ),
        ("GET", "/v1/runs/job-393ac76d-aca7-4a6a-8765-66dc2043461d/usage", "", 400, "INVALID_ARGUMENT"),
        ("GET", "/v1/runs/run-12345678", "", 404, "Run not found with id='run-12345678'"),
        ("GET", &format!("/v1/runs/{nothing}"), "", 404, "Run not found with id="),
        ("GET", &format!("/v1/runs/{nothing}/steps"), "", 404, "Run not found with id="),
        ("GET", &format!("/v1/agents/{nobody}"), "", 404, "Agent with ID agent-"),
        ("POST", &format!("/v1/agents/{nobody}/messages/async"), r#"{"input": "x"}"#, 404, "Agent not found"),
        ("GET", "/v1/runs/?statuses=nonsense", "", 400, "'nonsense' is not a valid RunStatus"),
        ("GET", "/v1/runs/?statuses=created,running", "", 400, "'created,running' is not a valid RunStatus"),
        (
            "GET",
            "/v1/runs/?stop_reason=nonsense",
            "",
            422,
            "[{'type': 'enum', 'loc': ('query', 'stop_reason'), 'msg': \"Input should be 'end_turn', 'error',",
        ),
        ("GET", "/v1/runs/?limit=0", "", 422, "[{'type': 'greater_than_equal'"),
        ("GET", "/v1/runs/?limit=1001", "", 422, "[{'type': 'less_than_equal'"),
        (
            "POST",
            send.as_str(),
            "{not json",
            422,
            "[{'type': 'json_invalid', 'loc': ('body', 1), 'msg': 'JSON decode error', 'input': {}, 'ctx': {'error': 'Expecting property name enclosed in double quotes'}}]",
        ),
        (
            "POST",
            send.as_str(),
            "",
            422,
            "[{'type': 'missing', 'loc': ('body',), 'msg': 'Field required', 'input': None}]",
        ),
        ("POST", send.as_str(), "[1]", 422, "[{'type': 'model_attributes_type'"),
        ("POST", "/v1/agents/", r#"{"name": "a/b"}"#, 422, "[{'type': 'value_error', 'loc': ('body', 'name')"),
        (
            "POST",
            "/v1/agents/",
            r#"{"model": "echo"}"#,
            400,
            "INVALID_ARGUMENT: The model handle should be in the format provider/model-name",
        ),
        (
            "POST",
            "/v1/agents/",
            r#"{"model": "a/b"}"#,
            404,
            "NOT_FOUND: Handle a/b not found, must be one of [agentctl/echo, agentctl/script]",
        ),
        ("GET", &format!("/v1/runs/{nothing}/trace"), "", 501, "OTEL traces require ClickHouse."),
    ] {
        let (got, answer) = call(&server, method, path, body).await;
        assert_eq!(got, status, "{method} {path} {body}: {answer}");
        let detail = answer["detail"].as_str().expect("a detail");
        assert!(detail.starts_with(words), "{method} {path} {body}: {detail}");
        assert_eq!(answer.get("trace_id").is_some(), status == 422, "{answer}");
    }
}

#[tokio::test]
async fn an_invalid_agent_id_is_a_422_with_an_example() {
    let server = Server::in_memory().await;
    let path = "/v1/agents/nonsense/messages/async";
    let expected = json!({
        "trace_id": "",
        "detail": "[{'type': 'string_pattern_mismatch', 'loc': ('path', 'agent_id'), 'msg': \"String should match pattern 'agent-{uuid4}'\", 'input': 'nonsense', 'ctx': {'pattern': '^agent-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$'}}]",
        "examples": ["agent-123e4567-e89b-42d3-8456-426614174000"],
    });
    assert_eq!(call(&server, "POST", path, r#"{"input": "x"}"#).await, (422, expected));
}

#[tokio::test]
async fn a_body_of_another_content_type_is_not_parsed() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let request = Request::builder().method("POST").uri(format!("/v1/agents/{agent}/messages/async"));
    let request = request.header(header::CONTENT_TYPE, "text/plain").body(Body::from(r#"{"input": "x"}"#));
    let answer = server.router.clone().oneshot(request.expect("a request")).await.expect("infallible");
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let body = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
    assert!(String::from_utf8_lossy(&body).contains("'input': b'{\\\"input\\\": \\\"x\\\"}'"), "{body:?}");
}

#[tokio::test]
async fn paths_are_served_with_and_without_a_trailing_slash() {
    let server = Server::in_memory().await;
    for path in
        ["/v1/health", "/v1/health/", "/v1/models", "/v1/models/", "/v1/models/embedding", "/v1/runs", "/v1/agents"]
    {
        server.get(path).await;
    }
    assert_eq!(server.get("/v1/health/").await, json!({"version": "0.16.8", "status": "ok"}));
    let handles: Vec<Value> = server
        .get("/v1/models/")
        .await
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| model["handle"].clone())
        .collect();
    assert_eq!(handles, ["agentctl/echo", "agentctl/script"]);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_413() {
    let server = Server::in_memory().await;
    let agent = server.agent("agentctl/echo").await;
    let path = format!("/v1/agents/{agent}/messages/async");
    let body = |bytes: usize| format!(r#"{{"input": "{}"}}"#, "x".repeat(bytes));
    assert_eq!(call(&server, "POST", &path, &body(5 << 20)).await.0, 200);
    let (status, answer) = call(&server, "POST", &path, &body(32 << 20)).await;
    assert_eq!((status, &answer["detail"]), (413, &json!("Request body too large")));
}

#[tokio::test]
async fn a_body_with_too_many_values_is_a_413() {
    let server = Server::start(Store::Memory, false).await;
    let agent = server.agent("agentctl/echo").await;
    let path = format!("/v1/agents/{agent}/messages/async");
    let many = format!(r#"{{"input":"hi","more":[{}0]}}"#, "0,".repeat(200_000));
    let (status, answer) = server.call("POST", &path, Body::from(many)).await;
    assert_eq!((status.as_u16(), answer), (413, json!({"detail": "Request body has too many values"})));
    let text = json!({"input": "0,".repeat(400_000)});
    assert_eq!(
        server.call("POST", &path, Body::from(text.to_string())).await.0,
        StatusCode::OK,
        "a string is one value"
    );
}
