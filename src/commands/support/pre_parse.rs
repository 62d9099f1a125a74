//! What must be known before the command line is understood: how errors in it are to be printed.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, ValueEnum as _};

use crate::cli::{Cli, ColourMode, Format};
use crate::config::Env;
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::style::Style;
use crate::ui::Io;

/// Sets the streams up from the environment and from the flags that can be recognised.
pub fn apply(io: &mut Io, args: &[OsString], env: &Env) {
    let colour = value_of(args, "--color", None).and_then(|word| ColourMode::from_str(&word, true).ok());
    let format = value_of(args, "--output", Some("-o")).and_then(|word| Format::from_str(&word, true).ok());
    io.style = style(io, colour.unwrap_or_default(), env);
    let is_filtered = value_of(args, "--jq", None).is_some();
    io.json_errors = is_filtered || format.map_or(!io.terminals.stdout, |format| format == Format::Json);
}

/// The value of a flag in arguments that nobody has understood yet.
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

/// The first of the locale variables that is set decides, as in every C program.
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

/// Columns of the terminal behind stdout; elsewhere `COLUMNS`, else unlimited.
fn width(io: &Io, env: &Env) -> Option<usize> {
    let columns = || env.given("COLUMNS")?.parse().ok().filter(|columns| *columns > 0);
    let terminal = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    if io.terminals.stdout { terminal().or_else(columns) } else { columns() }
}

/// The command that prints the help of the command that was meant, as far as it can be recognised.
fn help_command(args: &[OsString]) -> String {
    let mut command = &Cli::command();
    let mut line = "agentctl".to_owned();
    for word in args.iter().skip(1).filter_map(|arg| arg.to_str()).take_while(|word| *word != "--") {
        if let Some(meant) = command.find_subcommand(word) {
            line = format!("{line} {word}");
            command = meant;
        }
    }
    line + " --help"
}

/// Prints what clap has to say: help and version on stdout, errors on stderr. `args` are what it had to understand.
pub fn explain(io: &Io, error: &clap::Error, args: &[OsString]) -> Exit {
    let rendered = error.render();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let text = if io.style.colour_out { rendered.ansi().to_string() } else { rendered.to_string() };
        return io.raw(&text).map_or_else(|failure| failure.exit, |()| Exit::Done);
    }
    let failure = usage(&rendered.to_string(), &help_command(args));
    io.tell(&failure);
    Exit::Usage
}

/// clap's text as an error of this program: the first paragraph is the message, the tips are the hint.
fn usage(text: &str, help: &str) -> Failure {
    let text = text.trim().strip_prefix("error: ").unwrap_or(text.trim());
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let tips: Vec<&str> = rest.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let usage = rest.lines().find_map(|line| line.strip_prefix("Usage: "));
    let how = usage.map(|usage| format!("usage: {usage}"));
    let hint = match tips[..] {
        // How a run is named is more than the usage says.
        _ if names_no_run(message) => NAME_A_RUN.to_owned(),
        [] => how.unwrap_or_else(|| format!("see `{help}`")),
        _ => tips.join("; "),
    };
    Failure::usage(message.lines().map(str::trim).collect::<Vec<_>>().join(" ")).hint(hint)
}

/// What to do about a missing run.
const NAME_A_RUN: &str =
    "give a run's id, @last for the one that was sent last, or - to read ids; `agentctl list` shows the runs";

fn names_no_run(message: &str) -> bool {
    message.contains("were not provided") && message.contains("<RUN>")
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

    #[test]
    fn a_usage_error_is_told_in_the_words_of_this_program() {
        let text = "error: unexpected argument '--nope' found\n\n  tip: a similar argument exists: '--node'\n\nUsage: agentctl x\n\nFor more";
        let failure = usage(text, "agentctl --help");
        assert_eq!(failure.message, "unexpected argument '--nope' found");
        assert_eq!(failure.hint.as_deref(), Some("a similar argument exists: '--node'"));
        let text = "error: the following required arguments were not provided:\n  <RUN>...\n\nUsage: agentctl watch <RUN>...\n\nFor more";
        assert_eq!(usage(text, "agentctl --help").hint.as_deref(), Some(NAME_A_RUN));
    }
}
