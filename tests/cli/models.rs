//! Models of an OpenAI-compatible endpoint: the environment names it, the local server calls it.

use serde_json::{Value, json};

use crate::support::serve::Serve;
use crate::support::{Answer, Mock, TestEnv};

fn said(text: &str) -> Answer {
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 3});
    Answer::json(200, &json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}], "usage": usage}))
}

/// An endpoint with one model, which replies with this text.
fn endpoint(text: &str) -> Mock {
    let mock = Mock::start();
    mock.on("GET", "/v1/models", [Answer::json(200, &json!({"data": [{"id": "small"}]}))]);
    mock.on("POST", "/v1/chat/completions", [said(text)]);
    mock
}

#[test]
fn the_local_engine_calls_the_endpoint_that_the_environment_names() {
    let (env, mock) = (TestEnv::new(), endpoint("hello from afar"));
    let agentctl = |args: &[&str]| {
        let process = env.agentctl(args.iter().copied().chain(["--local"]));
        process.env("OPENAI_BASE_URL", format!("{}/v1", mock.url())).env("OPENAI_API_KEY", "sk-secret-canary").run()
    };
    let created = agentctl(&["agents", "create", "--name", "a", "--model", "openai/small"]);
    assert_eq!((created.code(), &created.document()["model"]), (0, &json!("openai/small")), "{created}");
    let sent = agentctl(&["send", "--agent", "a", "-m", "hi", "--wait", "-vv"]);
    assert_eq!((sent.code(), &sent.document()["_agentctl"]["total_tokens"]), (0, &json!(14)), "{sent}");
    assert!(!sent.stderr.contains("canary"), "the key is not shown\n{sent}");
    let reply = agentctl(&["messages", "@last", "--reply"]);
    assert_eq!(reply.stdout, "hello from afar\n", "{reply}");
    let [call] = &mock.seen("POST")[..] else { panic!("once: {:?}", mock.requests()) };
    assert_eq!(call.header("authorization"), Some("Bearer sk-secret-canary"));
    assert_eq!((&call.json()["model"], &call.json()["messages"][1]["content"]), (&json!("small"), &json!("hi")));
}

#[test]
fn an_invalid_address_is_reported_before_anything_happens() {
    let env = TestEnv::new();
    let output = env.agentctl(["send", "--local", "-m", "hi"]).env("OLLAMA_BASE_URL", "localhost:11434").run();
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    assert!(output.stderr.contains("OLLAMA_BASE_URL"), "{output}");
}

#[test]
fn a_served_engine_lists_and_uses_the_models_of_its_endpoints() {
    let (env, mock) = (TestEnv::new(), endpoint("hello from afar"));
    let process = env.agentctl(["serve", "--bind", "127.0.0.1:0", "--print-env", "--in-memory"]);
    let serve = Serve::from(process.env("VLLM_BASE_URL", mock.url()));
    let api = |args: &[&str]| serve.reach(env.agentctl(["api"].iter().chain(args).copied())).run();
    let models = api(&["GET", "/v1/models/"]);
    assert!(models.stdout.contains("\"vllm/small\""), "{models}");
    let agent = api(&["POST", "/v1/agents/", "-f", "model=vllm/small"]).document();
    let agent = agent["id"].as_str().expect("an id").to_owned();
    let answer = api(&["POST", &format!("/v1/agents/{agent}/messages"), "-f", "input=hi"]);
    let said = |answer: &Value| answer["messages"][0]["content"].clone();
    assert_eq!((answer.code(), said(&answer.document())), (0, json!("hello from afar")), "{answer}");
}
