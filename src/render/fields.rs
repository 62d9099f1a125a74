//! Builds a card: labelled values, one below the other.

use super::Context;
use crate::text::page::{Page, Tone};
use crate::text::show::show;
use crate::text::wrap::wrap;

/// The columns of a label and the gap after it.
const LABEL: usize = 13;

/// The fewest columns beside a label in which a value is put. With fewer, it goes on the next line.
const ROOM_MIN: usize = 20;

/// A card under construction.
pub(super) struct CardBuilder<'a> {
    ctx: &'a Context,
    page: Page,
}

impl<'a> CardBuilder<'a> {
    pub(super) fn new(ctx: &'a Context) -> Self {
        Self { ctx, page: Page::new() }
    }

    /// Adds an id, never cut: on its own line if it does not fit beside the label.
    pub(super) fn id(self, label: &'static str, id: &str) -> Self {
        let id = self.ctx.line(id);
        let beside = LABEL + id.len() <= self.ctx.columns();
        self.put(label, Tone::Plain, &[id], if beside { LABEL } else { 0 })
    }

    /// Adds a value, wrapped if necessary. `None` adds nothing.
    pub(super) fn value(self, label: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.toned(label, Tone::Plain, value),
            None => self,
        }
    }

    /// Adds a value in a tone.
    pub(super) fn toned(self, label: &'static str, tone: Tone, value: &str) -> Self {
        let columns = self.ctx.columns();
        let indent = if columns < LABEL + ROOM_MIN { 2 } else { LABEL };
        let lines = wrap(&self.ctx.line(value), columns.saturating_sub(indent));
        self.put(label, tone, &lines, indent)
    }

    /// Returns the card.
    pub(super) fn page(self) -> Page {
        self.page
    }

    fn put(mut self, label: &'static str, tone: Tone, lines: &[String], indent: usize) -> Self {
        let beside = indent == LABEL;
        self.page = self.page.paint(Tone::Faint, show(label));
        self.page = if beside { self.page.show(&" ".repeat(LABEL - label.len())) } else { self.page.end() };
        for (at, line) in lines.iter().enumerate() {
            let margin = if at == 0 && beside { 0 } else { indent };
            self.page = self.page.show(&" ".repeat(margin)).paint(tone, show(line)).end();
        }
        self
    }
}
