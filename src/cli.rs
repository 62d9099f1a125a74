//! The command line: global flags, the list of commands, and which function carries each out.

// Doc comments are the help text here: brackets around an address would be printed.
#![allow(rustdoc::bare_urls)]

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::commands::{
    agents, api, approve, cancel, completions, config, deny, doctor, help, list, listen, login, logout, man, messages,
    schema, send, serve, status, watch,
};
use crate::config::settings::Flags;
use crate::text::duration;
use crate::ui::progress::Choice;

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
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const LONG_VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("AGENTCTL_COMMIT"), ")");

/// Declares the commands, each with its name and its arguments.
macro_rules! commands {
    ($($name:literal $variant:ident($args:ty),)*) => {
        /// What to do. Each command is described where its arguments are.
        #[derive(Debug, Subcommand)]
        pub enum Command {
            $(#[command(name = $name)] $variant($args),)*
        }

        impl Command {
            /// How the command of this name is read, if there is one.
            fn named(name: &str) -> Option<Single> {
                match name {
                    $($name => Some(Single {
                        arguments: <$args as Args>::augment_args,
                        read: |matches| <$args>::from_arg_matches_mut(matches).map(Self::$variant),
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

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One JSON document per line
    Json,
    /// One id per line
    Id,
    /// Nothing
    None,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColourMode {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        global = true,
        help_heading = "Output",
        value_enum,
        overrides_with = "output"
    )]
    pub output: Option<Format>,
    /// Filter each JSON document with a jq expression; implies -o json
    ///
    /// Strings are printed raw, several results a line each. The filter is built in and checked
    /// before anything is sent. It sees its document and nothing else: there is no env, no input.
    #[arg(long, value_name = "EXPR", global = true, help_heading = "Output", overrides_with = "jq")]
    pub jq: Option<String>,
    /// Indent JSON documents
    #[arg(long, global = true, help_heading = "Output")]
    pub pretty: bool,
    /// How to show progress on standard error
    #[arg(long, value_name = "HOW", global = true, help_heading = "Output", value_enum, default_value_t)]
    pub progress: Choice,
    /// Print neither progress nor notices
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Say where settings came from and what goes over the wire; twice: bodies too
    #[arg(short, long, global = true, help_heading = "Output", action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Output", value_enum, default_value_t)]
    pub color: ColourMode,
    /// Print times in UTC as RFC 3339
    #[arg(long, global = true, help_heading = "Output")]
    pub utc: bool,
    /// Use this machine's local server: one that runs, else the engine inside this program
    #[arg(long, global = true, help_heading = "Connection")]
    pub local: bool,
    /// The server's address [env: LETTA_BASE_URL]
    ///
    /// Without it: https://api.letta.com where there is a key, else http://localhost:8283.
    #[arg(long, value_name = "URL", global = true, help_heading = "Connection")]
    pub base_url: Option<String>,
    /// Use this profile of the configuration file [env: AGENTCTL_PROFILE]
    #[arg(long, value_name = "PROFILE", global = true, help_heading = "Connection")]
    pub profile: Option<String>,
    /// Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Connection")]
    pub api_key_file: Option<PathBuf>,
    /// Send this header with every request; `@FILE` reads such lines [env: LETTA_CUSTOM_HEADERS]
    ///
    /// LETTA_PROJECT_ID and LETTA_PROJECT become X-Project-Id and X-Project.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", global = true, help_heading = "Connection")]
    pub header: Vec<String>,
    /// Trust the certificates in this PEM file too [env: SSL_CERT_FILE]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Connection")]
    pub ca_cert: Option<PathBuf>,
    /// Let the key go over plain http to public addresses
    #[arg(long, global = true, help_heading = "Connection")]
    pub allow_plain_http: bool,
    /// How long one request may take [default: 30s to read, 60s to send]
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Connection", value_parser = duration::parse)]
    pub request_timeout: Option<Duration>,
}

impl Global {
    /// The flags that settings are made from.
    pub fn flags(&self) -> Flags {
        Flags {
            base_url: self.base_url.clone(),
            local: self.local,
            profile: self.profile.clone(),
            headers: self.header.clone(),
            api_key_file: self.api_key_file.clone(),
            ca_cert: self.ca_cert.clone(),
            allow_plain_http: self.allow_plain_http,
            request_timeout: self.request_timeout,
        }
    }
}

impl Cli {
    /// Reads a command line.
    ///
    /// To build the arguments of all commands costs more than everything else that a command does. So the command that
    /// is named first is tried alone. Whatever is not plain then (a mistake, a request for help) is read again with all
    /// commands, which know what to say.
    pub fn read(args: Vec<OsString>) -> Result<Self, clap::Error> {
        if let Some(cli) = Self::read_single(&args) {
            return Ok(cli);
        }
        let matches = kept(Self::command()).try_get_matches_from_mut(args)?;
        Self::from_arg_matches(&matches)
    }

    /// Reads a command line that begins with a command's name and is right.
    fn read_single(args: &[OsString]) -> Option<Self> {
        let [program, name, rest @ ..] = args else { return None };
        let single = Command::named(name.to_str()?)?;
        let line = std::iter::once(program).chain(rest);
        let mut matches = kept(single.command()).try_get_matches_from_mut(line).ok()?;
        let global = Global::from_arg_matches_mut(&mut matches).ok()?;
        Some(Self { global, command: Some((single.read)(&mut matches).ok()?) })
    }
}

/// One command without the others.
struct Single {
    arguments: fn(clap::Command) -> clap::Command,
    read: fn(&mut ArgMatches) -> Result<Command, clap::Error>,
}

impl Single {
    /// The command line that has only this command, and does without its name.
    fn command(&self) -> clap::Command {
        (self.arguments)(Global::augment_args(clap::Command::new("agentctl").disable_help_subcommand(true)))
    }
}

/// Never freed: taking a thousand small pieces apart costs more than parsing, and happens once.
fn kept(command: clap::Command) -> &'static mut clap::Command {
    Box::leak(Box::new(command))
}

/// What a person sees who asks for nothing: the commands that get one going.
pub const WELCOME: &str = "\
Send messages to agents that work in the background, and follow their runs.

  agentctl send --local -m hi --watch        try it: no server, no account
  agentctl send --agent AGENT -m hi --watch  send, and follow the run
  agentctl watch RUN                         follow a run
  agentctl --help                            everything else
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_of_the_command_line_holds() {
        Cli::command().debug_assert();
        for name in Cli::command().get_subcommands().map(clap::Command::get_name) {
            Command::named(name).expect(name).command().debug_assert();
        }
    }

    fn all_commands(line: &[OsString]) -> Result<Cli, clap::Error> {
        Cli::from_arg_matches(&Cli::command().try_get_matches_from(line)?)
    }

    #[test]
    fn one_command_alone_is_read_as_among_all() {
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
            let alone = Cli::read_single(&line).unwrap_or_else(|| panic!("{line:?} is not read alone"));
            assert_eq!(format!("{alone:?}"), format!("{among_all:?}"), "{line:?}");
        }
    }

    #[test]
    fn what_is_not_plain_is_left_to_all_commands() {
        for line in
            ["send --help", "send --nope", "list --version", "agents", "send watch", "-q send", "nope", "help -h"]
        {
            let line: Vec<OsString> = ["agentctl"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            assert!(Cli::read_single(&line).is_none(), "{line:?}");
        }
    }
}
