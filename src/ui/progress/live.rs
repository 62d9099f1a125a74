//! The display that is redrawn in place: one block of lines at the foot of the terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use jiff::Timestamp;

use super::Clock;
use super::board::Board;
use super::frame::{Size, fitted, frame};
use super::outage::recovered;
use super::pace::Pace;
use super::unpadded::Unpadded;
use crate::follow::event::Event;
use crate::text::style::Style;

/// The columns that stay free after a frame for the terminal's echo of `^Z` and `^C`.
const ECHO: usize = 4;

/// A live display on a terminal.
///
/// A frame is drawn only if its text changed. If it comes too soon, it is drawn with the next event, a tick at the
/// latest. The cursor stays visible.
pub struct Live<T> {
    term: T,
    bar: ProgressBar,
    board: Board,
    style: Style,
    clock: Clock,
    drawn: String,
    pace: Pace,
    paused: bool,
}

impl<T: TermLike + Clone + 'static> Live<T> {
    /// Returns an empty display on `term`. The size of `term` is asked before each frame.
    pub fn new(term: T, style: Style, clock: Clock) -> Self {
        // One bar with the whole frame as its message: a change of several rows is one write, unlike with `MultiProgress`.
        let target = ProgressDrawTarget::term_like(Box::new(Unpadded::new(term.clone())));
        let template = ProgressStyle::with_template("{msg}").expect("a template of one known key");
        let bar = ProgressBar::with_draw_target(None, target).with_style(template);
        let board = Board::new(clock.now());
        let pace = Pace::new(clock.now());
        Self { term, bar, board, style, clock, drawn: String::new(), pace, paused: false }
    }

    /// Applies an event and draws the change.
    pub fn event(&mut self, event: &Event) {
        let now = self.clock.now();
        let over = self.board.outage.is_some();
        self.board.apply(event, now);
        match event {
            Event::Recovered { down_for } if over => self.leave(&recovered(*down_for), now),
            _ => self.draw(),
        }
    }

    /// Clears the display, calls `print`, and draws the display again.
    pub fn suspend<R>(&mut self, print: impl FnOnce() -> R) -> R {
        self.clear();
        let printed = print();
        self.draw();
        printed
    }

    /// Clears the display until [`Live::resume`].
    pub fn pause(&mut self) {
        self.paused = true;
        self.clear();
    }

    /// Draws again.
    pub fn resume(&mut self) {
        self.paused = false;
        self.draw();
    }

    /// Erases the frame, past any limit on frames: text that is printed next must not follow it on its line.
    fn clear(&mut self) {
        if self.show(String::new()) {
            self.bar.force_draw();
        }
    }

    /// Prints a line above the display that stays.
    fn leave(&mut self, text: &str, now: Timestamp) {
        let text = format!("{} {text}", self.clock.stamp(now, self.style.utc));
        let line = fitted(&text, &self.style, usize::from(self.term.width()));
        let term = self.term.clone();
        // If the terminal is gone, the run is followed all the same.
        self.suspend(|| term.write_line(&line).and_then(|()| term.flush()).unwrap_or_default());
    }

    fn draw(&mut self) {
        let now = self.clock.now();
        if self.paused || !self.pace.allows(now) {
            return;
        }
        let width: usize = self.term.width().into();
        // A very narrow terminal has no columns to spare.
        let columns = if width > 4 * ECHO { width - ECHO } else { width };
        let size = Size { rows: self.term.height().into(), columns };
        if self.show(frame(&self.board, &self.style, size, now)) {
            self.pace.spend(now);
        }
    }

    /// Replaces the frame. Returns whether it changed.
    fn show(&mut self, frame: String) -> bool {
        let changed = frame != self.drawn;
        if changed {
            self.bar.set_message(frame.clone());
            self.drawn = frame;
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::progress::samples::{Screen, Time, clock, ended, id, message, poll_error, recovered, status};
    use serde_json::json;

    fn display(screen: &Screen) -> (Live<Screen>, Time) {
        let (clock, time) = clock();
        (Live::new(screen.clone(), Style { moves_cursor: true, ..Style::default() }, clock), time)
    }

    #[test]
    fn a_frame_is_drawn_only_when_something_changed() {
        let screen = Screen::new(24, 80);
        let (mut live, time) = display(&screen);
        live.event(&status(1, "running"));
        let drawn = screen.writes();
        time.pass(400);
        live.event(&status(1, "running"));
        live.event(&Event::Tick);
        assert_eq!(screen.writes(), drawn);
        time.pass(600);
        live.event(&Event::Tick);
        assert!(screen.writes() > drawn);
        assert_eq!(screen.contents(), "→ running run-00000001… 1 s");
    }

    #[test]
    fn a_burst_of_events_draws_few_frames_and_the_next_tick_draws_the_last_state() {
        let screen = Screen::new(24, 80);
        let (mut live, time) = display(&screen);
        for number in 1..=1000 {
            time.pass(1);
            live.event(&Event::Step { id: id(1), step_id: String::new(), number });
        }
        assert!((2..=12).contains(&screen.frames()), "{}", screen.frames());
        time.pass(1000);
        live.event(&Event::Tick);
        assert_eq!(screen.contents(), "→ open run-00000001… 1 s · 1000 steps");
    }

    #[test]
    fn no_line_is_wider_than_a_resized_terminal() {
        let screen = Screen::new(24, 80);
        let (mut live, time) = display(&screen);
        let words = json!({"message_type": "assistant_message", "content": "日本語 ❤\u{fe0f} ".repeat(30)});
        for columns in [80, 40, 13, 80] {
            screen.resize(columns);
            time.pass(1000);
            live.event(&message(1, words.clone()));
            live.event(&status(2, "running"));
            assert!(screen.widest() <= usize::from(columns), "{columns}: {}", screen.widest());
        }
    }

    #[test]
    fn printed_text_appears_above_the_display_and_a_cleared_display_leaves_nothing() {
        let screen = Screen::new(24, 80);
        let (mut live, time) = display(&screen);
        live.event(&status(1, "running"));
        live.event(&status(2, "running"));
        // The display is back at once, although a frame was drawn just before.
        live.suspend(|| screen.write_line("data").expect("memory"));
        assert_eq!(
            screen.contents(),
            "data\n→ running run-00000001… 0 s\n→ running run-00000002… 0 s\n2 runs: 2 open · 0 s"
        );
        live.pause();
        live.event(&ended(1, "completed"));
        assert_eq!(screen.contents(), "data");
        time.pass(1000);
        live.resume();
        assert!(screen.contents().contains("✓ succeeded run-00000001…"));
        live.pause();
        drop(live);
        assert_eq!(screen.contents(), "data");
        assert!(!screen.bytes().contains("\u{1b}[?25"), "the cursor is never hidden");
    }

    #[test]
    fn an_outage_is_shown_while_it_lasts_and_leaves_one_line() {
        let screen = Screen::new(24, 80);
        let (mut live, time) = display(&screen);
        live.event(&status(1, "running"));
        time.pass(1000);
        live.event(&poll_error("connection refused"));
        assert!(screen.contents().ends_with("for 12 s: connection refused; next try in 5 s"), "{}", screen.contents());
        time.pass(1000);
        live.event(&Event::Tick);
        assert!(screen.contents().ends_with("for 13 s: connection refused; next try in 4 s"), "{}", screen.contents());
        time.pass(1000);
        live.event(&recovered(14));
        assert_eq!(screen.contents(), "00:00:03 the server answers again after 14 s\n→ running run-00000001… 3 s");
    }
}
