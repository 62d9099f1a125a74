//! Breaks safe text into lines at places that we choose, before a terminal breaks it at places that it chooses.

use unicode_width::UnicodeWidthStr;

use super::show::head;

/// Puts parts on as few lines as hold them, `separator` between those on one line. A part is never broken: only one that
/// is wider than `columns` by itself makes a line that is.
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

/// Breaks one line of safe text at its spaces, and a word that is wider than `columns` wherever it must be.
pub fn wrap(shown: &str, columns: usize) -> Vec<String> {
    let words: Vec<String> = shown.split(' ').flat_map(|word| pieces(word, columns)).collect();
    fill(&words, " ", columns)
}

fn pieces(mut word: &str, columns: usize) -> Vec<String> {
    let mut pieces = vec![];
    while word.width() > columns {
        let piece = head(word, columns);
        // Not even one character has room: it is better to overflow than to go on for ever.
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
    fn parts_are_kept_whole_and_words_are_not() {
        let parts = ["ttft 1 s".to_owned(), "duration 4 s".to_owned(), "3 steps".to_owned()];
        assert_eq!(fill(&parts, " - ", 23), ["ttft 1 s - duration 4 s", "3 steps"]);
        assert_eq!(fill(&parts, " - ", 4).len(), 3);
        assert_eq!(wrap("a bcdefgh ij", 4), ["a", "bcde", "fgh", "ij"]);
        assert_eq!(wrap("日本語", 1), ["日本語"]);
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_nothing_is_lost(text: String, columns in 2usize..60) {
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
