//! The agent that a message is sent to.

use super::*;

#[test]
fn the_flag_names_the_agent_then_the_body_then_the_environment() {
    let third = "agent-55555555-5555-4555-8555-555555555555";
    let body = json!({"agent_id": OTHER, "input": "hi"}).to_string();
    let no_agent = json!({"input": "hi"}).to_string();
    for (args, body, expected) in [
        (&["--agent", AGENT][..], &body, AGENT),
        (&[], &body, OTHER),
        (&[], &no_agent, third),
        (&["--agent", AGENT], &no_agent, AGENT),
    ] {
        let (env, mock) = (TestEnv::new(), Mock::start());
        mock.on("POST", "/v1/agents/*", [run_answer("created", None)]);
        let process = env.agentctl(["send"].iter().chain(args)).server(&mock.url()).env("LETTA_AGENT_ID", third);
        let output = process.stdin(body.as_str()).run();
        assert_eq!(output.code(), 0, "{output}");
        let post = &mock.seen("POST")[0];
        assert_eq!(post.path, format!("/v1/agents/{expected}/messages/async"));
        assert_eq!(post.json(), json!({"input": "hi"}), "the agent is in the path and nowhere else");
    }
    let output = agentctl(&letta::done(), "send -m hi");
    assert_eq!(output.code(), 2, "{output}");
    assert!(output.stderr.contains("LETTA_AGENT_ID"), "{output}");
}

/// Runs `send --agent helper` on a server with these agents.
fn send_by_name(agents: Value) -> (Output, Mock) {
    let mock = letta::done();
    mock.on("GET", "/v1/agents/", [Answer::json(200, &agents)]);
    (agentctl(&mock, "send --agent helper -m hi"), mock)
}

#[test]
fn an_agent_can_be_given_by_name() {
    let others = json!([{"id": OTHER, "name": "helper of others"}, {"id": AGENT, "name": "helper"}]);
    let (output, mock) = send_by_name(others);
    assert_eq!((output.code(), mock.seen("POST").len()), (0, 1), "{output}");
    assert!(mock.seen("GET")[0].query.contains("name=helper"), "{:?}", mock.seen("GET"));
}

#[test]
fn a_name_of_two_agents_is_refused_with_their_ids() {
    let (output, mock) = send_by_name(json!([{"id": OTHER, "name": "helper"}, {"id": AGENT, "name": "helper"}]));
    assert_eq!((output.code(), mock.seen("POST").len(), output.stdout.as_str()), (2, 0, ""), "{output}");
    assert!(output.stderr.contains(OTHER) && output.stderr.contains(AGENT), "{output}");
}

#[test]
fn an_unknown_agent_name_is_exit_5() {
    let (output, mock) = send_by_name(json!([{"id": OTHER, "name": "another"}]));
    assert_eq!((output.code(), mock.seen("POST").len(), output.stdout.as_str()), (5, 0, ""), "{output}");
    assert!(output.stderr.contains("helper"), "{output}");
}
