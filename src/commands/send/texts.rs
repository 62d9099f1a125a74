//! The flags `-m` and `-F`, in the order in which they were given.

use std::path::PathBuf;

use clap::{ArgMatches, Command, FromArgMatches};

/// The source of a message's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// The command line.
    Given(String),
    /// A file; `-` is standard input.
    File(PathBuf),
}

/// Texts and files in the order in which they were given, which a derived parser does not keep.
#[derive(Clone, Debug, Default)]
pub struct Texts(pub Vec<Text>);

#[derive(clap::Args)]
struct TextFlags {
    /// A message's text; may be given more than once
    #[arg(short, long = "message", value_name = "TEXT", allow_hyphen_values = true, help_heading = "Message")]
    message: Vec<String>,
    /// Read a message's text from a file, or from standard input with -
    #[arg(short = 'F', long = "message-file", value_name = "FILE", help_heading = "Message")]
    message_file: Vec<PathBuf>,
}

impl clap::Args for Texts {
    fn augment_args(command: Command) -> Command {
        TextFlags::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        TextFlags::augment_args_for_update(command)
    }
}

impl FromArgMatches for Texts {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
        let places = |id: &str| matches.indices_of(id).into_iter().flatten().collect::<Vec<_>>();
        let texts = places("message");
        let files = places("message_file");
        let flags = TextFlags::from_arg_matches_mut(matches)?;
        let texts = texts.into_iter().zip(flags.message.into_iter().map(Text::Given));
        let files = files.into_iter().zip(flags.message_file.into_iter().map(Text::File));
        let mut all: Vec<(usize, Text)> = texts.chain(files).collect();
        all.sort_by_key(|(place, _)| *place);
        Ok(Self(all.into_iter().map(|(_, text)| text).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Args as _;

    #[test]
    fn texts_and_files_keep_their_order() {
        let command = Texts::augment_args(Command::new("x"));
        let matches = command.get_matches_from(["x", "-m", "1", "-F", "2", "-m", "3"]);
        let texts = Texts::from_arg_matches(&matches).expect("texts").0;
        assert_eq!(texts, [Text::Given("1".into()), Text::File("2".into()), Text::Given("3".into())]);
    }
}
