//! Ids of runs and agents: one that is taken is one segment of a path, and nothing else of a URL.
#![no_main]

use agentctl::model::{AgentId, AgentRef, RunId};
use libfuzzer_sys::fuzz_target;
use url::Url;

fn check(kind: &str, id: &str) {
    assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && id.len() <= 68, "{id}");
    let url = Url::parse(&format!("http://host/v1/{kind}/{id}")).expect("a URL");
    assert_eq!((url.host_str(), url.path(), url.query()), (Some("host"), format!("/v1/{kind}/{id}").as_str(), None));
}

fuzz_target!(|text: &str| {
    match text.parse::<RunId>() {
        Ok(id) => check("runs", id.as_str()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match text.parse::<AgentId>() {
        Ok(id) => check("agents", id.as_str()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // A text in the form of an id is never taken for a name.
    if let Ok(AgentRef::Name(name)) = text.parse() {
        assert!(!name.to_lowercase().starts_with("agent-"), "{name}");
    }
});
