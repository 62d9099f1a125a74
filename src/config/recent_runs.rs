//! The runs that were sent from this machine, for `@last` and shell completion. Best effort: no error is reported.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Env, atomic_write, dirs};
use crate::db::private;
use crate::model::{AgentId, RunId};

/// The size in bytes above which the file is shortened.
const MAX_BYTES: u64 = 64 << 10;
/// The number of lines that remain in a shortened file.
const KEPT_LINES: usize = 100;

/// The file of recent runs, one per line: run, agent and server, separated by tabs.
#[derive(Clone, Debug)]
pub struct RecentRuns(Option<PathBuf>);

impl RecentRuns {
    /// Returns the file in the data folder.
    pub fn new(env: &Env) -> Self {
        Self(dirs::data_dir(env).map(|data| data.join("recent")))
    }

    /// Adds a run. Ignores errors, such as a read-only disk.
    pub fn add(&self, server: &str, agent: &AgentId, run: &RunId) {
        if let Some(file) = &self.0 {
            let _ = append(file, &format!("{run}\t{agent}\t{server}\n"));
        }
    }

    /// Returns the last run that was sent to a server.
    pub fn last(&self, server: &str) -> Option<RunId> {
        self.sent_to(server).pop()
    }

    /// Returns the runs that were sent to a server, the newest last.
    pub fn sent_to(&self, server: &str) -> Vec<RunId> {
        self.all().into_iter().filter(|(_, of)| of == server).map(|(run, _)| run).collect()
    }

    /// Returns all runs, each with its server, the newest last.
    pub fn all(&self) -> Vec<(RunId, String)> {
        let text = self.0.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let parse = |line: &str| {
            let mut parts = line.split('\t');
            Some((parts.next()?.parse().ok()?, parts.nth(1)?.to_owned()))
        };
        text.lines().filter_map(parse).collect()
    }
}

/// Appends a line with one write, so that lines of concurrent processes do not mix.
fn append(file: &Path, line: &str) -> io::Result<()> {
    let open = || private::options().create(true).append(true).open(file);
    let mut opened = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            private::make_folder(file.parent().unwrap_or(Path::new(".")))?;
            open()?
        }
        other => other?,
    };
    opened.write_all(line.as_bytes())?;
    if opened.metadata()?.len() > MAX_BYTES { shorten(file) } else { Ok(()) }
}

fn shorten(file: &Path) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    let lines: Vec<&str> = text.lines().collect();
    let kept = lines[lines.len().saturating_sub(KEPT_LINES)..].join("\n") + "\n";
    atomic_write::write(file, &kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent_runs(dir: &Path) -> RecentRuns {
        RecentRuns::new(&Env::from([("AGENTCTL_DATA_DIR", dir.join("data").to_str().expect("UTF-8"))]))
    }

    #[test]
    fn the_last_run_is_found_by_server() {
        let dir = tempfile::tempdir().expect("a folder");
        let recent = recent_runs(dir.path());
        let agent = AgentId::random();
        assert_eq!(recent.last("local"), None);
        let runs: Vec<RunId> = (0..3).map(|_| RunId::random()).collect();
        recent.add("local", &agent, &runs[0]);
        recent.add("http://a", &agent, &runs[1]);
        assert_eq!(recent.last("local").as_ref(), Some(&runs[0]));
        recent.add("local", &agent, &runs[2]);
        assert_eq!(recent.last("local").as_ref(), Some(&runs[2]));
    }

    #[test]
    fn the_file_stays_below_its_limit() {
        let dir = tempfile::tempdir().expect("a folder");
        let recent = recent_runs(dir.path());
        let agent = AgentId::random();
        let mut last = RunId::random();
        for _ in 0..1500 {
            last = RunId::random();
            recent.add("local", &agent, &last);
        }
        assert_eq!(recent.last("local"), Some(last));
        assert!(fs::metadata(dir.path().join("data/recent")).expect("the file").len() <= MAX_BYTES + 200);
    }
}
