//! Reads a list to its end, page by page, from servers whose cursors differ.
//!
//! `after=<last>` is documented to return the next page. Some servers return the items *before* that one instead, and
//! the next page for `before=<last>`. The reader tells the two kinds of server apart by the items of a page.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::{Document, Message, Run};

/// A server returns as many items as requested up to this number, the API's own default, so that a shorter page is the
/// last one. Beyond it the server may have a limit of its own.
const DEFAULT_LIMIT: usize = 100;

/// The query parameter that selects a page: its name and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// `after=<id>`.
    After(String),
    /// `before=<id>`.
    Before(String),
}

impl Cursor {
    /// Returns the name and the value of the query parameter.
    pub fn pair(&self) -> (&'static str, &str) {
        match self {
            Self::After(id) => ("after", id),
            Self::Before(id) => ("before", id),
        }
    }
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest item first. An item newer than the cursor shows that the cursor is inverted.
    NewestFirst,
    /// Newest page first, read with `before`. Some servers return the items of each page oldest first.
    NewestPageFirst,
    /// Any other order. A page without a new item shows that the cursor is inverted.
    Other,
}

/// An item of a list.
pub trait Item {
    /// Returns the id that a cursor names.
    fn id(&self) -> Option<&str>;

    /// Returns the text by which an item is recognised when a page repeats it.
    fn key(&self) -> String;

    /// Returns the time by which a list is ordered.
    fn time(&self) -> Option<Timestamp>;
}

impl Item for Run {
    fn id(&self) -> Option<&str> {
        Some(self.id().as_str())
    }

    fn key(&self) -> String {
        self.id().to_string()
    }

    fn time(&self) -> Option<Timestamp> {
        self.created_at()
    }
}

impl Item for Message {
    fn id(&self) -> Option<&str> {
        self.document().text("id")
    }

    fn key(&self) -> String {
        document_key(self.document())
    }

    fn time(&self) -> Option<Timestamp> {
        self.date()
    }
}

impl Item for Document {
    fn id(&self) -> Option<&str> {
        self.text("id")
    }

    fn key(&self) -> String {
        document_key(self)
    }

    fn time(&self) -> Option<Timestamp> {
        None
    }
}

/// Joins id, type and otid, since several messages may share an id. Without an id the whole document is the key.
fn document_key(document: &Document) -> String {
    let id = document.text("id").unwrap_or_else(|| document.line());
    let [kind, otid] = ["message_type", "otid"].map(|key| document.text(key).unwrap_or_default());
    [id, kind, otid].join("\t")
}

/// The position in a list that is being read.
#[derive(Debug)]
pub struct PageReader {
    order: Order,
    /// Requested limits up to which a short page is the last one.
    trusted_limit: usize,
    last: Option<(String, Option<Timestamp>)>,
    /// Items that a page may repeat. In a list with times those newer than the cursor are dropped.
    seen: HashMap<String, Option<Timestamp>>,
    /// The number of distinct items read.
    count: usize,
    /// Whether the server's cursors lead the other way; with `NewestPageFirst`, whether its pages are oldest first.
    inverted: bool,
    over: bool,
    cut_short: bool,
}

impl PageReader {
    /// Returns a reader at the beginning of a list.
    pub fn new(order: Order) -> Self {
        Self {
            order,
            trusted_limit: DEFAULT_LIMIT,
            last: None,
            seen: HashMap::new(),
            count: 0,
            inverted: false,
            over: false,
            cut_short: false,
        }
    }

    /// Sets that any page shorter than requested is the last, whatever the limit.
    pub fn with_exact_pages(mut self) -> Self {
        self.trusted_limit = usize::MAX;
        self
    }

    /// Starts after an item instead of at the beginning.
    pub fn starting_after(mut self, id: Option<&str>) -> Self {
        self.last = id.map(|id| (id.to_owned(), None));
        self
    }

    /// Returns the cursor of the next page; `None` for the first.
    pub fn cursor(&self) -> Option<Cursor> {
        let (id, _) = self.last.clone()?;
        let before = self.inverted || self.order == Order::NewestPageFirst;
        Some(if before { Cursor::Before(id) } else { Cursor::After(id) })
    }

    /// Returns whether the last page was read.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Returns whether the list ended early because both cursors lead to items read before.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Adds a page that was requested with a limit, and returns its new items.
    pub fn take<T: Item>(&mut self, page: Vec<T>, limit: usize) -> Vec<T> {
        if self.order == Order::NewestPageFirst {
            return self.take_backwards(page);
        }
        if self.leads_back(&page) {
            self.invert(!page.is_empty());
            return Vec::new();
        }
        let is_short = page.len() < limit && limit <= self.trusted_limit;
        let fresh = self.remember(page);
        self.over = is_short || fresh.last().and_then(Item::id).is_none();
        if let Some(last) = fresh.last() {
            self.move_to(last);
        }
        fresh
    }

    /// Adds a page of a list that is read with `before`. The next cursor is the oldest item: the last of the page, or
    /// the first if the server sorts a page oldest first. The times show the order; within one second, a repeated item
    /// does.
    fn take_backwards<T: Item>(&mut self, page: Vec<T>) -> Vec<T> {
        let count = page.len();
        let is_ascending = is_ascending(&page);
        let [first, last] = [page.first(), page.last()].map(|item| item.and_then(Item::id).map(str::to_owned));
        let fresh = self.remember(page);
        self.inverted |= is_ascending || fresh.len() < count;
        let oldest = if self.inverted { first } else { last };
        self.over = fresh.is_empty() || oldest.is_none();
        self.last = oldest.map(|id| (id, None));
        fresh
    }

    /// Returns whether a page has items that precede the cursor. An empty page after a single item may come from either
    /// kind of server.
    fn leads_back<T: Item>(&self, page: &[T]) -> bool {
        let Some((_, last)) = &self.last else { return false };
        if page.is_empty() {
            return self.count == 1 && !self.inverted;
        }
        let is_newer = |item: &T| last.is_some_and(|last| item.time().is_some_and(|time| time > last));
        let is_known = |item: &T| self.seen.contains_key(&item.key());
        match self.order {
            Order::NewestFirst => page.iter().any(|item| is_known(item) || is_newer(item)),
            _ => page.iter().all(is_known),
        }
    }

    /// Switches to the other cursor. If both lead back, the list ends here.
    fn invert(&mut self, has_items: bool) {
        self.over = self.inverted;
        self.cut_short = self.inverted && has_items && self.count > 1;
        self.inverted = true;
    }

    /// Returns the items that were not read before. Messages of one page may share a key; of other items the first counts.
    fn remember<T: Item>(&mut self, page: Vec<T>) -> Vec<T> {
        let fresh: Vec<T> = if self.order == Order::NewestPageFirst {
            let fresh: Vec<T> = page.into_iter().filter(|item| !self.seen.contains_key(&item.key())).collect();
            self.seen.extend(fresh.iter().map(|item| (item.key(), item.time())));
            fresh
        } else {
            page.into_iter().filter(|item| self.seen.insert(item.key(), item.time()).is_none()).collect()
        };
        self.count += fresh.len();
        fresh
    }

    /// Moves the cursor to an item, and forgets items that are newer: their time is enough to recognise them.
    fn move_to<T: Item>(&mut self, last: &T) {
        let time = last.time();
        if self.order == Order::NewestFirst {
            self.seen.retain(|_, seen| seen.is_none() || time.is_none() || *seen <= time);
        }
        self.last = last.id().map(|id| (id.to_owned(), time));
    }
}

fn is_ascending<T: Item>(page: &[T]) -> bool {
    let ends = page.first().and_then(Item::time).zip(page.last().and_then(Item::time));
    ends.is_some_and(|(first, last)| first < last)
}

#[cfg(test)]
mod tests;
