//! A compiled jq program, and the errors of compilation.

use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Vars, compile, unwrap_valr};
use jaq_json::{Val, read};

use super::{Applied, Output, write};
use crate::report::Failure;
use crate::text::show;

/// Names of the standard library that reach beyond the document.
const LEFT_OUT: [&str; 8] =
    ["env", "halt", "halt_error", "debug", "debug_empty", "stderr", "stderr_empty", "input_filename"];
/// The most bytes of output for one document, against filters with endless output.
const OUTPUT_CAP: usize = 64 << 20;

/// A compiled program.
pub(super) struct Program(jaq_core::Filter<JustLut<Val>>);

impl Program {
    /// Compiles an expression.
    pub(super) fn compile(expression: &str) -> Result<Self, Failure> {
        let reaches = |name: &str| LEFT_OUT.contains(&name);
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs()).chain(rows());
        let defs = defs.filter(|def| !reaches(def.name));
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs()).filter(|fun| !reaches(fun.0));
        let arena = Arena::default();
        let file = File { code: expression, path: () };
        let modules = Loader::new(defs).load(&arena, file).map_err(|errors| misread(expression, &errors))?;
        let filter = jaq_core::Compiler::default().with_funs(funs).compile(modules);
        filter.map(Self).map_err(|errors| undefined(expression, &errors))
    }

    /// Applies the filter to a document.
    pub(super) fn apply(&self, document: &str) -> Applied {
        let value = match read::parse_single(document.as_bytes()) {
            Ok(value) => value,
            Err(error) => return (vec![], Some(error.to_string())),
        };
        let ctx = Ctx::<JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        let mut outputs = Vec::new();
        let mut size = 0;
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

/// `@csv` and `@tsv`.
fn rows() -> Vec<load::parse::Def<&'static str>> {
    load::parse(include_str!("rows.jq"), |parser| parser.defs()).unwrap_or_default()
}

/// Returns the failure for the first syntax error.
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

/// Returns the failure for the first undefined name.
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

/// Returns the number of the character at which a part of the expression begins, from 1. An empty part is the end.
fn place(whole: &str, part: &str) -> usize {
    let inside = !part.is_empty() && whole.as_bytes().as_ptr_range().contains(&part.as_ptr());
    let start = if inside { load::span(whole, part).start } else { whole.len() };
    whole[..start].chars().count() + 1
}

fn bad(whole: &str, why: &str) -> Failure {
    Failure::usage(format!("--jq: `{}` is no filter", show::clip(whole, 60))).cause(why)
}
