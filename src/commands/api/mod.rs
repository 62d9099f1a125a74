//! `api`: makes a request to any endpoint, with the key, the retries and the filter of the other commands.

mod api_path;
mod fields;
mod print;

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use http::Method;

use self::api_path::ApiPath;
use self::fields::Field;
use super::support::runtime::on_runtime;
use super::support::session::Session;
use super::support::stdin;
use super::{Ctx, End};
use crate::api::Raw;
use crate::api::exchange::Call;
use crate::core::pages::{Cursor, Order, PageReader};
use crate::core::retry::Intent;
use crate::exit::Exit;
use crate::report::Failure;

/// Make a request to any endpoint
///
/// PATH is below /v1, with or without that prefix, and may have a query. The answer is printed: JSON
/// as one document, indented on a terminal. The body of an error answer is printed too, unless a
/// filter is given, and its status decides the exit code.
///
/// Requests that read are retried; others only if the server cannot have accepted them.
/// `agentctl send` is the safer way to send a message.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl api GET /v1/agents/ -f limit=5 --jq '.[].name'
  agentctl api GET runs/ -f agent_id=agent-… --paginate --jq .id
  agentctl api PATCH agents/agent-… -f name=Ada -f metadata.level:=3
  echo '{\"label\":\"human\",\"value\":\"Ada\"}' | agentctl api POST blocks/ --input -

Exit codes: 4 for 401, 402 and 403; 5 for 404; 12 for other refusals; 9 for 429
and 5xx; 10 if it is unknown whether a request that changes something arrived;
11 for an answer that is not JSON although a filter is given. All of them: `agentctl help
exit-codes`.")]
pub struct Args {
    /// The method
    #[arg(value_enum, ignore_case = true, value_name = "METHOD")]
    pub method: HttpMethod,
    /// The path, such as /v1/agents/ or runs/run-…/steps
    #[arg(value_name = "PATH")]
    pub path: String,
    /// Add a field: key=text, or key:=JSON
    ///
    /// Fields go into the query of a GET and of a request with --input, otherwise into a JSON body,
    /// where dots in a key enter objects.
    #[arg(short, long = "field", value_name = "KEY=VALUE")]
    pub fields: Vec<Field>,
    /// Send the JSON in a file, or in standard input (-), as the body
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// Read a list to its end, and print one document per item
    #[arg(long)]
    pub paginate: bool,
    /// Print the status and the headers before the body
    #[arg(short, long)]
    pub include: bool,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum HttpMethod {
    /// Reads
    Get,
    /// Reads the headers
    Head,
    /// Creates, or makes something happen
    Post,
    /// Replaces
    Put,
    /// Changes
    Patch,
    /// Deletes
    Delete,
}

impl HttpMethod {
    fn reads(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }

    fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Head => Method::HEAD,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

/// A request that is ready to be made.
struct ApiRequest {
    method: HttpMethod,
    path: ApiPath,
    body: Option<String>,
}

/// Runs `api`.
pub fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let request = request(ctx, &args)?;
    on_runtime(async {
        let session = Session::open(ctx).await?;
        let exit = make(ctx, &session, &args, &request).await;
        session.close().await;
        exit.map(Into::into).map_err(Into::into)
    })
}

/// Builds the request, and refuses an invalid one.
fn request(ctx: &Ctx, args: &Args) -> Result<ApiRequest, Failure> {
    let mut path = ApiPath::parse(&args.path)?;
    if args.paginate && args.method != HttpMethod::Get {
        return Err(Failure::usage("--paginate reads a list, which only GET does").hint("leave it out, or give GET"));
    }
    if args.input.is_some() && args.method.reads() {
        return Err(Failure::usage("--input is a body, and this method sends none").hint("give POST, PUT or PATCH"));
    }
    let in_query = args.method.reads() || args.input.is_some();
    let body = match &args.input {
        Some(file) => Some(read(ctx, file)?),
        None if in_query => None,
        None => fields::body(&args.fields)?,
    };
    if in_query {
        path.query.extend(args.fields.iter().map(Field::pair));
    }
    Ok(ApiRequest { method: args.method, path, body })
}

fn read(ctx: &Ctx, file: &Path) -> Result<String, Failure> {
    let is_stdin = file == Path::new("-");
    if is_stdin && ctx.key_is_on_stdin() {
        return Err(Failure::usage("standard input cannot hold both the key and the body").hint(stdin::KEY_ELSEWHERE));
    }
    let text = if is_stdin { stdin::read_all(ctx, "the body")? } else { stdin::read_file(file)? };
    let name = if is_stdin { "standard input".to_owned() } else { file.display().to_string() };
    match serde_json::from_str::<serde::de::IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(format!("{name} is not JSON"))
            .cause(error)
            .hint("--input takes JSON; -f key=text and -f key:=JSON make it")),
    }
}

async fn make(ctx: &Ctx, session: &Session, args: &Args, request: &ApiRequest) -> Result<Exit, Failure> {
    if !args.paginate {
        let raw = session.api.raw(&request.call(None)).await;
        return print::answer(ctx, args.include, &raw).and_then(|()| end(raw));
    }
    let mut pages = PageReader::new(Order::Other);
    while !pages.is_over() {
        let raw = session.api.raw(&request.call(pages.cursor())).await;
        match (&raw.answer, &raw.error) {
            (Some(answer), None) => {
                let items = print::items(ctx, args.include, answer)?;
                pages.take(items, usize::MAX).iter().try_for_each(|item| print::document(ctx, item.line()))?;
            }
            _ => return print::answer(ctx, args.include, &raw).and_then(|()| end(raw)),
        }
    }
    Ok(Exit::Done)
}

impl ApiRequest {
    fn call(&self, cursor: Option<Cursor>) -> Call {
        let intent = if self.method.reads() { Intent::Read } else { Intent::Write };
        Call {
            method: self.method.method(),
            body: self.body.clone(),
            intent,
            ..Call::get(self.path.at(cursor.as_ref())).list()
        }
    }
}

/// Returns the exit for an answer or an error.
fn end(raw: Raw) -> Result<Exit, Failure> {
    let Some(error) = raw.error else { return Ok(Exit::Done) };
    let failure = error.failure();
    match error.status {
        Some(300..400) => Err(failure.hint("add a slash at the end of the path, or remove it")),
        Some(404) => {
            Err(failure
                .hint("check the ids in the path, and its end: collections end with a slash, such as /v1/agents/"))
        }
        _ => Err(failure),
    }
}
