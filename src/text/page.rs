//! Human output as sanitized text with tones, which are printed as colours on a terminal.

use super::show::{Shown, show, show_line};

/// The meaning of a piece of text. It decides the colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// Important text.
    Strong,
    /// Secondary text.
    Faint,
    /// A success.
    Good,
    /// A warning.
    Caution,
    /// An error.
    Bad,
}

/// A builder of human output. It accepts literals (`&'static str`) and sanitized text ([`Shown`]) only.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(Vec<(Tone, Shown)>);

impl Page {
    /// Creates an empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a literal.
    pub fn say(self, text: &'static str) -> Self {
        self.tone(Tone::Plain, text)
    }

    /// Adds a literal with a tone.
    pub fn tone(mut self, tone: Tone, text: &'static str) -> Self {
        self.0.push((tone, show(text)));
        self
    }

    /// Sanitizes untrusted text and adds it; line feeds stay.
    pub fn show(self, untrusted: &str) -> Self {
        self.paint(Tone::Plain, show(untrusted))
    }

    /// Sanitizes untrusted text and adds it as one line.
    pub fn show_line(self, untrusted: &str) -> Self {
        self.paint(Tone::Plain, show_line(untrusted))
    }

    /// Adds sanitized text with a tone.
    pub fn paint(mut self, tone: Tone, text: Shown) -> Self {
        self.0.push((tone, text));
        self
    }

    /// Appends another page.
    pub fn page(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds a line feed.
    pub fn end(self) -> Self {
        self.say("\n")
    }

    /// Returns whether the page has no text.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.as_str().is_empty())
    }

    /// Renders the text, with or without colours (SGR sequences).
    pub fn text(&self, colour: bool) -> String {
        self.0.iter().map(|(tone, text)| if colour { tone.wrap(text.as_str()) } else { text.to_string() }).collect()
    }
}

impl Tone {
    fn wrap(self, text: &str) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Caution => "33",
            Self::Bad => "31",
        };
        if text.is_empty() { String::new() } else { format!("\u{1b}[{code}m{text}\u{1b}[0m") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_come_from_tones_only() {
        let page = Page::new().tone(Tone::Bad, "error").say(": ").show("\u{1b}[2J").end();
        assert_eq!(page.text(false), "error: \\u{1b}[2J\n");
        assert_eq!(page.text(true), "\u{1b}[31merror\u{1b}[0m: \\u{1b}[2J\n");
    }
}
