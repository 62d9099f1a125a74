//! Agents: made, found, talked to by name, and gone.

use serde_json::json;

use super::fixture::unused_name;
use super::{Behaviour, Fixture, for_each_fixture};

for_each_fixture!(an_agent_lives_and_is_gone, an_agent_goes_by_its_name, a_name_that_two_agents_have_is_refused);

fn an_agent_lives_and_is_gone(fixture: &Fixture) {
    let name = unused_name();
    let agents = |args: &[&str]| fixture.agentctl(&[&["agents"], args].concat()).run();
    let created = agents(&["create", "--name", &name, "--model", fixture.model()]);
    assert_eq!((created.code(), &created.document()["name"]), (0, &json!(name)), "{created}");
    let created = created.document();
    let id = created["id"].as_str().expect("an id");
    for given in [id, &name] {
        let shown = agents(&["show", given]);
        assert_eq!((shown.code(), &shown.document()["id"]), (0, &json!(id)), "{shown}");
        assert_eq!(shown.document()["model"], fixture.model(), "{shown}");
    }
    let listed = agents(&["list"]);
    assert!(listed.documents().iter().any(|agent| agent["id"] == id && agent["name"] == name.as_str()), "{listed}");
    let deleted = agents(&["delete", id]);
    assert_eq!((deleted.code(), &deleted.document()["id"]), (0, &json!(id)), "{deleted}");
    for given in [id, &name] {
        let shown = agents(&["show", given]);
        assert_eq!((shown.code(), shown.stdout.as_str()), (5, ""), "{shown}");
    }
    assert!(agents(&["list"]).documents().iter().all(|agent| agent["id"] != id));
}

fn an_agent_goes_by_its_name(fixture: &Fixture) {
    let name = unused_name();
    let id = fixture.named_agent(&name);
    let reply = Behaviour::Reply("hello");
    let output = fixture.send_to(&name, reply, &["--wait"]).run();
    assert_eq!((output.code(), &output.document()["agent_id"]), (0, &json!(id)), "{output}");
    let output = fixture.agentctl(&["watch", "--agent", &name]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (0, ""), "nothing is at work\n{output}");
    let other = fixture.send_to(&unused_name(), reply, &[]).run();
    assert_eq!((other.code(), &other.error()["code"]), (5, &json!("not_found")), "{other}");
}

fn a_name_that_two_agents_have_is_refused(fixture: &Fixture) {
    let name = unused_name();
    let ids = [fixture.named_agent(&name), fixture.named_agent(&name)];
    let output = fixture.send_to(&name, Behaviour::Reply("hello"), &[]).run();
    assert_eq!((output.code(), output.stdout.as_str()), (2, ""), "{output}");
    assert!(ids.iter().all(|id| output.stderr.contains(id)), "the ids are listed\n{output}");
}
