//! Text for a locale that has no UTF-8.

/// The text in ASCII: our own glyphs by their nearest look, everything else as `\u{e9}`.
pub fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => plain.push(c),
            '…' => plain.push_str("..."),
            '·' => plain.push('-'),
            '→' => plain.push_str("->"),
            '✓' => plain.push('+'),
            '✗' => plain.push('x'),
            '–' | '—' => plain.push('-'),
            other => plain.push_str(&other.escape_unicode().to_string()),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_glyphs_keep_their_look_and_the_rest_its_code() {
        assert_eq!(ascii("a → b… é"), "a -> b... \\u{e9}");
    }
}
