//! Turns a parse error of clap into a failure of this program, and prints help and version.

use std::error::Error as _;
use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Exit;
use crate::report::Failure;
use crate::text::show::show_line;
use crate::ui::Io;

/// The hint for a missing RUN: the usage line does not say how a run is named.
const NAME_A_RUN: &str =
    "give a run's id, @last for the last run sent from here, or - to read ids; `agentctl list` shows the runs";

/// Prints the result of a parse that ran no command: help and version on stdout, errors on stderr.
///
/// `root` builds the whole command line, which help and version do not need again. `args` are the arguments that were
/// parsed.
pub fn print(io: &Io, error: &clap::Error, root: impl FnOnce() -> Command, args: &[OsString]) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let rendered = error.render();
        let text = if io.style.colour_out { rendered.ansi().to_string() } else { rendered.to_string() };
        return io.raw(&text).map_or_else(|failure| failure.exit, |()| Exit::Done);
    }
    io.tell(&failure(error, &root(), args));
    Exit::Usage
}

fn failure(error: &clap::Error, root: &Command, args: &[OsString]) -> Failure {
    let (command, name) = named_command(root, args);
    if matches!(error.kind(), ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand) {
        let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        return Failure::usage(format!("`{name}` needs a subcommand: {}", names.join(", ")))
            .hint(format!("see `{name} --help`"));
    }
    Failure::usage(message(error)).hint(hint(error).unwrap_or_else(|| format!("see `{name} --help`")))
}

/// Finds the innermost command that the arguments name, and how a person writes it.
fn named_command<'a>(root: &'a Command, args: &[OsString]) -> (&'a Command, String) {
    let mut command = root;
    let mut name = "agentctl".to_owned();
    for word in args.iter().skip(1).filter_map(|arg| arg.to_str()).take_while(|word| *word != "--") {
        if let Some(subcommand) = command.find_subcommand(word) {
            name = format!("{name} {word}");
            command = subcommand;
        }
    }
    (command, name)
}

fn message(error: &clap::Error) -> String {
    let argument = quoted(error, ContextKind::InvalidArg);
    let value = quoted(error, ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::ArgumentConflict => {
            let other = quoted(error, ContextKind::PriorArg);
            if other == argument {
                format!("the argument {argument} cannot be used multiple times")
            } else {
                format!("the argument {argument} cannot be used with {other}")
            }
        }
        ErrorKind::InvalidSubcommand => {
            format!("unrecognized subcommand {}", quoted(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::InvalidValue => {
            let message = if value == "''" {
                format!("a value is required for {argument} but none was supplied")
            } else {
                format!("invalid value {value} for {argument}")
            };
            message + &possible_values(error)
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = values(error, ContextKind::InvalidArg).join(" ");
            format!("the following required arguments were not provided: {missing}")
        }
        ErrorKind::NoEquals => format!("equal sign is needed when assigning values to {argument}"),
        ErrorKind::TooManyValues => format!("unexpected value {value} for {argument} found; no more were expected"),
        ErrorKind::UnknownArgument => format!("unexpected argument {argument} found"),
        ErrorKind::ValueValidation => {
            let reason = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            format!("invalid value {value} for {argument}{reason}")
        }
        kind => kind.to_string(),
    }
}

fn possible_values(error: &clap::Error) -> String {
    match &values(error, ContextKind::ValidValue)[..] {
        [] => String::new(),
        values => format!(" [possible values: {}]", values.join(", ")),
    }
}

fn hint(error: &clap::Error) -> Option<String> {
    let lacks_run = error.kind() == ErrorKind::MissingRequiredArgument
        && values(error, ContextKind::InvalidArg).iter().any(|argument| argument.starts_with("<RUN>"));
    if lacks_run {
        return Some(NAME_A_RUN.to_owned());
    }
    let similar = [
        ("subcommand", ContextKind::SuggestedSubcommand),
        ("argument", ContextKind::SuggestedArg),
        ("value", ContextKind::SuggestedValue),
    ];
    let similar = similar.into_iter().filter_map(|(noun, kind)| {
        let names = quoted(error, kind);
        match values(error, kind).len() {
            0 => None,
            1 => Some(format!("a similar {noun} exists: {names}")),
            _ => Some(format!("some similar {noun}s exist: {names}")),
        }
    });
    let tips: Vec<String> = similar.chain(values(error, ContextKind::Suggested)).collect();
    if !tips.is_empty() {
        return Some(tips.join("; "));
    }
    let usage = values(error, ContextKind::Usage).pop()?;
    Some(format!("usage: {}", usage.strip_prefix("Usage: ").unwrap_or(&usage)))
}

/// The values that clap attached to an error under a kind, each as one line.
fn values(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let values = match error.get(kind) {
        Some(ContextValue::String(value)) => vec![value.clone()],
        Some(ContextValue::Strings(values)) => values.clone(),
        Some(ContextValue::StyledStr(value)) => vec![value.to_string()],
        Some(ContextValue::StyledStrs(values)) => values.iter().map(ToString::to_string).collect(),
        _ => vec![],
    };
    values.iter().map(|value| show_line(value).as_str().to_owned()).collect()
}

fn quoted(error: &clap::Error, kind: ContextKind) -> String {
    let values: Vec<String> = values(error, kind).iter().map(|value| format!("'{value}'")).collect();
    values.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    fn root() -> Command {
        let run = Arg::new("run").value_name("RUN").required(true).num_args(1..);
        let watch = Command::new("watch").arg(run).arg(Arg::new("node").long("node").action(ArgAction::SetTrue));
        let agents = Command::new("agents").subcommand(Command::new("list")).subcommand(Command::new("show"));
        let quiet = Arg::new("quiet").short('q').action(ArgAction::SetTrue);
        let agents = agents.subcommand_required(true).arg_required_else_help(true).arg(quiet);
        Command::new("agentctl").subcommand(watch).subcommand(agents)
    }

    fn parse(line: &str) -> Failure {
        let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = root().try_get_matches_from(&args).expect_err(line);
        failure(&error, &root(), &args)
    }

    #[test]
    fn a_misspelt_argument_is_reported_with_the_similar_one() {
        let failure = parse("agentctl watch --nope a");
        assert_eq!(failure.message, "unexpected argument '--nope' found");
        assert_eq!(failure.hint.as_deref(), Some("a similar argument exists: '--node'"));
    }

    #[test]
    fn a_missing_run_is_reported_with_the_ways_to_name_one() {
        assert_eq!(parse("agentctl watch").hint.as_deref(), Some(NAME_A_RUN));
    }

    #[test]
    fn a_missing_subcommand_is_reported_with_the_list_of_them() {
        for line in ["agentctl agents", "agentctl agents -q"] {
            let failure = parse(line);
            assert_eq!(failure.message, "`agentctl agents` needs a subcommand: list, show");
            assert_eq!(failure.hint.as_deref(), Some("see `agentctl agents --help`"));
        }
    }

    #[test]
    fn an_argument_with_line_breaks_is_reported_on_one_line() {
        let args = ["agentctl", "watch", "--n\no\u{1b}[31m"].map(OsString::from);
        let error = root().try_get_matches_from(&args).expect_err("no such argument");
        assert_eq!(failure(&error, &root(), &args).message, "unexpected argument '--n o\\u{1b}[31m' found");
    }
}
