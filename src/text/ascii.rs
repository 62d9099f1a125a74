//! Conversion of text for a locale without UTF-8.

/// Converts text to ASCII: the glyphs of agentctl to a similar character, all others to an escape such as `\u{e9}`.
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
    fn glyphs_of_agentctl_are_replaced_and_all_others_escaped() {
        assert_eq!(ascii("a → b… é"), "a -> b... \\u{e9}");
    }
}
