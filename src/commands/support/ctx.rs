//! The context of a command: streams, environment, global flags.

use std::path::Path;

use clap::ValueEnum as _;

use crate::config::Env;
use crate::config::config_file::ConfigFile;
use crate::config::setting_name::SettingName;
use crate::global::{Format, Global};
use crate::jq::Filter;
use crate::report::Failure;
use crate::text::show;
use crate::ui::Io;
use crate::ui::json_format::Shape;

/// The context that every command gets.
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
    /// Builds the context from the global flags. On failure it returns the streams, to print the failure on.
    pub fn new(global: Global, env: Env, mut io: Io) -> Result<Self, Box<(Io, Failure)>> {
        let settled = env.check().and_then(|()| Ok((format(&global, &env, &io)?, shape(&global)?)));
        let (format, shape) = match settled {
            Ok(settled) => settled,
            Err(failure) => return Err(Box::new((io, failure))),
        };
        io.shape = shape;
        io.quiet = global.quiet;
        io.logs_to_stderr = global.verbose > 0;
        io.style.utc = global.utc;
        io.json_errors = format == Format::Json;
        Ok(Self { io, env, global, format })
    }

    /// Whether `-o` was given on the command line.
    pub fn format_is_given(&self, format: Format) -> bool {
        self.global.output == Some(format)
    }

    /// Whether the key is read from standard input, so that nothing else can be.
    pub fn key_is_on_stdin(&self) -> bool {
        self.global.api_key_file.as_deref() == Some(Path::new("-"))
    }

    /// Prints a failure on stderr, for people or as JSON.
    pub fn report(&self, failure: &Failure) {
        self.io.tell(failure);
    }
}

/// Returns how JSON documents are printed. A filter is compiled here, so a bad one fails before anything is sent.
fn shape(global: &Global) -> Result<Shape, Failure> {
    Ok(Shape { pretty: global.pretty, filter: global.jq.as_deref().map(Filter::compile).transpose()? })
}

/// Returns the output format. `--jq` implies JSON, then `-o` decides. Without either, a pipe gets JSON, and a terminal the
/// format of AGENTCTL_OUTPUT, of the profile, or human.
fn format(global: &Global, env: &Env, io: &Io) -> Result<Format, Failure> {
    match (global.output, env.given("AGENTCTL_OUTPUT")) {
        (None | Some(Format::Json), _) if global.jq.is_some() => Ok(Format::Json),
        (Some(_), _) if global.jq.is_some() => {
            Err(Failure::usage("--jq filters JSON, and -o asks for something else").hint("leave one of them out"))
        }
        (Some(format), _) => Ok(format),
        (None, _) if !io.terminals.stdout => Ok(Format::Json),
        (None, None) => Ok(of_profile(global, env).unwrap_or(Format::Human)),
        (None, Some(word)) => Format::from_str(&word, true).map_err(|_| {
            let failure =
                Failure::usage(format!("AGENTCTL_OUTPUT is `{}`, which is not a format", show::clip(&word, 60)));
            failure.hint("set it to human, json, id or none")
        }),
    }
}

/// Returns the format that the profile sets. Errors in the file are ignored: the commands that need it report them.
fn of_profile(global: &Global, env: &Env) -> Option<Format> {
    if global.local {
        return None;
    }
    let profile = ConfigFile::load(env).ok()?.active(global.profile.as_deref(), env).ok()??;
    Format::from_str(&profile.get(SettingName::Output)?.value, true).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting_name::OUTPUTS;

    #[test]
    fn the_output_setting_and_the_output_flag_take_the_same_values() {
        let formats = Format::value_variants().iter().filter_map(|format| format.to_possible_value());
        assert_eq!(formats.map(|value| value.get_name().to_owned()).collect::<Vec<_>>(), OUTPUTS);
    }
}
