//! Command lines and requests that go wrong: what, why, and what next, in a shape that scripts can rely on.

use serde_json::Value;

use crate::support::TestEnv;

/// Each goes wrong in a way of its own, on the local engine.
const WRONG: &[&str] = &[
    "list --limit 0",
    "list --since yesterday",
    "list --status",
    "list --agent ../x",
    "cancel",
    "cancel --active",
    "cancel --agent x --active",
    "cancel nonsense",
    "approve",
    "approve nonsense",
    "approve run-00000000-0000-4000-8000-00000000dead",
    "watch",
    "watch nonsense",
    "watch run-00000000-0000-4000-8000-00000000dead",
    "watch run-00000000-0000-4000-8000-00000000dead --stall-after 5x",
    "watch run-00000000-0000-4000-8000-00000000dead --on-stall maybe",
    "status run-00000000-0000-4000-8000-00000000dead --detail",
    "listen --bind nonsense",
    "listen --count 0",
    "listen --public-url ftp://x",
    "send -m hi --listen",
    "config get nonsense",
    "config set base_url localhost",
    "config use nobody",
    "config set nonsense x",
    "--profile nobody list",
    "--jq .[ list",
    "schema nonsense",
    "api",
    "api GET",
    "api GET ../x",
    "api GET http://evil.example/v1/",
    "api GET /v1/nonsense",
    "api POST agents/ -f novalue",
    "api POST agents/ --input /nonexistent",
    "doctor nonsense",
    "completions nonsense",
    "man nonsense",
    "help nonsense",
    "-H Authorization:x list",
    "-H nonsense list",
    "nonsense",
];

#[test]
fn every_error_says_what_next_and_has_the_documented_shape() {
    let env = TestEnv::new();
    let schema = env.agentctl(["schema", "error"]).run().stdout;
    let schema: Value = serde_json::from_str(&schema).expect("a schema");
    let schema = jsonschema::draft202012::new(&schema).expect("a schema");
    for line in WRONG {
        let output = env.agentctl(line.split(' ').chain(["--local", "-o", "json"])).run();
        assert!(output.code() > 0, "`{line}` went well\n{output}");
        let said = output.stderr.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(said).unwrap_or_else(|_| panic!("`{line}`\n{output}"));
        assert!(schema.is_valid(&error), "`{line}`\n{output}");
        assert_eq!(error["error"]["exit"], output.code(), "`{line}`\n{output}");
        assert!(error["error"]["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "`{line}`\n{output}");
    }
}

#[test]
fn a_bad_value_points_to_the_help_of_its_command() {
    let output = TestEnv::new().agentctl(["--utc", "list", "--limit", "0"]).run();
    let error = output.error();
    assert_eq!(error["hint"], "see `agentctl list --help`", "{output}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("1 or more")), "{output}");
}

#[test]
fn counts_have_no_ids() {
    let output = TestEnv::new().agentctl(["list", "--stats", "-o", "id", "--local"]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
}
