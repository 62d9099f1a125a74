//! Counts, as people read and write them.

use std::str::FromStr;

/// A number and its noun: `1 run`, `3 runs`.
pub fn plural(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Reads how many of something are asked for: one or more.
pub fn parse<T: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<T, String> {
    let count = text.parse().ok().filter(|count| *count >= T::from(1));
    count.ok_or_else(|| "it must be 1 or more".to_owned())
}

/// A number of things and how many of each kind there are: `3 runs: 2 succeeded, 1 failed`.
///
/// The kinds stand in the order in which each is first met.
pub fn tally(noun: &str, kinds: &[&'static str]) -> String {
    let mut groups: Vec<(&str, usize)> = vec![];
    for kind in kinds {
        match groups.iter_mut().find(|(known, _)| known == kind) {
            Some((_, count)) => *count += 1,
            None => groups.push((kind, 1)),
        }
    }
    let groups: Vec<String> = groups.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let total = plural(kinds.len() as u64, noun);
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
    fn kinds_are_counted_in_the_order_of_appearance() {
        assert_eq!(tally("run", &["open", "failed", "open"]), "3 runs: 2 open, 1 failed");
        assert_eq!(tally("run", &["open"]), "1 run: 1 open");
        assert_eq!(tally("run", &[]), "0 runs");
    }
}
