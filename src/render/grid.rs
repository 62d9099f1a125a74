//! A table that fits the terminal: columns are left out by rank; if fewer than two fit, each row becomes a stack of lines.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use unicode_width::UnicodeWidthStr;

use super::Context;
use crate::text::page::{Page, Tone};
use crate::text::show::show;
use crate::text::wrap::fill;

/// The columns between two cells.
const GAP: u16 = 2;

/// A column of safe, single-line cells. The first column of a grid tells the rows apart and is never left out.
pub(super) struct Column {
    /// The heading.
    pub(super) title: &'static str,
    /// The highest rank is left out first if there is no room. The first column has 0.
    pub(super) rank: usize,
    /// Its cells are ids, which need no heading in a stack.
    pub(super) ids: bool,
    /// One cell a row.
    pub(super) cells: Vec<String>,
}

/// Lays out columns of equal length in the width of the context.
pub(super) fn grid(columns: &[Column], ctx: &Context) -> Page {
    if columns.first().is_none_or(|first| first.cells.is_empty()) {
        return Page::new();
    }
    match fitting(columns, ctx.columns()).as_slice() {
        [] | [_] => stacks(columns, ctx),
        kept => table(kept),
    }
}

/// Returns the columns that fit side by side, chosen by lowest rank, in their own order.
fn fitting(columns: &[Column], room: usize) -> Vec<&Column> {
    let highest = columns.iter().map(|column| column.rank).max().unwrap_or_default();
    let upto = |rank| columns.iter().filter(move |column| column.rank <= rank);
    let fits = |rank: &usize| {
        upto(*rank).map(|column| column.width() + usize::from(GAP)).sum::<usize>() <= room.saturating_add(GAP.into())
    };
    (0..=highest).rev().find(fits).map(|rank| upto(rank).collect()).unwrap_or_default()
}

impl Column {
    fn width(&self) -> usize {
        self.cells.iter().map(|cell| cell.width()).max().unwrap_or_default().max(self.title.width())
    }

    /// Returns the cell with its heading, for a stack; `None` if it is empty.
    fn named(&self, row: usize) -> Option<String> {
        let cell = &self.cells[row];
        let named = if self.ids { cell.clone() } else { format!("{} {cell}", self.title) };
        (!cell.is_empty()).then_some(named)
    }
}

fn table(columns: &[&Column]) -> Page {
    let mut table = Table::new();
    // The columns fit already, and `Page` colours and escapes: comfy-table only pads cells to the width of their column.
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|column| column.title));
    for row in 0..columns[0].cells.len() {
        table.add_row(columns.iter().map(|column| column.cells[row].as_str()));
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, GAP));
    });
    let tones = std::iter::once(Tone::Strong).chain(std::iter::repeat(Tone::Plain));
    table.trim_fmt().lines().zip(tones).fold(Page::new(), |page, (line, tone)| page.paint(tone, show(line)).end())
}

/// Lays out each row as its first cell, with the other cells and their headings below it.
fn stacks(columns: &[Column], ctx: &Context) -> Page {
    let (first, others) = columns.split_at(1);
    let mut page = Page::new();
    for (row, name) in first[0].cells.iter().enumerate() {
        let parts: Vec<String> = others.iter().filter_map(|column| column.named(row)).collect();
        page = page.paint(Tone::Strong, show(name)).end();
        for line in fill(&parts, " · ", ctx.columns().saturating_sub(2)) {
            page = page.say("  ").show(&line).end();
        }
    }
    page
}
