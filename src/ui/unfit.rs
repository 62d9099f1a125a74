//! Documents that the filter of `--jq` failed on: each way to fail is told once, and counted from then on.

use std::cell::{Cell, RefCell};

use crate::report::Failure;
use crate::text::count::plural;
use crate::text::page::Page;

/// The failures so far.
#[derive(Default)]
pub struct Unfit {
    ways: RefCell<Vec<String>>,
    untold: Cell<u64>,
}

impl Unfit {
    /// Takes a failure in. Returns whether it is the first of its kind, and to be told.
    pub fn is_news(&self, failure: &Failure) -> bool {
        let (way, mut ways) = (way(&failure.causes.join(": ")), self.ways.borrow_mut());
        if ways.contains(&way) {
            self.untold.set(self.untold.get() + 1);
            return false;
        }
        ways.push(way);
        true
    }

    /// Whether there was any.
    pub fn is_any(&self) -> bool {
        !self.ways.borrow().is_empty()
    }

    /// What is said in the end about those that were not told.
    pub fn rest(&self) -> Option<Page> {
        let count = Some(self.untold.get()).filter(|count| *count > 0)?;
        let page = Page::new().say("the --jq filter failed likewise on ").show(&plural(count, "more document"));
        Some(page.end())
    }
}

/// How a filter failed: its words without the values, which are another document's each time.
fn way(cause: &str) -> String {
    let (mut way, mut is_quoted, mut is_escaped) = (String::new(), false, false);
    for c in cause.chars() {
        match c {
            '"' if !is_escaped => is_quoted = !is_quoted,
            _ if !is_quoted && !c.is_ascii_digit() => way.push(c),
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn each_way_to_fail_is_news_once() {
        let (unfit, failed) = (Unfit::default(), |why: &str| Failure::new(Exit::Local, "jq", "failed").cause(why));
        assert!(!unfit.is_any() && unfit.rest().is_none());
        for (cause, is_news) in [
            (r#"cannot index "run-1" with "x""#, true),
            (r#"cannot index "run-2 \"quoted\" 7" with "x""#, false),
            (r#"cannot index 17 with "x""#, false),
            (r#"cannot calculate "a" + 1"#, true),
            (r#"cannot calculate "b" + 2"#, false),
        ] {
            assert_eq!(unfit.is_news(&failed(cause)), is_news, "{cause}");
        }
        let rest = unfit.rest().expect("some were not told").text(false);
        assert_eq!(rest, "the --jq filter failed likewise on 3 more documents\n");
    }
}
