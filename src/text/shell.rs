//! Quoting for shells.

/// Quotes a word for a POSIX shell, always: `shell_words::quote` leaves words with `{`, `}` or `!` bare, which bash expands.
pub fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_one_word_to_a_shell() {
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
    }
}
