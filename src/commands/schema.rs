//! `schema`: prints the JSON Schema of a document that the program reads or writes.

use clap::ValueEnum;

use super::{Ctx, End};
use crate::exit::Exit;
use crate::schema;

/// Print a JSON Schema
///
/// One document of JSON Schema 2020-12, the same on a terminal and in a pipe. Unknown fields are
/// allowed everywhere: servers and this program may add some.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl schema run > run.schema.json
  agentctl schema event --jq '.[\"$defs\"] | keys[]'")]
pub struct Args {
    /// The document
    #[arg(value_enum, value_name = "NAME")]
    pub name: SchemaName,
}

/// A document that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaName {
    /// The body of a message
    Request,
    /// A run
    Run,
    /// A line that batch reads
    BatchLine,
    /// A line that batch prints
    BatchResult,
    /// A line of --events
    Event,
    /// The object on standard error
    Error,
}

/// Runs `schema`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    let schema = match args.name {
        SchemaName::Request => schema::request(),
        SchemaName::Run => schema::run(),
        SchemaName::BatchLine => schema::batch_line(),
        SchemaName::BatchResult => schema::batch_result(),
        SchemaName::Event => schema::event(),
        SchemaName::Error => schema::error(),
    };
    ctx.io.indented(&schema.to_string())?;
    Ok(Exit::Done.into())
}
