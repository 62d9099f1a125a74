//! A piece of human output: safe text with meaning, which becomes colour or nothing at the edge.

use super::show::{Shown, show, show_line};

/// What a piece of text means; the colour follows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    #[default]
    Plain,
    /// What the eye should find first.
    Strong,
    /// What may be overlooked.
    Faint,
    /// It went well.
    Good,
    /// It wants attention.
    Caution,
    /// It went wrong.
    Bad,
}

/// Human output under construction. Only program text (`&'static str`) and [`Shown`] text get in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page(Vec<(Tone, Shown)>);

impl Page {
    /// An empty page.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds text of this program's own.
    pub fn say(self, text: &'static str) -> Self {
        self.tone(Tone::Plain, text)
    }

    /// Adds text of this program's own, with a meaning.
    pub fn tone(mut self, tone: Tone, text: &'static str) -> Self {
        self.0.push((tone, show(text)));
        self
    }

    /// Adds text from elsewhere, made safe; line feeds stay.
    pub fn show(self, untrusted: &str) -> Self {
        self.paint(Tone::Plain, show(untrusted))
    }

    /// Adds text from elsewhere, made safe, on one line.
    pub fn show_line(self, untrusted: &str) -> Self {
        self.paint(Tone::Plain, show_line(untrusted))
    }

    /// Adds safe text with a meaning.
    pub fn paint(mut self, tone: Tone, text: Shown) -> Self {
        self.0.push((tone, text));
        self
    }

    /// Adds another page behind this one.
    pub fn page(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Ends the line.
    pub fn end(self) -> Self {
        self.say("\n")
    }

    /// Whether nothing is on it.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|(_, text)| text.as_str().is_empty())
    }

    /// The text, with colour (SGR sequences) or without.
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
    fn colour_is_added_around_safe_text_only() {
        let page = Page::new().tone(Tone::Bad, "error").say(": ").show("\u{1b}[2J").end();
        assert_eq!(page.text(false), "error: \\u{1b}[2J\n");
        assert_eq!(page.text(true), "\u{1b}[31merror\u{1b}[0m: \\u{1b}[2J\n");
    }
}
