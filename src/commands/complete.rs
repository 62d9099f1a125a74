//! What a shell is answered when somebody presses Tab: words that fit, from files on this machine.
//!
//! The network is never asked, and nothing is said on stderr: a broken file means fewer words.

use std::ffi::OsString;

use clap::{Arg, Command, CommandFactory as _};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};

use super::help::TOPICS;
use crate::cli::Cli;
use crate::config::Env;
use crate::config::config_file::ConfigFile;
use crate::config::known_agents::KnownAgents;
use crate::config::recent_runs::RecentRuns;
use crate::config::setting_name::SettingName;
use crate::model::{StopReason, message};
use crate::ui::Io;

/// The variable by which a shell's script asks; its value names the shell.
const VARIABLE: &str = "AGENTCTL_COMPLETE";
/// How many runs are offered.
const RUNS: usize = 20;

/// The script by which a shell asks; none for a shell that is not known.
pub fn script(shell: &str) -> Option<String> {
    let mut script = Vec::new();
    completer(shell)?.write_registration(VARIABLE, "agentctl", "agentctl", "agentctl", &mut script).ok()?;
    let script = String::from_utf8(script).ok()?.trim().to_owned() + "\n";
    Some(if shell == "zsh" { script + ZSH_FIRST } else { script })
}

/// zsh loads a script of its folders when Tab is pressed for the first time, and wants an answer even then.
const ZSH_FIRST: &str = "if [[ $funcstack[1] == _agentctl ]]; then\n    _clap_dynamic_completer_agentctl \"$@\"\nfi\n";

/// Answers a shell. Returns whether one asked.
pub fn answer(args: &[OsString], env: &Env, io: &Io) -> bool {
    let Some(shell) = env.given(VARIABLE) else { return false };
    let words = args.iter().position(|arg| arg == "--").map(|at| args[at + 1..].to_vec());
    let (Some(completer), Some(words)) = (completer(&shell), words) else { return false };
    let (mut answer, folder) = (Vec::new(), std::env::current_dir().ok());
    if completer.write_complete(&mut command(env), words, folder.as_deref(), &mut answer).is_ok() {
        // A shell that went away misses nothing.
        let _ = io.bytes(&answer);
    }
    true
}

fn completer(shell: &str) -> Option<&'static dyn EnvCompleter> {
    const SHELLS: Shells<'static> = Shells::builtins();
    SHELLS.0.iter().copied().find(|completer| completer.is(shell))
}

/// The command line, with what fits where.
fn command(env: &Env) -> Command {
    with_words(Cli::command(), env)
}

fn with_words(command: Command, env: &Env) -> Command {
    let command = command.mut_args(|arg| match words(&arg, env) {
        Some(words) => arg.add(words),
        None => arg,
    });
    command.mut_subcommands(|sub| with_words(sub, env))
}

/// What fits an argument, by the name of its value.
fn words(arg: &Arg, env: &Env) -> Option<ArgValueCandidates> {
    let find: fn(&Env) -> Vec<CompletionCandidate> = match arg.get_value_names()?.first()?.as_str() {
        "RUN" => runs,
        "AGENT" => agents,
        "PROFILE" => profiles,
        "STATUS" => |_| plain(&["created", "running", "completed", "failed", "cancelled"]),
        "REASON" => |_| StopReason::KNOWN.iter().map(|reason| CompletionCandidate::new(reason.as_str())).collect(),
        "TYPE" if arg.get_id() != "agent_type" => |_| plain(&message::KINDS),
        "HANDLE" => |_| plain(&["agentctl/echo", "agentctl/script"]),
        "TOPIC" => |_| topics(),
        "KEY" => |_| SettingName::ALL.iter().map(|key| CompletionCandidate::new(key.name())).collect(),
        _ => return None,
    };
    let env = env.clone();
    Some(ArgValueCandidates::new(move || find(&env)))
}

fn plain(words: &[&'static str]) -> Vec<CompletionCandidate> {
    words.iter().map(|word| CompletionCandidate::new(*word)).collect()
}

fn topics() -> Vec<CompletionCandidate> {
    let command = Cli::command();
    let commands = command.get_subcommands().map(|sub| CompletionCandidate::new(sub.get_name()));
    commands.chain(TOPICS.iter().map(|(name, _)| CompletionCandidate::new(*name))).collect()
}

/// The runs that were sent from here, the newest first.
fn runs(env: &Env) -> Vec<CompletionCandidate> {
    let last = CompletionCandidate::new("@last").help(Some("the last run that was sent from here".into()));
    let sent = RecentRuns::new(env).all().into_iter().rev().take(RUNS);
    let runs = sent.map(|(run, server)| CompletionCandidate::new(run.as_str()).help(Some(server.into())));
    std::iter::once(last).chain(runs).collect()
}

/// The agents that servers showed: their ids, and names that a shell takes as they are.
fn agents(env: &Env) -> Vec<CompletionCandidate> {
    let seen = KnownAgents::new(env).all();
    let tame = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let named = seen.iter().filter(|agent| !agent.name.is_empty() && tame(&agent.name));
    let names = named.map(|agent| CompletionCandidate::new(&agent.name).help(Some(agent.server.clone().into())));
    let ids =
        seen.iter().map(|agent| CompletionCandidate::new(agent.id.as_str()).help(Some(agent.name.clone().into())));
    names.chain(ids).collect()
}

fn profiles(env: &Env) -> Vec<CompletionCandidate> {
    let names = ConfigFile::load(env).map(|file| file.names()).unwrap_or_default();
    names.into_iter().map(CompletionCandidate::new).collect()
}
