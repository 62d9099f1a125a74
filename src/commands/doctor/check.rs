//! One check of `doctor`: what was found, and how to mend it.

use serde_json::json;

use crate::exit::Exit;
use crate::report::Failure;
use crate::text::page::{Page, Tone};
use crate::text::show::show_line;
use crate::text::style::Style;
use crate::text::wrap::fill;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Ok,
    /// It stops nothing, but wants attention.
    Warning,
    /// It stops commands.
    Failed,
    /// Not looked at, or nothing to look at.
    Skipped,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    name: &'static str,
    state: State,
    message: String,
    fix: Option<String>,
    exit: Exit,
}

/// Lines behind the first of a check begin here.
const INDENT: &str = "    ";

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: State::Ok, message: message.into(), fix: None, exit: Exit::Done }
    }

    /// Nothing to look at.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { state: State::Skipped, ..Self::ok(name, why) }
    }

    /// It stops nothing, but wants attention.
    pub fn warning(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warning, fix: Some(fix.into()), ..Self::ok(name, message) }
    }

    /// What a command would end with.
    pub fn failed(name: &'static str, failure: &Failure) -> Self {
        let parts: Vec<&str> = std::iter::once(&failure.message).chain(&failure.causes).map(String::as_str).collect();
        Self { state: State::Failed, fix: failure.hint.clone(), exit: failure.exit, ..Self::ok(name, parts.join(": ")) }
    }

    /// The same, where what fails is not needed now.
    pub fn not_needed_now(self) -> Self {
        Self { state: State::Warning, exit: Exit::Done, ..self }
    }

    /// The exit that follows: of the failure, where it is one.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether it stops commands.
    pub fn is_failed(&self) -> bool {
        self.state == State::Failed
    }

    /// As a JSON document.
    pub fn document(&self) -> String {
        let exit = self.exit.code();
        json!({"check": self.name, "state": self.state.word(), "message": self.message, "fix": self.fix, "exit": exit})
            .to_string()
    }

    /// For people: a line, and a line with the fix.
    pub fn page(&self, style: Style) -> Page {
        let (tone, glyph, word) = self.state.shown();
        let mark = if style.ascii || style.accessible { word } else { glyph };
        let columns = style.width.unwrap_or(usize::MAX).saturating_sub(INDENT.len());
        let first = format!("{}: {}", self.name, self.message);
        // The mark is as good as the indent: a line that begins with it may be no longer.
        let page = lines(Page::new().tone(tone, mark).say(" "), &first, columns.saturating_sub(mark.len()));
        match &self.fix {
            Some(fix) => lines(page.say(INDENT), &format!("fix: {fix}"), columns),
            None => page,
        }
    }
}

/// Adds text on lines of at most this width; all but the first are indented. Ids, paths and addresses stay whole.
fn lines(page: Page, text: &str, columns: usize) -> Page {
    let words: Vec<String> = show_line(text).as_str().split(' ').map(str::to_owned).collect();
    let lines = fill(&words, " ", columns);
    lines.iter().enumerate().fold(page, |page, (at, line)| {
        let page = if at > 0 { page.say(INDENT) } else { page };
        page.show(line).end()
    })
}

impl State {
    fn word(self) -> &'static str {
        self.shown().2
    }

    /// The tone, the glyph and the word.
    fn shown(self) -> (Tone, &'static str, &'static str) {
        match self {
            Self::Ok => (Tone::Good, "✓", "ok"),
            Self::Warning => (Tone::Caution, "!", "warning"),
            Self::Failed => (Tone::Bad, "✗", "failed"),
            Self::Skipped => (Tone::Faint, "-", "skipped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn a_check_fits_its_columns_and_reads_without_glyphs() {
        let failure = Failure::new(Exit::Unsafe, "x", "the credentials can be read by others").cause("0644");
        let check =
            Check::failed("credentials", &failure.hint("chmod 600 /home/ada/.config/agentctl and all that is in it"));
        for (style, begins) in [
            (Style { width: Some(40), ..Style::default() }, "✗ credentials: the"),
            (Style { width: Some(40), ascii: true, ..Style::default() }, "failed credentials: the"),
        ] {
            let text = check.page(style).text(false);
            assert!(text.starts_with(begins), "{text}");
            assert!(text.lines().all(|line| line.width() <= 40), "{text}");
            assert!(text.contains("    fix: chmod 600"), "{text}");
        }
    }

    #[test]
    fn scripts_get_every_key() {
        let expected = r#"{"check":"dns","state":"ok","message":"x","fix":null,"exit":0}"#;
        assert_eq!(Check::ok("dns", "x").document(), expected);
    }
}
