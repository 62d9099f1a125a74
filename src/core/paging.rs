//! Reading a list of runs to its end, newest first, whichever way the server's cursors lead.
//!
//! `after=<last>` is documented to bring the next page. Some servers bring what stands *before* that run instead, and
//! the next page with `before=<last>`. Which kind a server is shows in what it brings.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::model::{Run, RunId};

/// Up to this many runs, which is the API's own default, a server gives as many as it is asked for: a shorter page is
/// the last one. One that is asked for more may have a limit of its own.
const SURE: usize = 100;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// `after=<run>`.
    After(RunId),
    /// `before=<run>`.
    Before(RunId),
}

/// How far the reading of a list has come. It remembers only the runs that a page could still repeat.
#[derive(Debug, Default)]
pub struct Paging {
    last: Option<(RunId, Option<Timestamp>)>,
    recent: HashMap<RunId, Option<Timestamp>>,
    /// How many runs were new.
    count: usize,
    inverted: bool,
    over: bool,
    cut_short: bool,
}

impl Paging {
    /// The cursor of the next page; none for the first.
    pub fn cursor(&self) -> Option<Cursor> {
        let (last, _) = self.last.as_ref()?;
        Some(if self.inverted { Cursor::Before(last.clone()) } else { Cursor::After(last.clone()) })
    }

    /// Whether there are no more pages.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Whether it is over because both cursors lead to what was read before.
    pub fn is_cut_short(&self) -> bool {
        self.cut_short
    }

    /// Takes in a page for which `asked` runs were asked, and returns the runs in it that are new.
    pub fn take(&mut self, page: Vec<Run>, asked: usize) -> Vec<Run> {
        if self.leads_back(&page) {
            self.turn(!page.is_empty());
            return Vec::new();
        }
        let short = page.len() < asked && asked <= SURE;
        let fresh: Vec<Run> = page.into_iter().filter(|run| self.is_new(run)).collect();
        self.over = short || fresh.is_empty();
        self.count += fresh.len();
        if let Some(last) = fresh.last() {
            self.move_to(last);
        }
        fresh
    }

    /// Whether a page shows what stands before the cursor. Behind the very first run, an empty page says nothing.
    fn leads_back(&self, page: &[Run]) -> bool {
        let Some((_, last)) = &self.last else { return false };
        let newer = |run: &Run| last.is_some_and(|last| run.created_at().is_some_and(|at| at > last));
        let lone = page.is_empty() && self.count == 1 && !self.inverted;
        lone || page.iter().any(|run| self.recent.contains_key(run.id()) || newer(run))
    }

    /// Tries the other cursor; where both lead back, that is the end.
    fn turn(&mut self, shows_runs: bool) {
        self.over = self.inverted;
        self.cut_short = self.inverted && shows_runs && self.count > 1;
        self.inverted = true;
    }

    fn is_new(&mut self, run: &Run) -> bool {
        self.recent.insert(run.id().clone(), run.created_at()).is_none()
    }

    /// What is newer than the new cursor would be known by that: only the ids of the others are kept.
    fn move_to(&mut self, last: &Run) {
        let at = last.created_at();
        self.recent.retain(|_, seen| seen.is_none() || at.is_none() || *seen <= at);
        self.last = Some((last.id().clone(), at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Document;
    use proptest::prelude::*;
    use serde_json::json;

    /// A server of either kind. A run is its number and its second of creation; newer ones have higher numbers.
    struct Server {
        runs: Vec<(u32, i64)>,
        inverted: bool,
        /// The most that it gives at once, whatever it is asked for.
        limit: usize,
    }

    impl Server {
        fn page(&self, cursor: Option<&Cursor>, asked: usize) -> Vec<Run> {
            let number = |id: &RunId| u32::from_str_radix(&id.as_str()[4..], 16).expect("a number");
            let wanted = |(run, _): &&(u32, i64)| match cursor {
                None => true,
                Some(Cursor::After(id)) => (*run > number(id)) == self.inverted && *run != number(id),
                Some(Cursor::Before(id)) => (*run < number(id)) == self.inverted && *run != number(id),
            };
            self.runs
                .iter()
                .rev()
                .filter(wanted)
                .take(asked.min(self.limit))
                .map(|(run, at)| document(*run, *at))
                .collect()
        }
    }

    fn document(number: u32, second: i64) -> Run {
        let at = Timestamp::from_second(second).expect("a time").to_string();
        let run = json!({"id": format!("run-{number:08x}"), "created_at": at});
        Run::from_document(Document::from_value(run)).expect("a run")
    }

    /// Reads the whole list, while a run is added between any two pages. Returns the runs and the number of requests.
    fn read(server: &mut Server, asked: usize) -> (Vec<Run>, usize, bool) {
        let (mut paging, mut all, mut requests) = (Paging::default(), Vec::new(), 0);
        while !paging.is_over() {
            let page = server.page(paging.cursor().as_ref(), asked);
            all.extend(paging.take(page, asked));
            requests += 1;
            assert!(requests <= 2 * server.runs.len() + 5, "it never ends");
            let (newest, at) = server.runs.last().copied().unwrap_or((0, 0));
            server.runs.push((newest + 1, at + 1));
        }
        (all, requests, paging.is_cut_short())
    }

    proptest! {
        #[test]
        fn every_run_is_read_once_from_either_kind_of_server(
            seconds in proptest::collection::vec(0i64..2, 0..60), asked in 1usize..130, limit in 1usize..40, inverted: bool
        ) {
            // Runs of the same second have the same time. A server's own limit shows only beyond the API's default.
            let limit = if asked <= SURE { asked } else { limit };
            let times = seconds.iter().scan(0, |at, more| { *at += more; Some(*at) });
            let runs: Vec<(u32, i64)> = (0..).zip(times).collect();
            let expected: Vec<String> = runs.iter().rev().map(|(run, _)| format!("run-{run:08x}")).collect();
            let pages = runs.len().div_ceil(limit);
            let (all, requests, cut_short) = read(&mut Server { runs, inverted, limit }, asked);
            let ids: Vec<String> = all.iter().map(|run| run.id().to_string()).collect();
            prop_assert_eq!(ids, expected);
            prop_assert!(requests <= pages + 3, "{} requests for {} pages", requests, pages);
            prop_assert!(!cut_short);
        }
    }

    #[test]
    fn a_short_page_that_was_not_asked_for_much_is_the_last() {
        let runs = (0..5).map(|run| (run, run.into())).collect();
        let (all, requests, _) = read(&mut Server { runs, inverted: false, limit: 20 }, 20);
        assert_eq!((all.len(), requests), (5, 1));
    }

    #[test]
    fn a_server_whose_cursors_lead_nowhere_is_found_out() {
        let server = Server { runs: (0..9).map(|run| (run, run.into())).collect(), inverted: false, limit: 9 };
        let mut paging = Paging::default();
        assert_eq!(paging.take(server.page(None, 9), 9).len(), 9);
        for cursor in [
            Cursor::After("run-00000000".parse().expect("an id")),
            Cursor::Before("run-00000000".parse().expect("an id")),
        ] {
            assert_eq!(paging.cursor(), Some(cursor));
            assert!(paging.take(server.page(None, 9), 9).is_empty());
        }
        assert!(paging.is_over() && paging.is_cut_short());
    }

    #[test]
    fn what_is_remembered_does_not_grow_with_the_list() {
        let (mut paging, mut server) = (Paging::default(), Server { runs: vec![], inverted: true, limit: 10 });
        server.runs = (0..500).map(|run| (run, run.into())).collect();
        while !paging.is_over() {
            let page = server.page(paging.cursor().as_ref(), 10);
            paging.take(page, 10);
            assert!(paging.recent.len() <= 10, "{}", paging.recent.len());
        }
        assert_eq!(paging.count, 500);
    }
}
