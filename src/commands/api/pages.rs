//! Reading any list to its end, page by page. Pure.

use std::collections::HashSet;

use crate::model::Document;

/// How far the reading of a list has come.
///
/// `after` is documented to lead to the next page. Some servers take it the other way round for some lists: where it
/// leads back to what was read, `before` is tried.
#[derive(Default)]
pub struct Pages {
    seen: HashSet<String>,
    last: Option<String>,
    turned: bool,
    over: bool,
}

impl Pages {
    /// Whether there are no more pages.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What the query needs so that the next page comes; nothing for the first.
    pub fn cursor(&self) -> Option<(String, String)> {
        let key = if self.turned { "before" } else { "after" };
        Some((key.to_owned(), self.last.clone()?))
    }

    /// Takes in a page, and returns what of it is new.
    pub fn take(&mut self, page: Vec<Document>) -> Vec<Document> {
        // Behind the very first item, an empty page says nothing about the direction.
        let leads_back = self.last.is_some() && !self.turned && (!page.is_empty() || self.seen.len() == 1);
        let fresh: Vec<Document> = page.into_iter().filter(|item| self.seen.insert(name(item))).collect();
        match fresh.last() {
            Some(item) => {
                self.last = item.text("id").map(str::to_owned);
                self.over = self.last.is_none();
            }
            None if leads_back => self.turned = true,
            None => self.over = true,
        }
        fresh
    }
}

/// What an item is told apart by: its id, else all of it. Several messages may share an id.
fn name(item: &Document) -> String {
    let id = item.text("id").unwrap_or_else(|| item.line());
    let more = ["message_type", "otid"].map(|key| item.text(key).unwrap_or_default());
    [id, more[0], more[1]].join("\t")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Reads all of a list from a server that gives two at once. Returns the items and the number of requests.
    fn read(ids: &[&str], inverted: bool) -> (Vec<String>, usize) {
        let (mut pages, mut all, mut requests) = (Pages::default(), Vec::new(), 0);
        while !pages.is_over() {
            requests += 1;
            assert!(requests < 20, "no end");
            let place = |id: &str| ids.iter().position(|other| *other == id).expect("a known id");
            let page: Vec<&str> = match pages.cursor() {
                None => ids.to_vec(),
                Some((key, id)) if (key == "after") != inverted => ids[place(&id) + 1..].to_vec(),
                Some((_, id)) => ids[..place(&id)].to_vec(),
            };
            let page = page.into_iter().take(2).map(|id| Document::from_value(json!({"id": id}))).collect();
            all.extend(pages.take(page).iter().filter_map(|item| item.text("id")).map(str::to_owned));
        }
        (all, requests)
    }

    #[test]
    fn every_item_is_read_once_whichever_way_the_cursors_lead() {
        for ids in [&["a"][..], &["a", "b"], &["a", "b", "c", "d", "e"]] {
            assert_eq!(read(ids, false).0, ids);
            assert_eq!(read(ids, true).0, ids);
        }
        assert_eq!(read(&[], false), (vec![], 1));
    }

    #[test]
    fn a_server_without_cursors_is_not_asked_for_ever() {
        let (mut pages, page) = (Pages::default(), || vec![Document::from_value(json!({"id": "a"}))]);
        let mut requests = 0;
        while !pages.is_over() {
            pages.take(page());
            requests += 1;
        }
        assert_eq!(requests, 3);
    }

    #[test]
    fn messages_that_share_an_id_are_several() {
        let message = |kind: &str| Document::from_value(json!({"id": "message-1", "message_type": kind}));
        let fresh = Pages::default().take(vec![message("reasoning_message"), message("assistant_message")]);
        assert_eq!(fresh.len(), 2);
    }

    #[test]
    fn items_without_ids_are_one_page() {
        let mut pages = Pages::default();
        let fresh = pages.take(vec![Document::from_value(json!({"n": 1})), Document::from_value(json!({"n": 2}))]);
        assert_eq!((fresh.len(), pages.is_over()), (2, true));
    }
}
