//! Parsing and formatting of counts.

use std::str::FromStr;

/// Formats a number with its noun: `1 run`, `3 runs`.
pub fn plural(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Parses a count of 1 or more.
pub fn parse<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let count = text.parse().ok().filter(|count| *count >= T::from(1));
    count.ok_or_else(|| "it must be 1 or more".to_owned())
}

/// Formats a count by group: `3 runs: 2 succeeded, 1 failed`. The groups keep the order of first appearance.
pub fn tally(noun: &str, labels: &[&'static str]) -> String {
    let mut groups: Vec<(&str, usize)> = vec![];
    for label in labels {
        match groups.iter_mut().find(|(known, _)| known == label) {
            Some((_, count)) => *count += 1,
            None => groups.push((label, 1)),
        }
    }
    let groups: Vec<String> = groups.iter().map(|(label, count)| format!("{count} {label}")).collect();
    let total = plural(labels.len() as u64, noun);
    if groups.is_empty() { total } else { format!("{total}: {}", groups.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_one_or_more() {
        assert_eq!(parse::<u64>("1"), Ok(1));
        for text in ["0", "-1", "1.5", "", "x", "99999999999999999999"] {
            assert!(parse::<u64>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn groups_are_counted_in_the_order_of_first_appearance() {
        assert_eq!(tally("run", &["open", "failed", "open"]), "3 runs: 2 open, 1 failed");
        assert_eq!(tally("run", &["open"]), "1 run: 1 open");
        assert_eq!(tally("run", &[]), "0 runs");
    }
}
