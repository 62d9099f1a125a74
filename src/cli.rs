//! The command line: the list of commands, how arguments are parsed, and the function that runs each command.

// Doc comments are the help text here: brackets around an address would be printed.
#![allow(rustdoc::bare_urls)]

use std::ffi::OsString;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::support::runtime::on_runtime;
use crate::commands::{
    Ctx, End, agents, api, approve, cancel, completions, config, deny, doctor, help, list, listen, login, logout, man,
    messages, schema, send, serve, status, watch,
};
use crate::exit::Exit;
use crate::global::Global;
use crate::report::Failure;

/// Send messages to agents that work in the background, and follow their runs.
///
/// A message is accepted at once and becomes a run; the agent works on it in the background until
/// the run is completed, failed or cancelled. Servers: anything that speaks the API of Letta,
/// self-hosted or in the cloud, and, with --local, an engine inside this program that needs no
/// account.
///
/// Standard output carries data and nothing else: for people on a terminal, as one JSON document
/// per line in a pipe. Everything else goes to standard error.
#[derive(Debug, Parser)]
#[command(name = "agentctl", version = LONG_VERSION)]
#[command(max_term_width = 80, disable_help_subcommand = true)]
#[command(after_long_help = "\
Topics:
  agentctl help exit-codes   what each exit code means
  agentctl help environment  every variable that is read
  agentctl help output       streams and formats")]
pub struct Cli {
    /// The flags that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command, if one was given.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("AGENTCTL_COMMIT"), ")");

/// Declares the commands, each with its name and its arguments.
macro_rules! commands {
    ($($name:literal $variant:ident($args:ty),)*) => {
        /// A command with its arguments. The documentation of the arguments' type is its help.
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $(#[command(name = $name)] $variant($args),)*
        }

        impl Command {
            /// Returns the parser of the command with this name, if there is one.
            fn parser(name: &str) -> Option<CommandParser> {
                match name {
                    $($name => Some(CommandParser {
                        add_args: <$args as Args>::augment_args,
                        parse: |matches| <$args>::from_arg_matches_mut(matches).map(Self::$variant),
                    }),)*
                    _ => None,
                }
            }
        }
    };
}

commands! {
    "send" Send(Box<send::Args>),
    "status" Status(status::Args),
    "watch" Watch(watch::Args),
    "list" List(list::Args),
    "messages" Messages(messages::Args),
    "cancel" Cancel(cancel::Args),
    "approve" Approve(approve::Args),
    "deny" Deny(deny::Args),
    "listen" Listen(listen::Args),
    "agents" Agents(agents::Args),
    "login" Login(login::Args),
    "logout" Logout(logout::Args),
    "api" Api(api::Args),
    "config" Config(config::Args),
    "serve" Serve(serve::Args),
    "doctor" Doctor(doctor::Args),
    "schema" Schema(schema::Args),
    "completions" Completions(completions::Args),
    "man" Man(man::Args),
    "help" Help(help::Args),
}

impl Cli {
    /// Parses a command line.
    ///
    /// Building the arguments of all commands costs more than everything else that a short command does. So the
    /// command that is named first is parsed alone. If that fails (a mistake, or a request for help), the line is parsed
    /// again with all commands, whose errors and help are complete.
    pub fn parse_args(args: Vec<OsString>) -> Result<Self, clap::Error> {
        let ends_in_separator = args.last().is_some_and(|word| word == "--");
        let mut cli = Self::parse_words(args)?;
        if let Some(Command::Serve(serve)) = &mut cli.command {
            serve.ends_in_separator = ends_in_separator;
        }
        Ok(cli)
    }

    fn parse_words(args: Vec<OsString>) -> Result<Self, clap::Error> {
        if let Some(cli) = Self::parse_single(&args) {
            return Ok(cli);
        }
        let matches = leak(Self::command()).try_get_matches_from_mut(args)?;
        Self::from_arg_matches(&matches)
    }

    /// Parses a command line whose first word is a command's name. Returns nothing if it is not valid.
    fn parse_single(args: &[OsString]) -> Option<Self> {
        let [program, name, rest @ ..] = args else { return None };
        let parser = Command::parser(name.to_str()?)?;
        let line = std::iter::once(program).chain(rest);
        let mut matches = leak(parser.command()).try_get_matches_from_mut(line).ok()?;
        let global = Global::from_arg_matches_mut(&mut matches).ok()?;
        Some(Self { global, command: Some((parser.parse)(&mut matches).ok()?) })
    }
}

/// Parses the arguments of one command.
struct CommandParser {
    add_args: fn(clap::Command) -> clap::Command,
    parse: fn(&mut ArgMatches) -> Result<Command, clap::Error>,
}

impl CommandParser {
    /// A command line that has only this command, whose name is left out.
    fn command(&self) -> clap::Command {
        (self.add_args)(Global::augment_args(clap::Command::new("agentctl").disable_help_subcommand(true)))
    }
}

/// Leaks the definition of the command line: freeing its thousand small allocations costs more than parsing.
fn leak(command: clap::Command) -> &'static mut clap::Command {
    Box::leak(Box::new(command))
}

impl Cli {
    /// Runs the command. Commands that need no server start no runtime.
    pub fn run(ctx: &Ctx, command: Option<Command>) -> anyhow::Result<End> {
        let Some(command) = command else { return welcome(ctx) };
        match command {
            Command::Completions(args) => completions::run(ctx, &args),
            Command::Login(args) => on_runtime(login::run(ctx, args)),
            Command::Logout(args) => logout::run(ctx, &args),
            Command::Config(args) => config::run(ctx, &args),
            Command::Man(args) => man::run(ctx, &args, &mut Self::command()),
            Command::Help(args) => help::run(ctx, args, &mut Self::command()),
            Command::Schema(args) => schema::run(ctx, &args),
            Command::Send(args) => send::run(ctx, *args),
            Command::Approve(args) => approve::run(ctx, &args),
            Command::Deny(args) => deny::run(ctx, &args),
            Command::Status(args) => on_runtime(status::run(ctx, args)),
            Command::Listen(args) => on_runtime(listen::run(ctx, args)),
            Command::List(args) => on_runtime(list::run(ctx, args)),
            Command::Watch(args) => on_runtime(watch::run(ctx, args)),
            Command::Cancel(args) => on_runtime(cancel::run(ctx, args)),
            Command::Messages(args) => on_runtime(messages::run(ctx, args)),
            Command::Agents(args) => on_runtime(agents::run(ctx, args)),
            Command::Api(args) => api::run(ctx, args),
            Command::Doctor(doctor::Args {}) => on_runtime(doctor::run(ctx)),
            Command::Serve(args) => serve::run(ctx, args),
        }
    }
}

/// Printed on a terminal when no command is given: the commands to start with.
const WELCOME: &str = "\
Send messages to agents that work in the background, and follow their runs.

  agentctl send --local -m hi --watch        try it: no server, no account
  agentctl send --agent AGENT -m hi --watch  send, and follow the run
  agentctl watch RUN                         follow a run
  agentctl --help                            everything else
";

fn welcome(ctx: &Ctx) -> anyhow::Result<End> {
    if ctx.io.terminals.stdout {
        ctx.io.raw(WELCOME)?;
        return Ok(Exit::Done.into());
    }
    Err(Failure::usage("no command was given").hint("see `agentctl --help`").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_is_valid() {
        Cli::command().debug_assert();
        for name in Cli::command().get_subcommands().map(clap::Command::get_name) {
            Command::parser(name).expect(name).command().debug_assert();
        }
    }

    fn all_commands(line: &[OsString]) -> Result<Cli, clap::Error> {
        Cli::from_arg_matches(&Cli::command().try_get_matches_from(line)?)
    }

    #[test]
    fn a_command_parsed_alone_has_the_same_arguments_as_among_all() {
        let run = "run-22222222-2222-4222-8222-222222222222";
        for line in [
            "send --agent coder -m a -F b -m - --watch --timeout 5s -o json --jq .id -vv --set-json a=1",
            "send -m --watch --local --progress plain --enable-thinking --return-types a,b -H A:b -H C:d",
            "watch RUN - --any -q --interval 2 --color never -o id -o json",
            "watch --agent coder --strict",
            "watch --any -- RUN",
            "status RUN RUN --exit-status --utc --profile p",
            "list --active --since 2h --all --stats --base-url http://h --request-timeout 3",
            "messages RUN --reply",
            "cancel --agent coder --active -y",
            "approve RUN --tool-call a --tool-call b",
            "deny RUN --reason - --pretty",
            "listen --count 2 --exec true --allow-plain-http",
            "agents -v list -v -o json",
            "agents create --name n --model m -o id",
            "config set agent x --quiet",
            "config -o json list --ca-cert f",
            "login --api-key-file -",
            "logout",
            "api post agents/ -f a=b -f c:=1 -i",
            "serve --in-memory -- sh -c 'a' -o x",
            "doctor -o json",
            "schema run",
            "completions zsh",
            "man agents list",
            "help agents list",
        ] {
            let line = format!("agentctl {}", line.replace("RUN", run));
            let line: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let among_all = all_commands(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            let alone = Cli::parse_single(&line).unwrap_or_else(|| panic!("{line:?} is not parsed alone"));
            assert_eq!(format!("{alone:?}"), format!("{among_all:?}"), "{line:?}");
        }
    }

    #[test]
    fn help_and_mistakes_are_parsed_with_all_commands() {
        for line in
            ["send --help", "send --nope", "list --version", "agents", "send watch", "-q send", "nope", "help -h"]
        {
            let line: Vec<OsString> = ["agentctl"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            assert!(Cli::parse_single(&line).is_none(), "{line:?}");
        }
    }
}
