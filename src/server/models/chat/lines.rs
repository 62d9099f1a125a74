//! Reads the JSON values of an answer: one per `data:` line of an event stream, or a single one.

use serde_json::Value;

/// A reader of an answer.
pub struct Lines {
    streams: bool,
    /// The bytes after the last line end.
    rest: Vec<u8>,
}

/// A value, or why it cannot be read.
type Read = Result<Value, String>;

impl Lines {
    /// Reads an event stream, or a single JSON document.
    pub fn new(streams: bool) -> Self {
        Self { streams, rest: Vec::new() }
    }

    /// Adds bytes. Returns the values that they complete.
    pub fn add(&mut self, chunk: &[u8]) -> Vec<Read> {
        self.rest.extend_from_slice(chunk);
        if !self.streams {
            return Vec::new();
        }
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let lines: Vec<u8> = self.rest.drain(..=end).collect();
        lines.split(|byte| *byte == b'\n').filter_map(value).collect()
    }

    /// Returns the values of the rest, at the end of the answer.
    pub fn rest(self) -> Vec<Read> {
        if self.streams { value(&self.rest).into_iter().collect() } else { vec![parse(&self.rest)] }
    }
}

/// Returns the value of a line; `None` for an empty line, a comment, or the end marker.
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
    fn values_are_the_same_however_the_bytes_are_split() {
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
    fn a_last_line_without_an_end_counts_and_a_document_is_one_value() {
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
