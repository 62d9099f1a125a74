//! Progress on stderr while runs are followed: a display that is redrawn, lines that are added, or nothing.
//!
//! A display consumes the events of following. It has no thread and no timer: [`Event::Tick`] tells it the time.

mod board;
mod clock;
mod frame;
mod live;
mod outage;
mod pace;
mod plain;
mod unpadded;

use console::Term;

use super::Io;
use crate::follow::event::Event;

pub use clock::Clock;
pub use live::Live;
pub use plain::Plain;

/// The value of `--progress`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Choice {
    /// A display on a terminal that can redraw it, else lines.
    #[default]
    Auto,
    /// A line per change.
    Plain,
    /// Nothing.
    None,
}

/// A display of the runs that are followed.
pub enum Progress<'a> {
    /// Redrawn in place.
    Live(Box<Live<Term>>),
    /// Lines, added one by one.
    Plain(Box<Plain>, &'a Io),
    /// Nothing.
    Off,
}

impl<'a> Progress<'a> {
    /// Returns the display for the choice and the terminal.
    pub fn new(choice: Choice, io: &'a Io, clock: Clock) -> Self {
        let redraws = io.terminals.stderr && io.style.moves_cursor && !io.style.accessible && !io.logs_to_stderr;
        match choice {
            _ if io.quiet => Self::Off,
            Choice::None => Self::Off,
            Choice::Auto if redraws => Self::Live(Box::new(Live::new(Term::buffered_stderr(), io.style, clock))),
            Choice::Auto | Choice::Plain => Self::Plain(Box::new(Plain::new(io.style.utc, clock)), io),
        }
    }

    /// Returns whether anything is shown, so that ticks are needed.
    pub fn is_on(&self) -> bool {
        !matches!(self, Self::Off)
    }

    /// Returns whether it is redrawn, and so shows tool calls and replies.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Live(_))
    }

    /// Applies an event and shows the change.
    pub fn event(&mut self, event: &Event) {
        match self {
            Self::Live(live) => live.event(event),
            Self::Plain(plain, io) => {
                let page = plain.event(event);
                if !page.is_empty() {
                    io.notice(&page);
                }
            }
            Self::Off => {}
        }
    }

    /// Calls `print` while the display is cleared.
    pub fn suspend<R>(&mut self, print: impl FnOnce() -> R) -> R {
        match self {
            Self::Live(live) => live.suspend(print),
            _ => print(),
        }
    }

    /// Clears the display before the program is stopped (Ctrl-Z).
    pub fn pause(&mut self) {
        if let Self::Live(live) = self {
            live.pause();
        }
    }

    /// Shows the display again after the program went on.
    pub fn resume(&mut self) {
        if let Self::Live(live) = self {
            live.resume();
        }
    }

    /// Clears the display for good.
    pub fn finish(&mut self) {
        self.pause();
        *self = Self::Off;
    }
}

#[cfg(test)]
mod samples;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::style::Style;
    use crate::ui::io::Terminals;

    fn kind(choice: Choice, change: impl FnOnce(&mut Io)) -> &'static str {
        let terminals = Terminals { stderr: true, ..Terminals::default() };
        let mut io = Io::new(terminals, Box::new(std::io::sink()), Box::new(std::io::sink()));
        io.style = Style { moves_cursor: true, ..Style::default() };
        change(&mut io);
        match Progress::new(choice, &io, samples::clock().0) {
            Progress::Live(_) => "live",
            Progress::Plain(..) => "plain",
            Progress::Off => "off",
        }
    }

    #[test]
    fn only_a_terminal_that_can_redraw_gets_a_display() {
        assert_eq!(kind(Choice::Auto, |_| {}), "live");
        assert_eq!(kind(Choice::Auto, |io| io.terminals.stderr = false), "plain");
        assert_eq!(kind(Choice::Auto, |io| io.style.moves_cursor = false), "plain");
        assert_eq!(kind(Choice::Auto, |io| io.style.accessible = true), "plain");
        assert_eq!(kind(Choice::Auto, |io| io.logs_to_stderr = true), "plain");
        assert_eq!(kind(Choice::Plain, |_| {}), "plain");
        assert_eq!(kind(Choice::None, |_| {}), "off");
        assert_eq!(kind(Choice::Plain, |io| io.quiet = true), "off");
    }
}
