//! Standard output and standard error, with what is known about the terminal behind them.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::rc::Rc;

use super::shape::Shape;
use super::unfit::Unfit;
use crate::exit::Exit;
use crate::report::{CLOSED_PIPE, Failure};
use crate::text::ascii::ascii;
use crate::text::page::Page;
use crate::text::style::Style;

/// What stands behind the standard streams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminals {
    /// Standard input is a terminal.
    pub stdin: bool,
    /// Standard output is a terminal.
    pub stdout: bool,
    /// Standard error is a terminal.
    pub stderr: bool,
}

/// The two output streams. Each document is one write.
pub struct Io {
    /// What stands behind the streams.
    pub terminals: Terminals,
    /// How human output looks.
    pub style: Style,
    /// Notices are not wanted (`--quiet`).
    pub quiet: bool,
    /// Errors are JSON objects.
    pub json_errors: bool,
    /// What becomes of JSON documents before they are printed (`--jq`, `--pretty`).
    pub shape: Shape,
    /// Log lines go to stderr at any time (`-v`): nothing that is redrawn can stand there.
    pub chatty: bool,
    unfit: Unfit,
    out: RefCell<Box<dyn Write>>,
    err: Rc<RefCell<Box<dyn Write>>>,
}

impl Io {
    /// The streams of this process, unadorned until the flags are known.
    pub fn new(terminals: Terminals, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        let (out, err) = (RefCell::new(out), Rc::new(RefCell::new(err)));
        Self {
            terminals,
            style: Style::default(),
            quiet: false,
            json_errors: false,
            shape: Shape::default(),
            chatty: false,
            unfit: Unfit::default(),
            out,
            err,
        }
    }

    /// The standard streams.
    pub fn standard() -> Self {
        let terminals = Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        };
        Self::new(terminals, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Writes what `--jq` and `--pretty` make of one JSON document to stdout, in one write. Every document that any
    /// command prints takes this way.
    ///
    /// A document that the filter fails on does not end the command. It is told on stderr if none failed like that before.
    pub fn document(&self, json: &str) -> Result<(), Failure> {
        self.document_as(json, self.shape.pretty)
    }

    fn document_as(&self, json: &str, pretty: bool) -> Result<(), Failure> {
        let (text, failure) = self.shape.apply(json, pretty, self.terminals.stdout);
        if let Some(failure) = failure.filter(|failure| self.unfit.is_news(failure)) {
            self.tell(&failure);
        }
        if text.is_empty() { Ok(()) } else { self.raw(&text) }
    }

    /// The same for a document that is meant to be read, and always indented.
    pub fn indented(&self, json: &str) -> Result<(), Failure> {
        self.document_as(json, true)
    }

    /// Whether the filter failed on some document: the command then ends with 13 at best. On how many more it failed than
    /// were told is said now.
    pub fn has_unfit(&self) -> bool {
        if let Some(rest) = self.unfit.rest() {
            self.notice(&rest);
        }
        self.unfit.is_any()
    }

    /// Writes one id and its line feed to stdout, in one write.
    pub fn id(&self, id: &str) -> Result<(), Failure> {
        self.raw(&format!("{id}\n"))
    }

    /// Writes human output to stdout.
    pub fn page(&self, page: &Page) -> Result<(), Failure> {
        self.raw(&fit_locale(self.style, page.text(self.style.colour_out)))
    }

    /// Writes text that carries its own line ends to stdout, in one write.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes what need not be text to stdout, in one write.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.borrow_mut();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| cannot_write(&error))
    }

    /// Says something on stderr that may be muted.
    pub fn notice(&self, page: &Page) {
        if !self.quiet {
            self.say(page);
        }
    }

    /// Says something on stderr, muted or not. A stderr that cannot be written is not worth an error.
    pub fn say(&self, page: &Page) {
        self.say_text(&fit_locale(self.style, page.text(self.style.colour_err)));
    }

    /// Tells about a failure, for people or for scripts. A reader who went away is none.
    pub fn tell(&self, failure: &Failure) {
        debug_assert!(failure.hint.is_some() || failure.code == CLOSED_PIPE, "what next? {failure:?}");
        match failure.code {
            CLOSED_PIPE => {}
            _ if self.json_errors => self.say_line(&failure.json()),
            _ => self.say(&failure.page()),
        }
    }

    /// Writes one JSON document to stderr.
    pub fn say_line(&self, document: &str) {
        self.say_text(&format!("{document}\n"));
    }

    /// Begins a fresh line on stderr after Ctrl-C: the terminal has just written `^C` there.
    pub fn fresh_line(&self) {
        if self.terminals.stderr {
            self.say_text(if self.style.moves_cursor && !self.style.accessible { "\r\u{1b}[K" } else { "\n" });
        }
    }

    /// Rings the bell of the terminal, where there is one.
    pub fn ring(&self) {
        if self.terminals.stderr {
            self.say_text("\u{7}");
        }
    }

    /// What says things on stderr from where these streams cannot be reached.
    pub fn voice(&self) -> impl Fn(&Page) + 'static {
        let err = Rc::clone(&self.err);
        let style = self.style;
        move |page| write_err(&err, &fit_locale(style, page.text(style.colour_err)))
    }

    fn say_text(&self, text: &str) {
        write_err(&self.err, text);
    }
}

/// Replaces the characters that the locale does not have.
fn fit_locale(style: Style, text: String) -> String {
    if style.ascii { ascii(&text) } else { text }
}

fn write_err(err: &RefCell<Box<dyn Write>>, text: &str) {
    let mut err = err.borrow_mut();
    // Nobody is left to be told.
    let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
}

fn cannot_write(error: &io::Error) -> Failure {
    if error.kind() == ErrorKind::BrokenPipe {
        return Failure::new(Exit::Done, CLOSED_PIPE, "the reader of standard output went away");
    }
    Failure::new(Exit::Local, "cannot_write", "cannot write to standard output")
        .cause(error)
        .hint("make room where it goes, or send it elsewhere")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
        assert_eq!(cannot_write(&ErrorKind::BrokenPipe.into()).exit, Exit::Done);
        assert_eq!(cannot_write(&ErrorKind::StorageFull.into()).exit, Exit::Local);
    }
}
