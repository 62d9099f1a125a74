//! Reading an agent's messages back in time, a page at a time.
//!
//! `order=desc` brings the newest page, and `before=<oldest>` the one before it. Some servers bring each page oldest
//! first all the same: which end is the oldest shows in the dates, and within one second in what the next page repeats.

use std::collections::HashSet;

use crate::model::Message;

/// How far the reading has come.
#[derive(Debug, Default)]
pub struct Backwards {
    known: HashSet<(String, String, String)>,
    ascending: bool,
    cursor: Option<String>,
}

impl Backwards {
    /// The id of the message before which the next page begins; none for the first page, and where there is none.
    pub fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    /// Takes in a page, and returns the messages in it that are new.
    pub fn take(&mut self, page: Vec<Message>) -> Vec<Message> {
        let (count, is_ascending) = (page.len(), is_ascending(&page));
        let [first, last] = [page.first(), page.last()].map(id);
        let fresh: Vec<Message> = page.into_iter().filter(|message| self.known.insert(message.key())).collect();
        self.ascending |= is_ascending || fresh.len() < count;
        self.cursor = if self.ascending { first } else { last };
        fresh
    }
}

fn is_ascending(page: &[Message]) -> bool {
    let ends = page.first().and_then(Message::date).zip(page.last().and_then(Message::date));
    ends.is_some_and(|(first, last)| first < last)
}

fn id(message: Option<&Message>) -> Option<String> {
    message?.document().text("id").map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Document;
    use proptest::prelude::*;
    use serde_json::json;

    /// The page of the newest messages before a cursor. A message is its number and its second; newer ones come later.
    fn page(seconds: &[i64], before: Option<&str>, size: usize, ascending: bool) -> Vec<Message> {
        let end = before.map_or(seconds.len(), |id| id.parse().expect("a number"));
        let message = |n: usize| {
            let date = jiff::Timestamp::from_second(seconds[n]).expect("a time").to_string();
            Message::new(Document::from_value(json!({"id": n.to_string(), "date": date})))
        };
        let page = (end.saturating_sub(size)..end).map(message);
        if ascending { page.collect() } else { page.rev().collect() }
    }

    proptest! {
        #[test]
        fn every_message_is_read_once_in_whatever_order_a_page_comes(
            steps in proptest::collection::vec(0i64..2, 0..80), size in 2usize..30, ascending: bool
        ) {
            let seconds: Vec<i64> = steps.iter().scan(0, |at, more| { *at += more; Some(*at) }).collect();
            let (mut back, mut read, mut requests) = (Backwards::default(), Vec::new(), 0);
            loop {
                let fresh = back.take(page(&seconds, back.cursor(), size, ascending));
                requests += 1;
                if fresh.is_empty() {
                    break;
                }
                read.extend(fresh.iter().filter_map(|message| message.document().text("id")?.parse::<usize>().ok()));
            }
            read.sort_unstable();
            prop_assert_eq!(read, (0..seconds.len()).collect::<Vec<_>>());
            prop_assert!(requests <= seconds.len().div_ceil(size) + 2, "{} requests", requests);
        }
    }
}
