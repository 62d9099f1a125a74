//! The built-in jq: a filter that is given once and applied to one JSON document after another. Pure.
//!
//! A filter reads its document only. These are not defined: `env` and `$ENV` (they hold the key), `input` and `inputs`,
//! `halt`, and `debug` and `stderr`, which print outside of [`crate::ui::Io`].

mod program;
mod write;

use std::cell::Cell;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use self::program::Program;
use crate::report::Failure;

/// The time limit of a filter for one document.
const PATIENCE: Duration = Duration::from_secs(10);
/// The stack of the filter's thread, for deep recursion. Memory is committed only as it is used.
const STACK: usize = 256 << 20;

/// A filter on its own thread, so that one that does not end can be given up.
pub struct Filter {
    documents: Sender<String>,
    results: Receiver<Applied>,
    patience: Duration,
    given_up: Cell<bool>,
}

/// The outputs of a filter for a document, in order, and the error that stopped it.
pub type Applied = (Vec<Output>, Option<String>);

/// One output of a filter.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// A string, which is printed raw.
    Text(String),
    /// Any other value, as JSON on one line.
    Json(String),
}

impl Filter {
    /// Compiles an expression. An error names the place in it.
    pub fn compile(expression: &str) -> Result<Self, Failure> {
        Self::with_patience(expression, PATIENCE)
    }

    fn with_patience(expression: &str, patience: Duration) -> Result<Self, Failure> {
        let (documents, inbox) = channel::<String>();
        let (outbox, results) = channel::<Applied>();
        let (compile_sender, compile_result) = channel();
        let expression = expression.to_owned();
        let work = move || match Program::compile(&expression) {
            Ok(program) => {
                // A send fails only if the receiver is gone.
                let _ = compile_sender.send(Ok(()));
                while let Ok(document) = inbox.recv() {
                    let _ = outbox.send(program.apply(&document));
                }
            }
            Err(failure) => _ = compile_sender.send(Err(failure)),
        };
        let thread = thread::Builder::new().name("jq".to_owned()).stack_size(STACK).spawn(work);
        let compiled = thread.ok().and_then(|_| compile_result.recv().ok());
        compiled.unwrap_or_else(|| {
            Err(Failure::usage("--jq: the filter cannot be run here")
                .hint("leave it out, and pipe the documents into jq"))
        })?;
        Ok(Self { documents, results, patience, given_up: Cell::new(false) })
    }

    /// Applies the filter to a document. A filter that was given up once fails for every later document.
    pub fn apply(&self, document: &str) -> Applied {
        // A result that comes late belongs to an earlier document: none is read after the filter was given up.
        let is_sent = !self.given_up.get() && self.documents.send(document.to_owned()).is_ok();
        let failed = match is_sent.then(|| self.results.recv_timeout(self.patience)) {
            Some(Ok(applied)) => return applied,
            Some(Err(RecvTimeoutError::Timeout)) => format!("it did not end within {} s", self.patience.as_secs()),
            Some(Err(RecvTimeoutError::Disconnected)) => "it broke down".to_owned(),
            None => "it was given up on a document before".to_owned(),
        };
        self.given_up.set(true);
        (vec![], Some(failed))
    }
}

impl Output {
    fn len(&self) -> usize {
        let (Self::Text(text) | Self::Json(text)) = self;
        text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(expression: &str, document: &str) -> Vec<String> {
        let (outputs, error) = Filter::compile(expression).expect(expression).apply(document);
        assert_eq!(error, None, "{expression}");
        outputs
            .into_iter()
            .map(|output| match output {
                Output::Text(text) => format!("raw {text}"),
                Output::Json(text) => text,
            })
            .collect()
    }

    #[test]
    fn strings_are_raw_and_everything_else_is_json() {
        assert_eq!(apply(".a, .b", r#"{"a":"x\ny","b":["x\ny"]}"#), ["raw x\ny", r#"["x\ny"]"#]);
        assert_eq!(apply("empty", "{}"), [""; 0]);
        assert_eq!(apply(".missing", "{}"), ["null"]);
    }

    #[test]
    fn numbers_and_the_order_of_keys_survive() {
        for document in [
            r#"{"ns":9007199254740993,"b":12345678901234567890123,"a":1.50,"c":1e400,"z":-0.0}"#,
            r#"{"z":1,"a":{"y":2,"b":3}}"#,
        ] {
            assert_eq!(apply(".", document), [document]);
        }
        assert_eq!(apply(".ns + 1", r#"{"ns":9007199254740993}"#), ["9007199254740994"]);
    }

    #[test]
    fn results_of_arithmetic_read_as_in_jq() {
        assert_eq!(apply(".ns / 1000000", r#"{"ns":4230000000}"#), ["4230"]);
        assert_eq!(apply(".ns / 1e9, nan, [infinite], -0.5", r#"{"ns":4230000000}"#)[..2], ["4.23", "null"]);
    }

    #[test]
    fn the_standard_library_is_there() {
        let document = r#"{"created_at":"2026-11-23T14:56:08Z","steps":[3,1,2]}"#;
        assert_eq!(apply(".created_at | fromdateiso8601", document), ["1795445768"]);
        assert_eq!(apply(".steps | sort | map(. * 2) | @csv", document), ["raw 2,4,6"]);
        let row = r#"{"row":["a\"b","t\tb",1.5,null,true]}"#;
        assert_eq!(apply(".row | @csv", row), ["raw \"a\"\"b\",\"t\tb\",1.5,,true"]);
        assert_eq!(apply(".row | @tsv", row), ["raw a\"b\tt\\tb\t1.5\t\ttrue"]);
        assert_eq!(apply(".created_at | test(\"^2026\")", document), ["true"]);
    }

    #[test]
    fn an_error_in_an_expression_names_its_place() {
        for (expression, why) in [
            ("", "expected term, found the end (character 1)"),
            (".a |", "expected term, found the end (character 5)"),
            (".a ü", "expected token, found `ü` (character 4)"),
            ("[.a", "expected closing bracket, found the end (character 4)"),
            ("nope", "the filter `nope` is not defined (character 1)"),
            (". | nope(1)", "the filter `nope` is not defined (character 5)"),
            ("$x", "the variable `$x` is not defined (character 1)"),
        ] {
            let failure = Filter::compile(expression).err().expect(expression);
            assert_eq!(failure.causes, [why], "{expression}");
        }
    }

    #[test]
    fn a_filter_reads_its_document_only() {
        for expression in
            ["env", "$ENV", "env.LETTA_API_KEY", "input", "inputs", "halt", "halt_error", "debug", "stderr"]
        {
            assert!(Filter::compile(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn output_before_a_failure_is_kept() {
        let (outputs, error) = Filter::compile(".a, .a.b").expect("a filter").apply(r#"{"a":1}"#);
        assert_eq!(outputs, [Output::Json("1".into())]);
        assert!(error.expect("an error").contains("cannot index 1"));
    }

    #[test]
    fn a_filter_with_endless_output_is_stopped() {
        let filter = Filter::with_patience("repeat(.a * 1000000)", Duration::from_secs(60)).expect("a filter");
        let (outputs, error) = filter.apply(r#"{"a":"x"}"#);
        assert_eq!((outputs, error.as_deref()), (vec![], Some("it makes more than 64 MiB of one document")));
    }

    #[test]
    fn a_filter_that_does_not_end_is_given_up_for_good() {
        let filter = Filter::with_patience("def f: f; f", Duration::from_millis(50)).expect("a filter");
        for said in ["it did not end", "it was given up", "it was given up"] {
            let (outputs, error) = filter.apply("{}");
            assert!(outputs.is_empty() && error.as_ref().is_some_and(|error| error.starts_with(said)), "{error:?}");
        }
    }

    #[test]
    fn a_filter_may_call_itself_many_times() {
        assert_eq!(apply("def f: if . > 0 then 1 + (. - 1 | f) else 0 end; 5000 | f", "{}"), ["5000"]);
    }

    #[test]
    fn a_value_that_is_not_json_is_an_error() {
        let (_, error) = Filter::compile("{(1): 2}").expect("a filter").apply("{}");
        assert_eq!(error.as_deref(), Some("the key of an object must be a string, and one is 1"));
    }
}
