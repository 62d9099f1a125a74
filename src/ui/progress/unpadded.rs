//! A terminal adapter that drops the padding of lines.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use indicatif::TermLike;

/// Drops the spaces with which indicatif fills each line up to the width of the terminal; it has no option for that.
///
/// The terminal echoes `^C` and `^Z` after the frame. After a full line the echo wraps, and the frame is then cleared in
/// the wrong row.
#[derive(Debug)]
pub(super) struct Unpadded<T> {
    term: T,
    /// Padding was dropped: the next text begins a new line.
    filled: AtomicBool,
}

impl<T> Unpadded<T> {
    /// Wraps a terminal.
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
