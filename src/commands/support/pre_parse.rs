//! Reads the output flags before the command line is parsed, so that parse errors obey them.

use std::ffi::OsString;

use clap::ValueEnum as _;

use crate::config::Env;
use crate::global::{ColourMode, Format};
use crate::text::style::Style;
use crate::ui::Io;

/// Sets up the streams from the environment and from the output flags.
pub fn apply(io: &mut Io, args: &[OsString], env: &Env) {
    let colour = value_of(args, "--color", None).and_then(|word| ColourMode::from_str(&word, true).ok());
    let format = value_of(args, "--output", Some("-o")).and_then(|word| Format::from_str(&word, true).ok());
    io.style = style(io, colour.unwrap_or_default(), env);
    let is_filtered = value_of(args, "--jq", None).is_some();
    io.json_errors = is_filtered || format.map_or(!io.terminals.stdout, |format| format == Format::Json);
}

/// Finds the last value of a flag in arguments that are not parsed yet.
fn value_of(args: &[OsString], long: &str, short: Option<&str>) -> Option<String> {
    let words: Vec<&str> = args.iter().filter_map(|arg| arg.to_str()).take_while(|word| *word != "--").collect();
    words.iter().enumerate().rev().find_map(|(at, word)| {
        if *word == long || Some(*word) == short {
            return words.get(at + 1).map(|value| (*value).to_owned());
        }
        let attached = word.strip_prefix(long).and_then(|rest| rest.strip_prefix('='));
        let attached = attached.or_else(|| word.strip_prefix(short?).filter(|_| !word.starts_with("--")));
        attached.map(|value| value.trim_start_matches('=').to_owned())
    })
}

/// The style of human output, from the terminal and the environment.
fn style(io: &Io, colour: ColourMode, env: &Env) -> Style {
    let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
    let forced = env.is_on("CLICOLOR_FORCE");
    let wanted = |terminal: bool| match colour {
        ColourMode::Always => true,
        ColourMode::Never => false,
        ColourMode::Auto if env.given("NO_COLOR").is_some() => false,
        ColourMode::Auto => forced || (terminal && !dumb),
    };
    Style {
        colour_out: wanted(io.terminals.stdout),
        colour_err: wanted(io.terminals.stderr),
        ascii: !is_utf8(env),
        accessible: env.is_on("ACCESSIBLE"),
        moves_cursor: !dumb,
        utc: false,
        width: width(io, env),
    }
}

/// Whether the locale uses UTF-8. The first locale variable that is set decides, as for setlocale(3).
fn is_utf8(env: &Env) -> bool {
    if cfg!(windows) {
        return true;
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| env.given(name));
    locale.is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        name.contains("utf-8") || name.contains("utf8")
    })
}

/// Returns the width of the terminal, else `COLUMNS`, else nothing for no limit.
fn width(io: &Io, env: &Env) -> Option<usize> {
    let columns = || env.given("COLUMNS")?.parse().ok().filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    if io.terminals.stdout { terminal().or_else(columns) } else { columns() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<String> {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        value_of(&args, "--output", Some("-o"))
    }

    #[test]
    fn the_output_flag_is_found_in_every_spelling() {
        for line in ["x -o json", "x --output json", "x --output=json", "x -ojson", "x -o=json", "x -o id -o json"] {
            assert_eq!(value(line).as_deref(), Some("json"), "{line}");
        }
        for line in ["x", "x -o", "x -- -o json"] {
            assert_eq!(value(line), None, "{line}");
        }
    }
}
