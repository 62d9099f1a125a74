//! Renders a frame of the live display: the board as lines that fit the terminal. Pure.

use jiff::Timestamp;

use super::board::{Board, Row, RunState};
use crate::core::Outcome;
use crate::text::ascii::ascii;
use crate::text::count::plural;
use crate::text::duration::format_whole_seconds;
use crate::text::page::{Page, Tone};
use crate::text::show::{fit_with, show};
use crate::text::style::Style;

/// The rows and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// The fewest columns at which an id is shown whole.
const WIDE: usize = 100;

/// The length of a shortened id: `run-` and eight digits, enough to distinguish runs.
const SHORT_ID: usize = 12;

/// Returns the frame's text without a final line feed; empty if there are no runs and no outage.
///
/// It has one line for each run, and a total if there are several; with too few rows, only the total.
pub(super) fn frame(board: &Board, style: &Style, size: Size, now: Timestamp) -> String {
    let several = board.rows.len() > 1;
    let others = usize::from(several) + usize::from(board.outage.is_some());
    // One row is left for output of the shell or the user.
    let compact = several && board.rows.len() + others >= size.rows;
    let rows = board.rows.iter().filter(|_| !compact).map(|row| line(row, style, size.columns, now));
    let total = several.then(|| Page::new().show(&fitted(&board.total(now), style, size.columns)));
    let outage = board.outage.as_ref().map(|outage| {
        let text = fitted(&outage.text(now, size.columns), style, size.columns);
        Page::new().paint(Tone::Caution, show(&text))
    });
    let lines: Vec<String> = rows.chain(total).chain(outage).map(|line| line.text(style.colour_err)).collect();
    lines.join("\n")
}

/// Renders the line of a run: `✓ succeeded run-7977cf8e… 4 s · 3 steps · get_weather · No rain today.`
fn line(row: &Row, style: &Style, columns: usize, now: Timestamp) -> Page {
    let (glyph, tone) = sign(row.state);
    let head = fitted(&format!("{glyph} {}", row.word()), style, columns);
    let steps = (row.steps > 0).then(|| plural(row.steps as u64, "step"));
    let parts = [Some(format_whole_seconds(row.elapsed(now))), steps, row.tool.clone(), row.said.clone()];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let line = format!("{head} {} {}", short(row.id.as_str(), columns), parts.join(" · "));
    let line = fitted(&line, style, columns);
    match line.strip_prefix(&head) {
        Some(rest) => Page::new().paint(tone, show(&head)).show(rest),
        None => Page::new().show(&line),
    }
}

fn sign(state: RunState) -> (&'static str, Tone) {
    match state {
        RunState::Open => ("→", Tone::Plain),
        RunState::Ended(Outcome::Succeeded) => ("✓", Tone::Good),
        RunState::Ended(Outcome::Truncated | Outcome::NeedsApproval) => ("!", Tone::Caution),
        RunState::Ended(Outcome::Cancelled) => ("–", Tone::Caution),
        RunState::Ended(_) | RunState::Lost => ("✗", Tone::Bad),
    }
}

fn short(id: &str, columns: usize) -> String {
    match id.get(..SHORT_ID) {
        Some(head) if columns < WIDE && id.len() > SHORT_ID => format!("{head}…"),
        _ => id.to_owned(),
    }
}

/// Returns the text in characters of the locale, cut to the width.
///
/// Variation selectors and skin tones are removed: terminals disagree on how they change the width of the preceding
/// character, and a line that is wider than computed would wrap and break the redraw.
pub(super) fn fitted(text: &str, style: &Style, columns: usize) -> String {
    let steady: String =
        text.chars().filter(|c| !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')).collect();
    if style.ascii { fit_with(&ascii(&steady), columns, "...") } else { fit_with(&steady, columns, "…") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::event::Event;
    use crate::ui::progress::samples::{ended, message, poll_error, status};
    use proptest::prelude::*;
    use serde_json::json;
    use unicode_width::UnicodeWidthStr;

    fn text(events: &[Event], style: Style, rows: usize, columns: usize) -> String {
        let mut board = Board::new(Timestamp::UNIX_EPOCH);
        events.iter().for_each(|event| board.apply(event, Timestamp::UNIX_EPOCH));
        frame(&board, &style, Size { rows, columns }, Timestamp::from_second(7).expect("in range"))
    }

    fn call(number: u32) -> Event {
        let call = json!({"name": "get_weather", "tool_call_id": "call_1"});
        message(number, json!({"message_type": "tool_call_message", "tool_call": call}))
    }

    fn words(number: u32, text: &str) -> Event {
        message(number, json!({"message_type": "assistant_message", "content": text}))
    }

    #[test]
    fn every_run_has_a_line_and_several_have_a_total() {
        let events =
            [status(1, "running"), call(1), words(1, "No rain.\nNone."), ended(2, "failed"), ended(3, "completed")];
        insta::assert_snapshot!(text(&events, Style::default(), 24, 80), @"
        → running run-00000001… 7 s · get_weather · No rain. None.
        ✗ failed run-00000002… 4 s
        ✓ succeeded run-00000003… 4 s
        3 runs: 1 open, 1 succeeded, 1 failed · 7 s
        ");
        insta::assert_snapshot!(text(&events, Style { ascii: true, ..Style::default() }, 24, 40), @"
        -> running run-00000001... 7 s - get_...
        x failed run-00000002... 4 s
        + succeeded run-00000003... 4 s
        3 runs: 1 open, 1 succeeded, 1 failed...
        ");
        insta::assert_snapshot!(text(&events[..1], Style::default(), 24, 120), @"→ running run-00000001-ca1d-48fb-a2e2-b5c282725f77 7 s");
        assert_eq!(text(&[], Style::default(), 24, 80), "");
    }

    #[test]
    fn with_more_runs_than_rows_only_the_total_is_shown() {
        let events: Vec<Event> = (1..=12).map(|n| ended(n, if n > 9 { "failed" } else { "completed" })).collect();
        insta::assert_snapshot!(text(&events, Style::default(), 13, 80), @"12 runs: 9 succeeded, 3 failed · 7 s");
        assert_eq!(text(&events, Style::default(), 14, 80).lines().count(), 13);
    }

    #[test]
    fn an_outage_is_shown_with_the_next_retry_even_on_a_narrow_terminal() {
        let events = [status(1, "running"), poll_error("connection refused")];
        insta::assert_snapshot!(text(&events, Style::default(), 24, 80), @"
        → running run-00000001… 7 s
        no answer from the server for 19 s: connection refused; trying again
        ");
        insta::assert_snapshot!(text(&events, Style::default(), 24, 60), @"
        → running run-00000001… 7 s
        no answer from the server for 19 s: connectio…; trying again
        ");
    }

    #[test]
    fn colour_is_used_only_if_enabled() {
        let style = Style { colour_err: true, ..Style::default() };
        assert!(text(&[ended(1, "completed")], style, 24, 80).starts_with("\u{1b}[32m✓ succeeded\u{1b}[0m run-"));
        assert!(!text(&[ended(1, "completed")], Style::default(), 24, 80).contains('\u{1b}'));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(said: String, word: String, rows in 1usize..9, columns in 1usize..110, ascii: bool) {
            let events = [status(1, &word), words(1, &said), status(2, "running"), poll_error(&said)];
            for line in text(&events, Style { ascii, ..Style::default() }, rows, columns).split('\n') {
                prop_assert!(line.width() <= columns, "{line:?}");
                prop_assert!(line.chars().map(|c| unicode_width::UnicodeWidthChar::width(c).unwrap_or(1)).sum::<usize>() <= columns);
                prop_assert!(!line.chars().any(crate::text::show::is_hidden));
            }
        }
    }
}
