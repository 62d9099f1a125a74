//! Standard output and standard error, and whether they are terminals.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::rc::Rc;

use super::filter_failures::FilterFailures;
use super::json_format::Shape;
use crate::exit::Exit;
use crate::report::{CLOSED_PIPE, Failure};
use crate::text::ascii::ascii;
use crate::text::page::Page;
use crate::text::style::Style;

/// Which standard streams are terminals.
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
    /// Which streams are terminals.
    pub terminals: Terminals,
    /// The style of human output.
    pub style: Style,
    /// Suppress notices (`--quiet`).
    pub quiet: bool,
    /// Print errors as JSON objects.
    pub json_errors: bool,
    /// The filter and the format of JSON documents (`--jq`, `--pretty`).
    pub shape: Shape,
    /// Log lines go to stderr at any time (`-v`), so that no display can be redrawn there.
    pub logs_to_stderr: bool,
    filter_failures: FilterFailures,
    out: RefCell<Box<dyn Write>>,
    err: Rc<RefCell<Box<dyn Write>>>,
}

impl Io {
    /// Wraps two streams, with a plain style until the flags are known.
    pub fn new(terminals: Terminals, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        let out = RefCell::new(out);
        let err = Rc::new(RefCell::new(err));
        Self {
            terminals,
            style: Style::default(),
            quiet: false,
            json_errors: false,
            shape: Shape::default(),
            logs_to_stderr: false,
            filter_failures: FilterFailures::default(),
            out,
            err,
        }
    }

    /// Returns the standard streams.
    pub fn standard() -> Self {
        let terminals = Terminals {
            stdin: io::stdin().is_terminal(),
            stdout: io::stdout().is_terminal(),
            stderr: io::stderr().is_terminal(),
        };
        Self::new(terminals, Box::new(io::stdout()), Box::new(io::stderr()))
    }

    /// Writes one JSON document to stdout, filtered by `--jq` and formatted by `--pretty`, in one write. Every command
    /// prints its documents with this.
    ///
    /// A failure of the filter does not end the command. The first failure of each kind is shown on stderr.
    pub fn document(&self, json: &str) -> Result<(), Failure> {
        self.document_as(json, self.shape.pretty)
    }

    fn document_as(&self, json: &str, pretty: bool) -> Result<(), Failure> {
        let (text, failure) = self.shape.apply(json, pretty, self.terminals.stdout);
        if let Some(failure) = failure.filter(|failure| self.filter_failures.is_first_of_kind(failure)) {
            self.tell(&failure);
        }
        if text.is_empty() { Ok(()) } else { self.raw(&text) }
    }

    /// Writes one JSON document as [`Io::document`] does, but always indented.
    pub fn indented(&self, json: &str) -> Result<(), Failure> {
        self.document_as(json, true)
    }

    /// Returns whether the filter failed on a document: the command then exits with 13 at best. Shows the count of
    /// failures that were not shown yet.
    pub fn filter_failed(&self) -> bool {
        if let Some(rest) = self.filter_failures.rest() {
            self.notice(&rest);
        }
        self.filter_failures.is_any()
    }

    /// Writes one id and its line feed to stdout, in one write.
    pub fn id(&self, id: &str) -> Result<(), Failure> {
        self.raw(&format!("{id}\n"))
    }

    /// Writes human output to stdout.
    pub fn page(&self, page: &Page) -> Result<(), Failure> {
        self.raw(&fit_locale(self.style, page.text(self.style.colour_out)))
    }

    /// Writes text with its own line ends to stdout, in one write.
    pub fn raw(&self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes bytes to stdout, in one write.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = self.out.borrow_mut();
        out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| cannot_write(&error))
    }

    /// Writes a page to stderr, unless `--quiet`.
    pub fn notice(&self, page: &Page) {
        if !self.quiet {
            self.say(page);
        }
    }

    /// Writes a page to stderr, even with `--quiet`. Errors of stderr are ignored.
    pub fn say(&self, page: &Page) {
        self.say_text(&fit_locale(self.style, page.text(self.style.colour_err)));
    }

    /// Writes a failure to stderr, for people or as JSON. A closed pipe is not reported.
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

    /// Begins a new line on stderr after Ctrl-C, since the terminal has just echoed `^C`.
    pub fn fresh_line(&self) {
        if self.terminals.stderr {
            self.say_text(if self.style.moves_cursor && !self.style.accessible { "\r\u{1b}[K" } else { "\n" });
        }
    }

    /// Rings the terminal's bell if stderr is a terminal.
    pub fn ring(&self) {
        if self.terminals.stderr {
            self.say_text("\u{7}");
        }
    }

    /// Returns a function that writes pages to stderr, for code that has no `Io`.
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
    // A failure of stderr cannot be reported anywhere.
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
    fn a_closed_pipe_is_not_an_error_but_a_full_disk_is() {
        assert_eq!(cannot_write(&ErrorKind::BrokenPipe.into()).exit, Exit::Done);
        assert_eq!(cannot_write(&ErrorKind::StorageFull.into()).exit, Exit::Local);
    }
}
