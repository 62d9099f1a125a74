//! Line breaking of sanitized text, before a terminal breaks lines inside words.

use unicode_width::UnicodeWidthStr;

use super::show::head;

/// Joins parts with `separator` into as few lines of `columns` columns as possible. Parts are never broken: a part that is
/// too wide gets a line of its own.
pub fn fill(parts: &[String], separator: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.width() + separator.width() + part.width() <= columns => {
                line.push_str(separator);
                line.push_str(part);
            }
            _ => lines.push(part.clone()),
        }
    }
    lines
}

/// Breaks one line of sanitized text at spaces, and inside words that are wider than `columns`.
pub fn wrap(shown: &str, columns: usize) -> Vec<String> {
    let words: Vec<String> = shown.split(' ').flat_map(|word| pieces(word, columns)).collect();
    fill(&words, " ", columns)
}

fn pieces(mut word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![];
    while word.width() > columns {
        let piece = head(word, columns);
        // No character fits: returns a line that is too wide instead of looping forever.
        if piece.is_empty() {
            break;
        }
        pieces.push(piece.to_owned());
        word = &word[piece.len()..];
    }
    pieces.push(word.to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::show::show_line;
    use proptest::prelude::*;

    #[test]
    fn fill_keeps_parts_whole_and_wrap_breaks_words() {
        let parts = ["ttft 1 s".to_owned(), "duration 4 s".to_owned(), "3 steps".to_owned()];
        assert_eq!(fill(&parts, " - ", 23), ["ttft 1 s - duration 4 s", "3 steps"]);
        assert_eq!(fill(&parts, " - ", 4).len(), 3);
        assert_eq!(wrap("a bcdefgh ij", 4), ["a", "bcde", "fgh", "ij"]);
        assert_eq!(wrap("日本語", 1), ["日本語"]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_no_character_is_lost(text: String, columns in 2usize..60) {
            let shown = show_line(&text);
            let lines = wrap(shown.as_str(), columns);
            for line in &lines {
                prop_assert!(line.width() <= columns, "{line:?}");
            }
            let bare = |text: &str| text.replace(' ', "");
            prop_assert_eq!(bare(&lines.concat()), bare(shown.as_str()));
        }
    }
}
