//! JSON Schemas (2020-12) of input and output. Pure.
//!
//! Schemas of this program's own output are generated from its types. Runs and requests are defined by the server: their
//! schemas are the JSON files in this folder, open to fields of a newer server.

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};

use crate::core::Outcome;
use crate::core::facts::Facts;
use crate::render;
use crate::report;

const RUN: &str = include_str!("run.json");
const REQUEST: &str = include_str!("request.json");
const BATCH_LINE: &str = include_str!("batch-line.json");
const BATCH_RESULT: &str = include_str!("batch-result.json");

/// The body of a message.
pub fn request() -> Value {
    read(REQUEST)
}

/// A run, with what this program adds to it.
pub fn run() -> Value {
    let mut generator = generator();
    let schema = run_in(&mut generator);
    with_definitions(schema, generator)
}

/// A line of a batch's input.
pub fn batch_line() -> Value {
    let mut schema = read(BATCH_LINE);
    schema["$defs"] = read(REQUEST)["$defs"].take();
    schema
}

/// A line of a batch's results.
pub fn batch_result() -> Value {
    let mut generator = generator();
    generator.subschema_for::<Outcome>();
    generator.subschema_for::<report::Error<'_>>();
    with_definitions(read(BATCH_RESULT), generator)
}

/// A line of `--events`. Its runs are described as [`run`] describes them.
pub fn event() -> Value {
    let mut generator = generator();
    let mut run = run_in(&mut generator);
    run.as_object_mut().and_then(|run| run.shift_remove("$schema"));
    generator.definitions_mut().insert("Run".to_owned(), run);
    titled(generator.into_root_schema_for::<render::json::EventLine<'_>>())
}

/// The object on standard error.
pub fn error() -> Value {
    titled(generator().into_root_schema_for::<report::Envelope<'_>>())
}

/// Returns a generator for output, in which every key is required: unknown values are null.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// Moves `$schema`, title and description to the front.
fn titled(schema: Schema) -> Value {
    let mut rest = schema.to_value().as_object().cloned().unwrap_or_default();
    let first = ["$schema", "title", "description"].map(|key| rest.shift_remove_entry(key));
    first.into_iter().flatten().chain(rest).collect::<Map<_, _>>().into()
}

/// A run, whose definitions stay in the generator.
fn run_in(generator: &mut SchemaGenerator) -> Value {
    let mut schema = read(RUN);
    schema["properties"]["_agentctl"] = generator.subschema_for::<Facts>().to_value();
    schema
}

fn with_definitions(mut schema: Value, mut generator: SchemaGenerator) -> Value {
    schema["$defs"] = Value::Object(generator.take_definitions(true));
    schema
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).expect("a schema of this program is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{RunStatus, StopReason};

    fn examples(key: &str) -> Vec<String> {
        let examples = run()["properties"][key]["examples"].take();
        serde_json::from_value(examples).expect("texts")
    }

    #[test]
    fn the_examples_are_the_statuses_and_stop_reasons_that_this_program_knows() {
        let known: Vec<&str> = StopReason::KNOWN.iter().map(StopReason::as_str).collect();
        assert_eq!(examples("stop_reason"), known);
        let unknown = |word: &String| matches!(RunStatus::from(word.as_str()), RunStatus::Unknown(_));
        assert!(!examples("status").iter().any(unknown));
    }

    #[test]
    fn every_schema_has_a_title_and_refers_only_to_itself() {
        for schema in [request(), run(), batch_line(), batch_result(), event(), error()] {
            assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
            assert!(schema["title"].is_string() && schema["description"].is_string(), "{schema:#}");
            let text = schema.to_string();
            for reference in text.split("\"$ref\":\"").skip(1) {
                let (target, _) = reference.split_once('"').expect("a reference");
                let pointer = target.strip_prefix('#').expect("a reference inside the document");
                assert!(schema.pointer(pointer).is_some(), "{target} leads nowhere\n{schema:#}");
            }
        }
    }
}
