//! The result of one check of `doctor`, and how to fix a problem.

use serde_json::json;

use crate::exit::Exit;
use crate::report::Failure;
use crate::text::page::{Page, Tone};
use crate::text::show::show_line;
use crate::text::style::Style;
use crate::text::wrap::fill;

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    /// No problem.
    Ok,
    /// A problem that stops no command.
    Warning,
    /// A problem that stops commands.
    Failed,
    /// Not checked, or nothing to check.
    Skipped,
}

/// A check with its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    name: &'static str,
    state: CheckState,
    message: String,
    fix: Option<String>,
    exit: Exit,
}

/// The indent of all lines of a check but the first.
const INDENT: &str = "    ";

impl Check {
    /// A check without a problem.
    pub fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: CheckState::Ok, message: message.into(), fix: None, exit: Exit::Done }
    }

    /// A check that was not made.
    pub fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self { state: CheckState::Skipped, ..Self::ok(name, why) }
    }

    /// A check that found a problem that stops no command.
    pub fn warning(name: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: CheckState::Warning, fix: Some(fix.into()), ..Self::ok(name, message) }
    }

    /// A check that failed. Commands would end with this failure.
    pub fn failed(name: &'static str, failure: &Failure) -> Self {
        let parts: Vec<&str> = std::iter::once(&failure.message).chain(&failure.causes).map(String::as_str).collect();
        Self {
            state: CheckState::Failed,
            fix: failure.hint.clone(),
            exit: failure.exit,
            ..Self::ok(name, parts.join(": "))
        }
    }

    /// Turns a failure into a warning, for something that the command does not need now.
    pub fn not_needed_now(self) -> Self {
        Self { state: CheckState::Warning, exit: Exit::Done, ..self }
    }

    /// Returns the exit of the failure, if the check failed.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether the check found a problem that stops commands.
    pub fn is_failed(&self) -> bool {
        self.state == CheckState::Failed
    }

    /// Returns the check as a JSON document.
    pub fn document(&self) -> String {
        let exit = self.exit.code();
        json!({"check": self.name, "state": self.state.word(), "message": self.message, "fix": self.fix, "exit": exit})
            .to_string()
    }

    /// Returns the check for people: a line, and a line with the fix.
    pub fn page(&self, style: Style) -> Page {
        let (tone, glyph, word) = self.state.shown();
        let mark = if style.ascii || style.accessible { word } else { glyph };
        let columns = style.width.unwrap_or(usize::MAX).saturating_sub(INDENT.len());
        let first = format!("{}: {}", self.name, self.message);
        // The mark may be wider than the indent.
        let page = lines(Page::new().tone(tone, mark).say(" "), &first, columns.saturating_sub(mark.len()));
        match &self.fix {
            Some(fix) => lines(page.say(INDENT), &format!("fix: {fix}"), columns),
            None => page,
        }
    }
}

/// Adds text in lines of at most this width, all but the first indented. Breaks lines only at spaces.
fn lines(page: Page, text: &str, columns: usize) -> Page {
    let words: Vec<String> = show_line(text).as_str().split(' ').map(str::to_owned).collect();
    let lines = fill(&words, " ", columns);
    lines.iter().enumerate().fold(page, |page, (at, line)| {
        let page = if at > 0 { page.say(INDENT) } else { page };
        page.show(line).end()
    })
}

impl CheckState {
    fn word(self) -> &'static str {
        self.shown().2
    }

    /// Returns the tone, the glyph and the word of a state.
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
    fn the_document_has_every_key() {
        let expected = r#"{"check":"dns","state":"ok","message":"x","fix":null,"exit":0}"#;
        assert_eq!(Check::ok("dns", "x").document(), expected);
    }
}
