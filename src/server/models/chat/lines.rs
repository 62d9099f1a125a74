//! The JSON values of an answer: one in each `data:` line of an event stream, or one in all.

use serde_json::Value;

/// An answer that is being read.
pub struct Lines {
    streams: bool,
    /// What came behind the last end of a line.
    rest: Vec<u8>,
}

/// A value, or why there is none.
type Read = Result<Value, String>;

impl Lines {
    /// Begins to read an answer that streams, or one that comes as a whole.
    pub fn new(streams: bool) -> Self {
        Self { streams, rest: Vec::new() }
    }

    /// Takes more of it. Returns the values that are whole now.
    pub fn add(&mut self, chunk: &[u8]) -> Vec<Read> {
        self.rest.extend_from_slice(chunk);
        if !self.streams {
            return Vec::new();
        }
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        lines.split(|byte| *byte == b'\n').filter_map(value).collect()
    }

    /// What is left at the end.
    pub fn rest(self) -> Vec<Read> {
        if self.streams { value(&self.rest).into_iter().collect() } else { vec![parse(&self.rest)] }
    }
}

/// The value of a line, if it has one: not an empty line, a comment, or the end marker.
fn value(line: &[u8]) -> Option<Read> {
    let data = line.strip_prefix(b"data:")?.trim_ascii();
    (!data.is_empty() && data != b"[DONE]").then(|| parse(data))
}

fn parse(text: &[u8]) -> Read {
    serde_json::from_slice(text).map_err(|error| format!("the answer is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_come_as_their_lines_are_whole_however_they_are_cut() {
        let text = b": hello\r\n\r\ndata: {\"a\": \"\xc3\xa9\"}\r\n\r\nevent: x\ndata:{\"a\": 2}\n\ndata: [DONE]\n\n";
        for size in 1..text.len() {
            let mut lines = Lines::new(true);
            let mut values: Vec<Value> =
                text.chunks(size).flat_map(|chunk| lines.add(chunk)).map(Result::unwrap).collect();
            values.extend(lines.rest().into_iter().map(Result::unwrap));
            assert_eq!(values, [json!({"a": "é"}), json!({"a": 2})], "{size}");
        }
    }

    #[test]
    fn a_last_line_without_an_end_counts_and_a_whole_answer_is_one_value() {
        let mut lines = Lines::new(true);
        assert!(lines.add(b"data: {\"a\": 1}").is_empty());
        assert_eq!(lines.rest(), [Ok(json!({"a": 1}))]);
        let mut whole = Lines::new(false);
        assert!(whole.add(b"{\"a\":\n1}\n").is_empty());
        assert_eq!(whole.rest(), [Ok(json!({"a": 1}))]);
        let mut broken = Lines::new(true);
        assert!(broken.add(b"data: <html>\n")[0].is_err());
    }
}
