//! Renders help topics, for a terminal or for a manual page.

use clap_mangen::roff::{Roff, roman};

use crate::text::page::{Page, Tone};
use crate::text::show::show;
use crate::text::wrap::fill;

/// The widest line, as in the help of commands.
const COLUMNS: usize = 80;

/// A part of a topic.
pub enum Block {
    /// A paragraph.
    Text(String),
    /// Terms and what they mean.
    Rows(Vec<(String, String)>),
}

impl Block {
    /// A paragraph.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// Terms and what they mean.
    pub fn rows(rows: &[(&str, &str)]) -> Self {
        Self::Rows(rows.iter().map(|(term, meaning)| ((*term).to_owned(), (*meaning).to_owned())).collect())
    }
}

/// Renders blocks for a terminal, with an empty line between them.
pub fn page(blocks: &[Block], width: Option<usize>) -> Page {
    let columns = width.map_or(COLUMNS, |width| width.min(COLUMNS));
    blocks.iter().enumerate().fold(Page::new(), |page, (at, block)| {
        let page = if at > 0 { page.end() } else { page };
        match block {
            Block::Text(text) => lines(text, columns).iter().fold(page, |page, line| page.show(line).end()),
            Block::Rows(rows) => table(page, rows, columns),
        }
    })
}

/// Renders a table. Short terms are beside their meanings, long ones above them.
fn table(page: Page, rows: &[(String, String)], columns: usize) -> Page {
    let widest = rows.iter().map(|(term, _)| term.len()).max().unwrap_or_default();
    let beside = widest <= 8;
    let indent = " ".repeat(if beside { widest + 4 } else { 6 });
    rows.iter().fold(page, |page, (term, meaning)| {
        let page = if beside {
            page.say("  ").paint(Tone::Strong, show(term)).show(&indent[term.len() + 2..])
        } else {
            let terms = lines(term, columns.saturating_sub(2));
            terms.iter().fold(page, |page, term| page.say("  ").paint(Tone::Strong, show(term)).end())
        };
        let meaning = lines(meaning, columns.saturating_sub(indent.len()));
        meaning.iter().enumerate().fold(page, |page, (at, line)| {
            let page = if beside && at == 0 { page } else { page.show(&indent) };
            page.show(line).end()
        })
    })
}

/// Breaks text into lines of this width, only at spaces.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
    fill(&words, " ", columns)
}

/// Adds the blocks to a manual page, as a section.
pub fn section(roff: &mut Roff, title: &str, blocks: &[Block]) {
    roff.control("SH", [title]);
    for block in blocks {
        match block {
            Block::Text(text) => _ = roff.control("PP", []).text([roman(text.as_str())]),
            Block::Rows(rows) => rows.iter().for_each(|(term, meaning)| {
                roff.control("TP", []).text([roman(term.as_str())]).text([roman(meaning.as_str())]);
            }),
        }
    }
}
