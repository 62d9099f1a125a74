//! The wait that a server asks for in its response headers.

use std::time::Duration;

/// Returns the wait that a server asks for, by the most precise header: `retry-after-ms`, then `Retry-After` as
/// seconds (whole or not) or as an HTTP date, which is taken relative to the server's own `Date`.
///
/// Returns `None` if the value is negative, zero or not a number.
pub fn retry_after(millis: Option<&str>, seconds_or_date: Option<&str>, date: Option<&str>) -> Option<Duration> {
    let millis = millis.and_then(|text| seconds(text, 0.001));
    let seconds = || seconds_or_date.and_then(|text| seconds(text, 1.0));
    let until = || {
        let until = httpdate::parse_http_date(seconds_or_date?.trim()).ok()?;
        let now = httpdate::parse_http_date(date?.trim()).ok()?;
        until.duration_since(now).ok().filter(|wait| !wait.is_zero())
    };
    millis.or_else(seconds).or_else(until)
}

fn seconds(text: &str, unit: f64) -> Option<Duration> {
    // Rust also reads `inf`, `NaN` and signs as numbers; a header's number begins with a digit.
    let number = text.trim();
    if !number.trim_start_matches('.').starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<f64>().ok()? * unit;
    // `from_secs_f64` panics on a number that is too large.
    Some(Duration::from_secs_f64(seconds.min(1e9))).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DATE: &str = "Mon, 23 Nov 2026 10:00:00 GMT";
    /// The longest wait, in seconds.
    const LONGEST: Option<f64> = Some(1e9);

    /// Values of `Retry-After` from a server whose clock shows [`DATE`], and the seconds that each asks for.
    const ROWS: [(&str, Option<f64>); 34] = [
        ("1", Some(1.0)),
        ("20", Some(20.0)),
        (" 20 ", Some(20.0)),
        ("020", Some(20.0)),
        ("60", Some(60.0)),
        ("61", Some(61.0)),
        ("301", Some(301.0)),
        ("86400", Some(86400.0)),
        ("0.5", Some(0.5)),
        (".5", Some(0.5)),
        ("1.", Some(1.0)),
        ("2e1", Some(20.0)),
        ("1e30", LONGEST),
        ("1e999", LONGEST),
        ("99999999999999999999", LONGEST),
        ("99999999999999999999999999999999999", LONGEST),
        ("0", None),
        ("0.0", None),
        ("-0", None),
        ("-1", None),
        ("-10", None),
        ("+10", None),
        ("NaN", None),
        ("inf", None),
        ("-inf", None),
        ("", None),
        ("soon", None),
        ("5s", None),
        ("1,5", None),
        ("Mon, 23 Nov 2026 10:00:07 GMT", Some(7.0)),
        ("Monday, 23-Nov-26 10:01:00 GMT", Some(60.0)),
        ("Mon Nov 23 10:00:01 2026", Some(1.0)),
        ("Mon, 23 Nov 2026 09:59:00 GMT", None),
        ("Zun, 29 Sep 2026 10:00:00 GMT", None),
    ];

    #[test]
    fn agt_08_retry_after_is_read_in_all_its_forms() {
        for (header, expected) in ROWS {
            let asked = retry_after(None, Some(header), Some(DATE));
            assert_eq!(asked.map(|asked| asked.as_secs_f64()), expected, "{header:?}");
        }
    }

    #[test]
    fn milliseconds_come_first_and_a_date_needs_the_servers_clock() {
        let later = Some("Mon, 23 Nov 2026 10:00:07 GMT");
        for (millis, header, date, expected) in [
            (Some("1500"), Some("20"), Some(DATE), Some(1.5)),
            (Some("0.5"), None, None, Some(0.0005)),
            (Some("soon"), Some("20"), Some(DATE), Some(20.0)),
            (Some("-1"), later, Some(DATE), Some(7.0)),
            (None, later, None, None),
            (None, later, Some("yesterday"), None),
        ] {
            let asked = retry_after(millis, header, date);
            assert_eq!(asked.map(|asked| asked.as_secs_f64()), expected, "{millis:?} {header:?} {date:?}");
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_arithmetic(millis: Option<String>, header: String, number: f64, date: Option<String>) {
            for header in [header, number.to_string()] {
                let asked = retry_after(millis.as_deref(), Some(&header), date.as_deref());
                prop_assert!(asked.is_none_or(|asked| !asked.is_zero() && asked <= Duration::from_secs(1_000_000_000)));
            }
        }
    }
}
