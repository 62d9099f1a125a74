//! Answers a shell that asks for completions: candidates come from files on this machine.
//!
//! No server is asked, and nothing goes to stderr: a broken file only means fewer candidates.

use std::ffi::OsString;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};

use crate::commands::help::TOPICS;
use crate::config::Env;
use crate::config::config_file::ConfigFile;
use crate::config::known_agents::KnownAgents;
use crate::config::recent_runs::RecentRuns;
use crate::config::setting_name::SettingName;
use crate::model::{StopReason, message};
use crate::ui::Io;

/// The variable that a completion script sets when it asks; its value names the shell.
const VARIABLE: &str = "AGENTCTL_COMPLETE";
/// How many recent runs are offered.
const MOST_RUNS: usize = 20;

/// Returns the completion script of a shell, or nothing for an unknown shell.
pub fn script(shell: &str) -> Option<String> {
    let mut script = Vec::new();
    completer(shell)?.write_registration(VARIABLE, "agentctl", "agentctl", "agentctl", &mut script).ok()?;
    let script = String::from_utf8(script).ok()?.trim().to_owned() + "\n";
    Some(if shell == "zsh" { script + ZSH_FIRST } else { script })
}

/// zsh loads a script from its folders at the first Tab, and expects an answer to that Tab, too.
const ZSH_FIRST: &str = "if [[ $funcstack[1] == _agentctl ]]; then\n    _clap_dynamic_completer_agentctl \"$@\"\nfi\n";

/// Answers a shell that asks for completions. Returns whether one asked.
pub fn answer(root: impl FnOnce() -> Command, args: &[OsString], env: &Env, io: &Io) -> bool {
    let Some(shell) = env.given(VARIABLE) else { return false };
    let words = args.iter().position(|arg| arg == "--").map(|at| args[at + 1..].to_vec());
    let Some(completer) = completer(&shell) else { return false };
    let Some(words) = words else { return false };
    let root = root();
    let candidates = Candidates { env: env.clone(), topics: topics(&root) };
    let mut command = candidates.add_to(root);
    let mut answer = Vec::new();
    let folder = std::env::current_dir().ok();
    if completer.write_complete(&mut command, words, folder.as_deref(), &mut answer).is_ok() {
        // A shell that has gone away needs no answer.
        let _ = io.bytes(&answer);
    }
    true
}

fn completer(shell: &str) -> Option<&'static dyn EnvCompleter> {
    const SHELLS: Shells<'static> = Shells::builtins();
    SHELLS.0.iter().copied().find(|completer| completer.is(shell))
}

/// Everything that `help` explains: the commands and the topics.
fn topics(root: &Command) -> Vec<String> {
    let commands = root.get_subcommands().map(|subcommand| subcommand.get_name().to_owned());
    commands.chain(TOPICS.iter().map(|(name, _)| (*name).to_owned())).collect()
}

/// Finds the candidates for the values of arguments.
#[derive(Clone)]
struct Candidates {
    env: Env,
    topics: Vec<String>,
}

impl Candidates {
    /// Adds candidates to the arguments of a command and of its subcommands.
    fn add_to(&self, command: Command) -> Command {
        let command = command.mut_args(|arg| match self.of(&arg) {
            Some(candidates) => arg.add(candidates),
            None => arg,
        });
        command.mut_subcommands(|subcommand| self.add_to(subcommand))
    }

    /// Returns the candidates for an argument, by the name of its value.
    fn of(&self, arg: &Arg) -> Option<ArgValueCandidates> {
        let find: fn(&Self) -> Vec<CompletionCandidate> = match arg.get_value_names()?.first()?.as_str() {
            "RUN" => Self::runs,
            "AGENT" => Self::agents,
            "PROFILE" => Self::profiles,
            "STATUS" => |_| candidates(["created", "running", "completed", "failed", "cancelled"]),
            "REASON" => |_| candidates(StopReason::KNOWN.iter().map(|reason| reason.as_str())),
            "TYPE" if arg.get_id() != "agent_type" => |_| candidates(message::KINDS),
            "HANDLE" => |_| candidates(["agentctl/echo", "agentctl/script"]),
            "TOPIC" => |this| candidates(&this.topics),
            "KEY" => |_| candidates(SettingName::ALL.iter().map(|key| key.name())),
            _ => return None,
        };
        let this = self.clone();
        Some(ArgValueCandidates::new(move || find(&this)))
    }

    /// `@last`, then the runs that were sent from here, newest first.
    fn runs(&self) -> Vec<CompletionCandidate> {
        let last = CompletionCandidate::new("@last").help(Some("the last run that was sent from here".into()));
        let sent = RecentRuns::new(&self.env).all().into_iter().rev().take(MOST_RUNS);
        let runs = sent.map(|(run, server)| CompletionCandidate::new(run.as_str()).help(Some(server.into())));
        std::iter::once(last).chain(runs).collect()
    }

    /// The agents that servers listed: names that a shell needs no quotes for, then ids.
    fn agents(&self) -> Vec<CompletionCandidate> {
        let agents = KnownAgents::new(&self.env).all();
        let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
        let named = agents.iter().filter(|agent| !agent.name.is_empty() && is_plain(&agent.name));
        let names = named.map(|agent| CompletionCandidate::new(&agent.name).help(Some(agent.server.clone().into())));
        let ids = agents
            .iter()
            .map(|agent| CompletionCandidate::new(agent.id.as_str()).help(Some(agent.name.clone().into())));
        names.chain(ids).collect()
    }

    fn profiles(&self) -> Vec<CompletionCandidate> {
        candidates(ConfigFile::load(&self.env).map(|file| file.names()).unwrap_or_default())
    }
}

fn candidates(words: impl IntoIterator<Item = impl Into<OsString>>) -> Vec<CompletionCandidate> {
    words.into_iter().map(CompletionCandidate::new).collect()
}
