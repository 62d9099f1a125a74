//! A terminal whose lines end where their text ends.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use indicatif::TermLike;

/// Takes the padding out of what indicatif draws, which fills each line to the full width and lets it wrap.
///
/// The terminal echoes `^C` and `^Z` behind the frame. Behind a line that is full, the echo wraps and pushes the frame
/// away from where it is cleared.
#[derive(Debug)]
pub(super) struct Unpadded<T> {
    term: T,
    /// A line was filled up: the next text begins a new one.
    filled: AtomicBool,
}

impl<T> Unpadded<T> {
    /// The terminal behind.
    pub(super) fn new(term: T) -> Self {
        Self { term, filled: AtomicBool::new(false) }
    }
}

impl<T: TermLike> TermLike for Unpadded<T> {
    fn width(&self) -> u16 {
        self.term.width()
    }

    fn height(&self) -> u16 {
        self.term.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.filled.store(false, Relaxed);
        self.term.move_cursor_up(n)
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_down(n)
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_right(n)
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.term.move_cursor_left(n)
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.term.write_line(s)
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        if !s.is_empty() && s.bytes().all(|b| b == b' ') {
            self.filled.store(true, Relaxed);
            return Ok(());
        }
        if !s.is_empty() && self.filled.swap(false, Relaxed) {
            self.term.write_line("")?;
        }
        self.term.write_str(s)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.filled.store(false, Relaxed);
        self.term.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.filled.store(false, Relaxed);
        self.term.flush()
    }
}
