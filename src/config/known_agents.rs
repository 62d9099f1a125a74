//! The agents that servers listed, for shell completion. Best effort: no error is reported.

use std::fs;
use std::path::PathBuf;

use super::{Env, atomic_write, dirs};
use crate::db::private;
use crate::model::AgentId;

/// The largest number of agents in the file; the oldest are dropped.
const MAX_AGENTS: usize = 1000;

/// An agent that a server listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAgent {
    /// The agent's id.
    pub id: AgentId,
    /// The agent's name.
    pub name: String,
    /// The agent's server.
    pub server: String,
}

/// The file of known agents, one per line: id, server and name, separated by tabs.
#[derive(Clone, Debug)]
pub struct KnownAgents(Option<PathBuf>);

impl KnownAgents {
    /// Returns the file in the data folder.
    pub fn new(env: &Env) -> Self {
        Self(dirs::data_dir(env).map(|data| data.join("agents")))
    }

    /// Reads all agents, the newest last.
    pub fn all(&self) -> Vec<KnownAgent> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        text.lines().filter_map(parse_line).collect()
    }

    /// Adds agents, or moves them to the end under their current names. Ignores errors, such as a read-only disk.
    pub fn add(&self, agents: Vec<KnownAgent>) {
        let Some(file) = &self.0 else { return };
        let before = self.all();
        let mut all: Vec<KnownAgent> =
            before.iter().filter(|old| !agents.iter().any(|new| new.id == old.id)).cloned().collect();
        all.extend(agents);
        all.drain(..all.len().saturating_sub(MAX_AGENTS));
        if all == before {
            return;
        }
        let text: String =
            all.iter().map(|agent| format!("{}\t{}\t{}\n", agent.id, agent.server, agent.name)).collect();
        let folder = file.parent().map_or(Ok(()), private::make_folder);
        let _ = folder.is_ok() && atomic_write::write(file, &text).is_ok();
    }
}

fn parse_line(line: &str) -> Option<KnownAgent> {
    let mut parts = line.splitn(3, '\t');
    let id = parts.next()?.parse().ok()?;
    let server = parts.next()?.to_owned();
    let name = parts.next()?.to_owned();
    Some(KnownAgent { id, name, server })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> KnownAgent {
        KnownAgent { id: AgentId::random(), name: name.to_owned(), server: "local".to_owned() }
    }

    #[test]
    fn an_agent_is_stored_once_under_its_latest_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let known = KnownAgents::new(&Env::from([("AGENTCTL_DATA_DIR", data.to_str().expect("UTF-8"))]));
        let first = agent("Ada");
        let second = agent("Ben");
        known.add(vec![first.clone(), second.clone()]);
        let renamed = KnownAgent { name: "Ada L".to_owned(), ..first };
        known.add(vec![renamed.clone()]);
        assert_eq!(known.all(), [second, renamed]);
        known.add((0..MAX_AGENTS).map(|_| agent("x")).collect());
        assert_eq!(known.all().len(), MAX_AGENTS);
    }
}
