//! What every command gets: streams, environment, global flags.

use std::path::Path;

use clap::ValueEnum as _;

use crate::cli::{Format, Global};
use crate::config::Env;
use crate::report::Failure;
use crate::text::show;
use crate::ui::Io;
use crate::ui::io::CLOSED_PIPE;

/// The surroundings of a command.
pub struct Ctx {
    /// The streams.
    pub io: Io,
    /// The environment.
    pub env: Env,
    /// The global flags.
    pub global: Global,
    /// How data is printed.
    pub format: Format,
}

impl Ctx {
    /// Puts the surroundings together.
    pub fn new(global: Global, env: Env, format: Format, mut io: Io) -> Self {
        io.quiet = global.quiet;
        io.chatty = global.verbose > 0;
        io.look.utc = global.utc;
        io.json_errors = format == Format::Json;
        Self { io, env, global, format }
    }

    /// Whether `-o` was given on the command line.
    pub fn format_is_given(&self, format: Format) -> bool {
        self.global.output == Some(format)
    }

    /// Whether the key is read from standard input, which then holds nothing else.
    pub fn key_is_on_stdin(&self) -> bool {
        self.global.api_key_file.as_deref() == Some(Path::new("-"))
    }

    /// Tells about a failure, for people or for scripts. A reader who went away is none.
    pub fn report(&self, failure: &Failure) {
        match failure.code {
            CLOSED_PIPE => {}
            _ if self.io.json_errors => self.io.say_line(&failure.json()),
            _ => self.io.say(&failure.page()),
        }
    }
}

/// How data is printed: the flag; on a terminal the environment; human on a terminal, JSON elsewhere.
pub fn format(global: &Global, env: &Env, io: &Io) -> Result<Format, Failure> {
    match (global.output, env.given("AGENTCTL_OUTPUT")) {
        (Some(format), _) => Ok(format),
        (None, _) if !io.terminals.stdout => Ok(Format::Json),
        (None, None) => Ok(Format::Human),
        (None, Some(word)) => Format::from_str(&word, true).map_err(|_| {
            let failure = Failure::usage(format!("AGENTCTL_OUTPUT is `{}`, which is no format", show::clip(&word, 60)));
            failure.hint("set it to human, json, id or none")
        }),
    }
}
