//! Text from the network, made fit for a terminal.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text that cannot act on a terminal: everything that a human view prints is one of these.
///
/// Control, escape, bidirectional and zero-width characters are written as `\u{1b}`; line feed and
/// tab stay.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shown(String);

/// How many combining characters in a row are shown; more would paint over the lines above.
const COMBINING_MAX: usize = 8;

impl Shown {
    /// The text, safe to print.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Width in terminal columns of the text, which should be one line.
    pub fn width(&self) -> usize {
        self.0.width()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Makes untrusted text fit for a terminal. Line feeds and tabs stay.
pub fn show(untrusted: &str) -> Shown {
    let mut shown = String::with_capacity(untrusted.len());
    let mut combining = 0;
    for c in untrusted.chars() {
        combining = if c.width() == Some(0) { combining + 1 } else { 0 };
        if is_hidden(c) || combining > COMBINING_MAX {
            shown.push_str(&c.escape_unicode().to_string());
        } else {
            shown.push(c);
        }
    }
    Shown(shown)
}

/// The same on one line: line feeds and tabs become spaces, runs of them one.
pub fn show_line(untrusted: &str) -> Shown {
    let words: Vec<&str> = untrusted.split(['\n', '\t', ' ']).filter(|word| !word.is_empty()).collect();
    show(&words.join(" "))
}

/// One safe line of at most `columns` columns; what is cut ends in `…`.
pub fn clip(untrusted: &str, columns: usize) -> String {
    fit(show_line(untrusted).as_str(), columns)
}

/// Cuts safe text to a number of columns; what is cut ends in `…`.
pub fn fit(shown: &str, columns: usize) -> String {
    fit_with(shown, columns, "…")
}

/// Cuts safe text to a number of columns; what is cut ends in `mark`, or in as much of it as there is room for.
pub fn fit_with(shown: &str, columns: usize, mark: &str) -> String {
    if shown.chars().map(columns_of).sum::<usize>() <= columns {
        return shown.to_owned();
    }
    let mark = head(mark, columns);
    format!("{}{mark}", head(shown, columns - mark.width()))
}

/// As much of the beginning as `columns` columns hold.
pub fn head(shown: &str, columns: usize) -> &str {
    let mut room = columns;
    let end = shown.char_indices().find(|(_, c)| match room.checked_sub(columns_of(*c)) {
        Some(left) => {
            room = left;
            false
        }
        None => true,
    });
    &shown[..end.map_or(shown.len(), |(at, _)| at)]
}

/// The most columns that a terminal gives a character. Terminals disagree about emoji sequences: some add up the parts,
/// some widen what stands before a variation selector. Only a count that is never too low keeps a line from wrapping.
fn columns_of(c: char) -> usize {
    if c == '\u{fe0f}' { 1 } else { c.width().unwrap_or(1) }
}

/// Whether a character must not reach a terminal as it is: C0 but line feed and tab, DEL, C1, line separators, and what
/// is invisible: bidirectional controls, zero-width, filling and tag characters. Selectors of an emoji's look may stay.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        c if c.is_control() => true,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => true,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' => true,
        '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_shown_instead_of_carried_out() {
        assert_eq!(show("\u{1b}[31mred\r\u{202e}x\u{9b}").as_str(), "\\u{1b}[31mred\\u{d}\\u{202e}x\\u{9b}");
        assert_eq!(show("a\n\tb").as_str(), "a\n\tb");
        assert_eq!(show_line(" a\n\n b\tc ").as_str(), "a b c");
    }

    #[test]
    fn a_pile_of_combining_characters_is_cut_down() {
        let pile = format!("a{}", "\u{301}".repeat(50));
        let marks = show(&pile).as_str().matches('\u{301}').count();
        assert_eq!(marks, COMBINING_MAX);
    }

    #[test]
    fn wide_characters_count_twice_when_cutting() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit_with("abcdef", 5, "..."), "ab...");
        assert_eq!(fit_with("abcdef", 2, "..."), "..");
    }

    #[test]
    fn an_emoji_that_a_selector_widens_is_counted_at_its_widest() {
        assert_eq!(fit("\u{2764}\u{fe0f}\u{2764}\u{fe0f}", 3), "\u{2764}\u{fe0f}…");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left_and_showing_twice_changes_nothing(text: String, columns in 0usize..40) {
            let shown = show(&text);
            prop_assert!(!shown.as_str().chars().any(is_hidden));
            prop_assert_eq!(&show(shown.as_str()), &shown);
            prop_assert!(clip(&text, columns).width() <= columns);
        }
    }
}
