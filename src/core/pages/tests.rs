use super::*;
use proptest::prelude::*;
use serde_json::json;

/// A list of runs, each a number and a second of creation, oldest first.
struct Server {
    runs: Vec<(u32, i64)>,
    inverted: bool,
    /// The most items of a page, whatever the request says.
    limit: usize,
}

impl Server {
    fn page(&self, cursor: Option<&Cursor>, asked: usize) -> Vec<Run> {
        let number = |id: &str| u32::from_str_radix(&id[4..], 16).expect("a number");
        let wanted = |(run, _): &&(u32, i64)| match cursor {
            None => true,
            Some(Cursor::After(id)) => (*run > number(id)) == self.inverted && *run != number(id),
            Some(Cursor::Before(id)) => (*run < number(id)) == self.inverted && *run != number(id),
        };
        let newest_first = self.runs.iter().rev().filter(wanted);
        newest_first.take(asked.min(self.limit)).map(|(run, at)| run_made_at(*run, *at)).collect()
    }
}

fn run_made_at(number: u32, second: i64) -> Run {
    let at = Timestamp::from_second(second).expect("a time").to_string();
    let run = json!({"id": format!("run-{number:08x}"), "created_at": at});
    Run::from_document(Document::from_value(run)).expect("a run")
}

/// Reads the whole list, while a run is added between any two pages. Returns the runs, the number of requests, and
/// whether the list was cut short.
fn read_runs(server: &mut Server, asked: usize) -> (Vec<Run>, usize, bool) {
    let mut pages = PageReader::new(Order::NewestFirst);
    let mut all = Vec::new();
    let mut requests = 0;
    while !pages.is_over() {
        let page = server.page(pages.cursor().as_ref(), asked);
        all.extend(pages.take(page, asked));
        requests += 1;
        assert!(requests <= 2 * server.runs.len() + 5, "it never ends");
        let (newest, at) = server.runs.last().copied().unwrap_or((0, 0));
        server.runs.push((newest + 1, at + 1));
    }
    (all, requests, pages.is_cut_short())
}

/// Returns a page of the messages before a cursor. A message is its number and its second.
fn messages_before(seconds: &[i64], before: Option<&Cursor>, size: usize, ascending: bool) -> Vec<Message> {
    let end = before.map_or(seconds.len(), |cursor| cursor.pair().1.parse().expect("a number"));
    let message = |n: usize| {
        let date = Timestamp::from_second(seconds[n]).expect("a time").to_string();
        Message::new(Document::from_value(json!({"id": n.to_string(), "date": date})))
    };
    let page = (end.saturating_sub(size)..end).map(message);
    if ascending { page.collect() } else { page.rev().collect() }
}

/// Reads a list without times from a server with pages of two. Returns the ids and the number of requests.
fn read_documents(ids: &[&str], inverted: bool) -> (Vec<String>, usize) {
    let mut pages = PageReader::new(Order::Other);
    let mut all = Vec::new();
    let mut requests = 0;
    while !pages.is_over() {
        requests += 1;
        assert!(requests < 20, "no end");
        let place = |id: &str| ids.iter().position(|other| *other == id).expect("a known id");
        let page: Vec<&str> = match pages.cursor() {
            None => ids.to_vec(),
            Some(cursor) => match cursor.pair() {
                (key, id) if (key == "after") != inverted => ids[place(id) + 1..].to_vec(),
                (_, id) => ids[..place(id)].to_vec(),
            },
        };
        let page = page.into_iter().take(2).map(|id| Document::from_value(json!({"id": id}))).collect();
        let fresh: Vec<Document> = pages.take(page, usize::MAX);
        all.extend(fresh.iter().filter_map(|item| item.text("id")).map(str::to_owned));
    }
    (all, requests)
}

proptest! {
    #[test]
    fn every_run_is_read_once_whichever_way_the_cursors_lead(
        seconds in proptest::collection::vec(0i64..2, 0..60), asked in 1usize..130, limit in 1usize..40, inverted: bool
    ) {
        // Runs of the same second have the same time. A server's own limit applies only beyond the API's default.
        let limit = if asked <= DEFAULT_LIMIT { asked } else { limit };
        let times = seconds.iter().scan(0, |at, more| { *at += more; Some(*at) });
        let runs: Vec<(u32, i64)> = (0..).zip(times).collect();
        let expected: Vec<String> = runs.iter().rev().map(|(run, _)| format!("run-{run:08x}")).collect();
        let pages = runs.len().div_ceil(limit);
        let (all, requests, cut_short) = read_runs(&mut Server { runs, inverted, limit }, asked);
        let ids: Vec<String> = all.iter().map(|run| run.id().to_string()).collect();
        prop_assert_eq!(ids, expected);
        prop_assert!(requests <= pages + 3, "{} requests for {} pages", requests, pages);
        prop_assert!(!cut_short);
    }

    #[test]
    fn every_message_is_read_once_whichever_order_a_page_has(
        steps in proptest::collection::vec(0i64..2, 0..80), size in 2usize..30, ascending: bool
    ) {
        let seconds: Vec<i64> = steps.iter().scan(0, |at, more| { *at += more; Some(*at) }).collect();
        let mut pages = PageReader::new(Order::NewestPageFirst);
        let mut read = Vec::new();
        let mut requests = 0;
        while !pages.is_over() {
            let page = messages_before(&seconds, pages.cursor().as_ref(), size, ascending);
            let fresh = pages.take(page, size);
            requests += 1;
            read.extend(fresh.iter().filter_map(|message| message.document().text("id")?.parse::<usize>().ok()));
        }
        read.sort_unstable();
        prop_assert_eq!(read, (0..seconds.len()).collect::<Vec<_>>());
        prop_assert!(requests <= seconds.len().div_ceil(size) + 2, "{} requests", requests);
    }
}

#[test]
fn every_document_is_read_once_whichever_way_the_cursors_lead() {
    for ids in [&["a"][..], &["a", "b"], &["a", "b", "c", "d", "e"]] {
        assert_eq!(read_documents(ids, false).0, ids);
        assert_eq!(read_documents(ids, true).0, ids);
    }
    assert_eq!(read_documents(&[], false), (vec![], 1));
}

#[test]
fn a_page_shorter_than_the_default_limit_is_the_last() {
    let runs = (0..5).map(|run| (run, run.into())).collect();
    let (all, requests, _) = read_runs(&mut Server { runs, inverted: false, limit: 20 }, 20);
    assert_eq!((all.len(), requests), (5, 1));
}

#[test]
fn with_exact_pages_any_short_page_is_the_last() {
    let page = vec![Document::from_value(json!({"id": "a"}))];
    for (mut pages, is_over) in
        [(PageReader::new(Order::Other), false), (PageReader::new(Order::Other).with_exact_pages(), true)]
    {
        pages.take(page.clone(), 1000);
        assert_eq!(pages.is_over(), is_over);
    }
}

#[test]
fn a_list_is_cut_short_if_both_cursors_lead_to_its_beginning() {
    let server = Server { runs: (0..9).map(|run| (run, run.into())).collect(), inverted: false, limit: 9 };
    let mut pages = PageReader::new(Order::NewestFirst);
    assert_eq!(pages.take(server.page(None, 9), 9).len(), 9);
    for cursor in [Cursor::After("run-00000000".to_owned()), Cursor::Before("run-00000000".to_owned())] {
        assert_eq!(pages.cursor(), Some(cursor));
        assert!(pages.take(server.page(None, 9), 9).is_empty());
    }
    assert!(pages.is_over() && pages.is_cut_short());
}

#[test]
fn a_server_that_ignores_cursors_gets_three_requests() {
    let mut pages = PageReader::new(Order::Other);
    let mut requests = 0;
    while !pages.is_over() {
        pages.take(vec![Document::from_value(json!({"id": "a"}))], usize::MAX);
        requests += 1;
    }
    assert_eq!(requests, 3);
}

#[test]
fn memory_does_not_grow_with_a_list_of_runs() {
    let mut server = Server { runs: vec![], inverted: true, limit: 10 };
    server.runs = (0..500).map(|run| (run, run.into())).collect();
    let mut pages = PageReader::new(Order::NewestFirst);
    while !pages.is_over() {
        let page = server.page(pages.cursor().as_ref(), 10);
        pages.take(page, 10);
        assert!(pages.seen.len() <= 10, "{}", pages.seen.len());
    }
    assert_eq!(pages.count, 500);
}

#[test]
fn messages_that_share_an_id_are_different_items() {
    let message = |kind: &str| Document::from_value(json!({"id": "message-1", "message_type": kind}));
    let page = vec![message("reasoning_message"), message("assistant_message")];
    let fresh = PageReader::new(Order::Other).take(page, usize::MAX);
    assert_eq!(fresh.len(), 2);
}

#[test]
fn a_list_whose_items_have_no_id_ends_after_one_page() {
    let mut pages = PageReader::new(Order::Other);
    let page = vec![Document::from_value(json!({"n": 1})), Document::from_value(json!({"n": 2}))];
    assert_eq!((pages.take(page, usize::MAX).len(), pages.is_over()), (2, true));
}

#[test]
fn a_run_that_a_page_has_twice_is_returned_once() {
    for order in [Order::NewestFirst, Order::Other] {
        let mut pages = PageReader::new(order);
        let runs = pages.take(vec![run_made_at(2, 2), run_made_at(2, 2), run_made_at(1, 1)], 3);
        let ids: Vec<&str> = runs.iter().map(|run| run.id().as_str()).collect();
        assert_eq!(ids, ["run-00000002", "run-00000001"], "{order:?}");
    }
}
