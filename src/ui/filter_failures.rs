//! Failures of the `--jq` filter: the first of each kind is shown, later ones are counted.

use std::cell::{Cell, RefCell};

use crate::report::Failure;
use crate::text::count::plural;
use crate::text::page::Page;

/// The failures so far.
#[derive(Default)]
pub struct FilterFailures {
    ways: RefCell<Vec<String>>,
    untold: Cell<u64>,
}

impl FilterFailures {
    /// Records a failure. Returns whether it is the first of its kind, and so to be shown.
    pub fn is_first_of_kind(&self, failure: &Failure) -> bool {
        let way = way(&failure.causes.join(": "));
        let mut ways = self.ways.borrow_mut();
        if ways.contains(&way) {
            self.untold.set(self.untold.get() + 1);
            return false;
        }
        ways.push(way);
        true
    }

    /// Returns whether the filter failed at all.
    pub fn is_any(&self) -> bool {
        !self.ways.borrow().is_empty()
    }

    /// Returns the notice that counts the failures that were not shown.
    pub fn rest(&self) -> Option<Page> {
        let count = Some(self.untold.get()).filter(|count| *count > 0)?;
        let page = Page::new().say("the --jq filter failed likewise on ").show(&plural(count, "more document"));
        Some(page.end())
    }
}

/// Returns the kind of a failure: its message without quoted values and digits, which differ by document.
fn way(cause: &str) -> String {
    let mut way = String::new();
    let mut is_quoted = false;
    let mut is_escaped = false;
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
    fn each_kind_of_failure_is_shown_once() {
        let failures = FilterFailures::default();
        let failed = |why: &str| Failure::new(Exit::Local, "jq", "failed").cause(why);
        assert!(!failures.is_any() && failures.rest().is_none());
        for (cause, is_first_of_kind) in [
            (r#"cannot index "run-1" with "x""#, true),
            (r#"cannot index "run-2 \"quoted\" 7" with "x""#, false),
            (r#"cannot index 17 with "x""#, false),
            (r#"cannot calculate "a" + 1"#, true),
            (r#"cannot calculate "b" + 2"#, false),
        ] {
            assert_eq!(failures.is_first_of_kind(&failed(cause)), is_first_of_kind, "{cause}");
        }
        let rest = failures.rest().expect("some were not shown").text(false);
        assert_eq!(rest, "the --jq filter failed likewise on 3 more documents\n");
    }
}
