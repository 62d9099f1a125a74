//! Text for a terminal: nothing hidden, showing twice changes nothing, never wider than asked.
#![no_main]

use agentctl::text::ascii::ascii;
use agentctl::text::show::{clip, is_hidden, show, show_line};
use agentctl::text::wrap::wrap;
use libfuzzer_sys::fuzz_target;
use unicode_width::UnicodeWidthStr;

fuzz_target!(|given: (u8, &str)| {
    let columns = usize::from(given.0);
    let text = given.1;
    let shown = show(text);
    assert!(!shown.as_str().chars().any(is_hidden));
    assert_eq!(show(shown.as_str()), shown);
    let line = show_line(text);
    assert!(!line.as_str().contains(['\n', '\t']));
    assert_eq!(show_line(line.as_str()), line);
    assert!(clip(text, columns).width() <= columns);
    if columns >= 2 {
        assert!(wrap(line.as_str(), columns).iter().all(|line| line.width() <= columns));
    }
    assert!(ascii(shown.as_str()).is_ascii());
});
