//! Sanitizing of untrusted text for a terminal.

use std::fmt;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Sanitized text, which cannot control a terminal. Human output consists of it only.
///
/// Control, escape, bidirectional and zero-width characters are escaped, such as `\u{1b}`; line feeds and tabs stay.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Shown(String);

/// The longest sequence of combining characters that is printed; a longer one would cover the lines above.
const MAX_COMBINING: usize = 8;

impl Shown {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the width in terminal columns of text on one line.
    pub fn width(&self) -> usize {
        self.0.width()
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Sanitizes untrusted text. Line feeds and tabs stay.
pub fn show(untrusted: &str) -> Shown {
    let mut shown = String::with_capacity(untrusted.len());
    let mut combining = 0;
    for c in untrusted.chars() {
        combining = if c.width() == Some(0) { combining + 1 } else { 0 };
        if is_hidden(c) || combining > MAX_COMBINING {
            shown.push_str(&c.escape_unicode().to_string());
        } else {
            shown.push(c);
        }
    }
    Shown(shown)
}

/// Sanitizes untrusted text as one line: each sequence of line feeds, tabs and spaces becomes one space.
pub fn show_line(untrusted: &str) -> Shown {
    let words: Vec<&str> = untrusted.split(['\n', '\t', ' ']).filter(|word| !word.is_empty()).collect();
    show(&words.join(" "))
}

/// Sanitizes untrusted text as one line of at most `columns` columns; a shortened line ends in `…`.
pub fn clip(untrusted: &str, columns: usize) -> String {
    fit(show_line(untrusted).as_str(), columns)
}

/// Shortens sanitized text to a number of columns; shortened text ends in `…`.
pub fn fit(shown: &str, columns: usize) -> String {
    fit_with(shown, columns, "…")
}

/// Shortens sanitized text to a number of columns; shortened text ends in `mark`, which is shortened too if necessary.
pub fn fit_with(shown: &str, columns: usize, mark: &str) -> String {
    if shown.chars().map(columns_of).sum::<usize>() <= columns {
        return shown.to_owned();
    }
    let mark = head(mark, columns);
    format!("{}{mark}", head(shown, columns - mark.width()))
}

/// Returns the longest prefix that fits `columns` columns.
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

/// Returns the largest width of a character over all terminals. Terminals disagree about emoji sequences: some add the
/// widths of the parts, others widen the character before a variation selector. An underestimate would wrap the line.
fn columns_of(c: char) -> usize {
    if c == '\u{fe0f}' { 1 } else { c.width().unwrap_or(1) }
}

/// Returns whether a character must be escaped: C0 except line feed and tab, DEL, C1, line separators, and invisible
/// characters (bidirectional controls, zero-width, filler and tag characters). Variation selectors of emoji are allowed.
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
    fn control_characters_are_escaped() {
        assert_eq!(show("\u{1b}[31mred\r\u{202e}x\u{9b}").as_str(), "\\u{1b}[31mred\\u{d}\\u{202e}x\\u{9b}");
        assert_eq!(show("a\n\tb").as_str(), "a\n\tb");
        assert_eq!(show_line(" a\n\n b\tc ").as_str(), "a b c");
    }

    #[test]
    fn a_long_sequence_of_combining_characters_is_escaped() {
        let text = format!("a{}", "\u{301}".repeat(50));
        let marks = show(&text).as_str().matches('\u{301}').count();
        assert_eq!(marks, MAX_COMBINING);
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("日本語", 6), "日本語");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit_with("abcdef", 5, "..."), "ab...");
        assert_eq!(fit_with("abcdef", 2, "..."), "..");
    }

    #[test]
    fn an_emoji_with_a_variation_selector_takes_its_largest_width() {
        assert_eq!(fit("\u{2764}\u{fe0f}\u{2764}\u{fe0f}", 3), "\u{2764}\u{fe0f}…");
    }

    proptest! {
        #[test]
        fn sanitized_text_has_no_hidden_characters_and_is_stable(text: String, columns in 0usize..40) {
            let shown = show(&text);
            prop_assert!(!shown.as_str().chars().any(is_hidden));
            prop_assert_eq!(&show(shown.as_str()), &shown);
            prop_assert!(clip(&text, columns).width() <= columns);
        }
    }
}
