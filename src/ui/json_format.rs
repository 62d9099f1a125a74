//! Filters and formats JSON documents before they are printed: `--jq` and `--pretty`.

use serde_json::Value;

use crate::exit::Exit;
use crate::jq::{Filter, Output};
use crate::model::document::indented;
use crate::report::Failure;
use crate::text::show::show;

/// The filter and the format of JSON documents.
#[derive(Default)]
pub struct Shape {
    /// Indent them.
    pub pretty: bool,
    /// The filter of `--jq`.
    pub filter: Option<Filter>,
}

impl Shape {
    /// Returns the text of a document with its line feeds, and the failure of the filter if it failed. Output that came
    /// before the failure is kept.
    ///
    /// A string result is printed raw, but on a terminal its control characters are escaped.
    pub fn apply(&self, json: &str, pretty: bool, to_terminal: bool) -> (String, Option<Failure>) {
        let Some(filter) = &self.filter else { return (line(json, pretty), None) };
        let (outputs, error) = filter.apply(json);
        let shown = |output: &Output| match output {
            Output::Text(text) if to_terminal => format!("{}\n", show(text)),
            Output::Text(text) => format!("{text}\n"),
            Output::Json(json) => line(json, pretty),
        };
        (outputs.iter().map(shown).collect(), error.map(|error| failed(json, &error)))
    }
}

fn line(json: &str, pretty: bool) -> String {
    if pretty { indented(json) + "\n" } else { format!("{json}\n") }
}

/// Returns the failure of the filter on a document, named by its run or by its own id.
fn failed(json: &str, error: &str) -> Failure {
    let document: Value = serde_json::from_str(json).unwrap_or_default();
    let id = ["run_id", "id"].iter().find_map(|key| document[*key].as_str());
    let about = id.map(|id| format!(" on {id}")).unwrap_or_default();
    let failure = Failure::new(Exit::Local, "jq", format!("the --jq filter failed{about}")).cause(error);
    let failure = failure.hint("`.key?` and `// \"default\"` pass over what some documents do not have");
    match id.filter(|id| id.starts_with("run-") || id.starts_with("job-")) {
        Some(run) => failure.run(run),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(expression: &str) -> Shape {
        Shape { pretty: false, filter: Some(Filter::compile(expression).expect("a filter")) }
    }

    #[test]
    fn a_string_is_raw_in_a_pipe_and_made_safe_on_a_terminal() {
        let json = r#"{"a":"x\u001b[31m\ny"}"#;
        let shape = shape(".a");
        assert_eq!(shape.apply(json, false, false).0, "x\u{1b}[31m\ny\n");
        assert_eq!(shape.apply(json, false, true).0, "x\\u{1b}[31m\ny\n");
    }

    #[test]
    fn every_result_is_a_line_and_no_result_prints_nothing() {
        assert_eq!(shape(".[]").apply(r#"{"a":1,"b":[2, 3]}"#, false, false).0, "1\n[2,3]\n");
        assert_eq!(shape("empty").apply("{}", false, false), (String::new(), None));
        assert_eq!(shape(".").apply(r#"{"a":[]}"#, true, false).0, "{\n  \"a\": []\n}\n");
    }

    #[test]
    fn a_failure_names_the_run() {
        for json in [r#"{"id":"run-12345678","n":1}"#, r#"{"id":"message-1","run_id":"run-12345678","n":1}"#] {
            let failure = shape(".n.x").apply(json, false, false).1.expect("a failure");
            assert_eq!((failure.exit, failure.run_id.as_deref()), (Exit::Local, Some("run-12345678")));
            assert!(failure.message.contains("run-12345678"), "{}", failure.message);
        }
    }
}
