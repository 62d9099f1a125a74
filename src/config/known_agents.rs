//! The agents that servers showed to this machine, so that a shell can complete their names. Best effort.

use std::fs;
use std::path::PathBuf;

use super::{Env, atomic_write, dirs};
use crate::db::private;
use crate::model::AgentId;

/// How many agents are remembered, the latest.
const KEPT: usize = 1000;

/// An agent that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAgent {
    /// Its id.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// The server that showed it.
    pub server: String,
}

/// The list of agents that were seen.
#[derive(Clone, Debug)]
pub struct Seen(Option<PathBuf>);

impl Seen {
    /// The list in the data folder.
    pub fn new(env: &Env) -> Self {
        Self(dirs::data_dir(env).map(|data| data.join("agents")))
    }

    /// All that are remembered, the latest last.
    pub fn all(&self) -> Vec<SeenAgent> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        text.lines().filter_map(read).collect()
    }

    /// Remembers agents. A read-only disk only costs the convenience.
    pub fn add(&self, agents: Vec<SeenAgent>) {
        let Some(file) = &self.0 else { return };
        let before = self.all();
        let mut all: Vec<SeenAgent> =
            before.iter().filter(|old| !agents.iter().any(|new| new.id == old.id)).cloned().collect();
        all.extend(agents);
        all.drain(..all.len().saturating_sub(KEPT));
        if all == before {
            return;
        }
        let text: String =
            all.iter().map(|agent| format!("{}\t{}\t{}\n", agent.id, agent.server, agent.name)).collect();
        let folder = file.parent().map_or(Ok(()), private::make_folder);
        let _ = folder.is_ok() && atomic_write::write(file, &text).is_ok();
    }
}

fn read(line: &str) -> Option<SeenAgent> {
    let mut parts = line.splitn(3, '\t');
    let (id, server, name) = (parts.next()?.parse().ok()?, parts.next()?.to_owned(), parts.next()?.to_owned());
    Some(SeenAgent { id, name, server })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> SeenAgent {
        SeenAgent { id: AgentId::random(), name: name.to_owned(), server: "local".to_owned() }
    }

    #[test]
    fn an_agent_is_remembered_once_under_its_latest_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let seen = Seen::new(&Env::from([("AGENTCTL_DATA_DIR", dir.path().join("data").to_str().expect("UTF-8"))]));
        let (first, second) = (agent("Ada"), agent("Ben"));
        seen.add(vec![first.clone(), second.clone()]);
        let renamed = SeenAgent { name: "Ada L".to_owned(), ..first };
        seen.add(vec![renamed.clone()]);
        assert_eq!(seen.all(), [second, renamed]);
        seen.add((0..KEPT).map(|_| agent("x")).collect());
        assert_eq!(seen.all().len(), KEPT);
    }
}
