//! The built-in jq: a filter that is given once and applied to one JSON document after another. Pure.
//!
//! A filter sees its document and nothing else. What would let it reach further is not defined: `env` and `$ENV` (which
//! hold the key), `input` and `inputs`, `halt`, and `debug` and `stderr`, which would print beside the streams.

mod write;

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Vars, compile, unwrap_valr};
use jaq_json::{Val, read};

use crate::report::Failure;
use crate::text::show;

/// Names of the standard library that reach beyond the document.
const LEFT_OUT: [&str; 8] =
    ["env", "halt", "halt_error", "debug", "debug_empty", "stderr", "stderr_empty", "input_filename"];
/// The most bytes that a filter may make of one document. A filter without an end would fill the memory.
const OUTPUT_CAP: usize = 64 << 20;

/// A compiled filter.
pub struct Filter(jaq_core::Filter<JustLut<Val>>);

/// What a filter makes of a document.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// A string, which is printed raw.
    Text(String),
    /// Anything else, as JSON on one line.
    Json(String),
}

impl Filter {
    /// Compiles an expression. What is wrong with it is said with its place.
    pub fn compile(expression: &str) -> Result<Self, Failure> {
        let reaches = |name: &str| LEFT_OUT.contains(&name);
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(rows());
        let defs = defs.filter(|def| !reaches(def.name));
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|fun| !reaches(fun.0));
        let (arena, file) = (Arena::default(), File { code: expression, path: () });
        let modules = Loader::new(defs).load(&arena, file).map_err(|errors| misread(expression, &errors))?;
        let filter = jaq_core::Compiler::default().with_funs(funs).compile(modules);
        filter.map(Self).map_err(|errors| undefined(expression, &errors))
    }

    /// Applies it to a document: what it makes of it, in order, and why it stopped early if it did.
    pub fn apply(&self, document: &str) -> (Vec<Output>, Option<String>) {
        let value = match read::parse_single(document.as_bytes()) {
            Ok(value) => value,
            Err(error) => return (vec![], Some(error.to_string())),
        };
        let ctx = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let (mut outputs, mut size) = (Vec::new(), 0);
        for result in self.0.id.run((ctx, value)).map(unwrap_valr) {
            match result.map_err(|error| error.to_string()).and_then(|value| write::output(&value)) {
                Ok(output) => {
                    size += output.len() + size_of::<Output>();
                    outputs.push(output);
                }
                Err(error) => return (outputs, Some(error)),
            }
            if size > OUTPUT_CAP {
                return (vec![], Some("it makes more than 64 MiB of one document".to_owned()));
            }
        }
        (outputs, None)
    }
}

impl Output {
    fn len(&self) -> usize {
        let (Self::Text(text) | Self::Json(text)) = self;
        text.len()
    }
}

/// `@csv` and `@tsv`.
fn rows() -> Vec<load::parse::Def<&'static str>> {
    load::parse(include_str!("rows.jq"), |parser| parser.defs()).unwrap_or_default()
}

/// The first thing that cannot be read.
fn misread(whole: &str, errors: &load::Errors<&str, ()>) -> Failure {
    let why = match errors.first().map(|(_, error)| error) {
        Some(load::Error::Lex(errors)) => {
            errors.first().map(|(expected, found)| unexpected(whole, expected.as_str(), found))
        }
        Some(load::Error::Parse(errors)) => {
            errors.first().map(|(expected, found)| unexpected(whole, expected.as_str(), found))
        }
        Some(load::Error::Io(errors)) => errors.first().map(|(_, error)| error.clone()),
        None => None,
    };
    bad(whole, &why.unwrap_or_default()).hint("it is a jq expression, such as '.status' or '._agentctl.duration_ns'")
}

/// The first thing that has no meaning.
fn undefined(whole: &str, errors: &compile::Errors<&str, ()>) -> Failure {
    let first = errors.first().and_then(|(_, errors)| errors.first());
    let why = first.map(|(name, what)| {
        let shown = show::clip(name, 60);
        format!("the {} `{shown}` is not defined (character {})", what.as_str(), place(whole, name))
    });
    bad(whole, &why.unwrap_or_default())
        .hint("a filter sees its document and nothing else: input, env, $ENV, halt, debug and stderr are left out")
}

fn unexpected(whole: &str, expected: &str, found: &str) -> String {
    let found_shown = match found.chars().next() {
        None => "the end".to_owned(),
        Some(_) => format!("`{}`", show::clip(found, 20)),
    };
    format!("expected {expected}, found {found_shown} (character {})", place(whole, found))
}

/// The number of the character at which a part of the expression begins, from 1. The parser's empty parts are its end.
fn place(whole: &str, part: &str) -> usize {
    let inside = !part.is_empty() && whole.as_bytes().as_ptr_range().contains(&part.as_ptr());
    let start = if inside { load::span(whole, part).start } else { whole.len() };
    whole[..start].chars().count() + 1
}

fn bad(whole: &str, why: &str) -> Failure {
    Failure::usage(format!("--jq: `{}` is no filter", show::clip(whole, 60))).cause(why)
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
    fn a_bad_expression_is_told_with_its_place() {
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
    fn a_filter_sees_its_document_and_nothing_else() {
        for expression in
            ["env", "$ENV", "env.LETTA_API_KEY", "input", "inputs", "halt", "halt_error", "debug", "stderr"]
        {
            assert!(Filter::compile(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn what_came_before_a_failure_is_kept() {
        let (outputs, error) = Filter::compile(".a, .a.b").expect("a filter").apply(r#"{"a":1}"#);
        assert_eq!(outputs, [Output::Json("1".into())]);
        assert!(error.expect("an error").contains("cannot index 1"));
    }

    #[test]
    fn a_filter_without_an_end_is_ended() {
        let (outputs, error) = Filter::compile("repeat(.)").expect("a filter").apply(r#"{"a":1}"#);
        assert_eq!((outputs, error.as_deref()), (vec![], Some("it makes more than 64 MiB of one document")));
    }

    #[test]
    fn what_json_cannot_hold_is_an_error() {
        let (_, error) = Filter::compile("{(1): 2}").expect("a filter").apply("{}");
        assert_eq!(error.as_deref(), Some("the key of an object must be a string, and one is 1"));
    }
}
