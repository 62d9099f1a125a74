//! The runs that were sent from here, so that `@last` works. Best effort: nothing depends on it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Env, dirs};
use crate::db::private;
use crate::model::{AgentId, RunId};

/// The file is cut down when it grows beyond this many bytes.
const ROOM: u64 = 64 << 10;
/// How many lines are kept then.
const KEPT: usize = 100;

/// The list of recent runs.
#[derive(Clone, Debug)]
pub struct Recent(Option<PathBuf>);

impl Recent {
    /// The list in the data folder.
    pub fn new(env: &Env) -> Self {
        Self(dirs::data_dir(env).map(|data| data.join("recent")))
    }

    /// Remembers a run that was sent to a server.
    pub fn add(&self, server: &str, agent: &AgentId, run: &RunId) {
        if let Some(file) = &self.0 {
            // A read-only disk only costs the convenience.
            let _ = append(file, &format!("{run}\t{agent}\t{server}\n"));
        }
    }

    /// The last run that was sent to a server.
    pub fn last(&self, server: &str) -> Option<RunId> {
        self.sent_to(server).pop()
    }

    /// The runs that were sent to a server lately, the newest last.
    pub fn sent_to(&self, server: &str) -> Vec<RunId> {
        self.all().into_iter().filter(|(_, of)| of == server).map(|(run, _)| run).collect()
    }

    /// The runs that were sent to any server lately, each with its server, the newest last.
    pub fn all(&self) -> Vec<(RunId, String)> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let read = |line: &str| {
            let mut parts = line.split('\t');
            Some((parts.next()?.parse().ok()?, parts.nth(1)?.to_owned()))
        };
        text.lines().filter_map(read).collect()
    }
}

/// One write to a file opened for appending: lines of several processes do not mix.
fn append(file: &Path, line: &str) -> std::io::Result<()> {
    let open = || private::options().create(true).append(true).open(file);
    let mut opened = match open() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            private::make_folder(file.parent().unwrap_or(Path::new(".")))?;
            open()?
        }
        other => other?,
    };
    opened.write_all(line.as_bytes())?;
    if opened.metadata()?.len() > ROOM { cut_down(file) } else { Ok(()) }
}

fn cut_down(file: &Path) -> std::io::Result<()> {
    let text = fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines[lines.len().saturating_sub(KEPT)..].join("\n") + "\n";
    let fresh = file.with_extension(format!("{}.tmp", std::process::id()));
    append(&fresh, &kept)?;
    fs::rename(&fresh, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(dir: &Path) -> Recent {
        Recent::new(&Env::from([("AGENTCTL_DATA_DIR", dir.join("data").to_str().expect("UTF-8"))]))
    }

    #[test]
    fn the_last_run_of_each_server_is_found_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let (recent, agent) = (recent(dir.path()), AgentId::random());
        assert_eq!(recent.last("local"), None);
        let runs: Vec<RunId> = (0..3).map(|_| RunId::random()).collect();
        recent.add("local", &agent, &runs[0]);
        recent.add("http://a", &agent, &runs[1]);
        assert_eq!(recent.last("local").as_ref(), Some(&runs[0]));
        recent.add("local", &agent, &runs[2]);
        assert_eq!(recent.last("local").as_ref(), Some(&runs[2]));
    }

    #[test]
    fn the_list_does_not_grow_for_ever() {
        let dir = tempfile::tempdir().expect("a folder");
        let (recent, agent) = (recent(dir.path()), AgentId::random());
        let mut last = RunId::random();
        for _ in 0..1500 {
            last = RunId::random();
            recent.add("local", &agent, &last);
        }
        assert_eq!(recent.last("local"), Some(last));
        assert!(fs::metadata(dir.path().join("data/recent")).expect("the file").len() <= ROOM + 200);
    }
}
