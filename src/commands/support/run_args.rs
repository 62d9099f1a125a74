//! RUN arguments: ids, `@last`, JSON documents, and `-` for standard input.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::ctx::Ctx;
use super::session::{NOT_THIS_API, Session};
use super::stdin;
use crate::exit::Exit;
use crate::follow::FollowTarget;
use crate::model::{AgentId, Document, Run, RunId};
use crate::report::Failure;

/// A RUN argument.
#[derive(Clone, Debug, PartialEq)]
pub enum RunArg {
    /// A run's id, with its document if that was given.
    Run(RunId, Option<Box<Run>>),
    /// `@last`: the last run that was sent from here.
    Last,
    /// `-`: the runs on standard input.
    Stdin,
}

impl RunArg {
    /// Parses an argument. Anything but an id of the documented form is refused.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        match text.trim() {
            "-" => Ok(Self::Stdin),
            "@last" => Ok(Self::Last),
            document if document.starts_with('{') => from_document(document),
            _ => text.parse().map(|id| Self::Run(id, None)).map_err(bad_id),
        }
    }
}

/// The hint for an argument that names no run.
const HOW_TO_NAME: &str = "a run is given by its id, by @last, or by its JSON document";
/// The hint for standard input that names no run.
const HOW_TO_PIPE: &str = "write run ids or JSON documents";

fn bad_id(error: crate::model::id::BadId) -> Failure {
    Failure::usage(error.to_string()).hint(HOW_TO_NAME)
}

/// Finds the run in a JSON document. A run has an `id`; an event, a message or a batch result has a `run_id`.
fn from_document(text: &str) -> Result<RunArg, Failure> {
    let document =
        Document::parse(text).map_err(|error| Failure::usage("this is not a run").cause(error).hint(HOW_TO_NAME))?;
    let id = document.text("run_id").or_else(|| document.text("id"));
    let id = id.ok_or_else(|| {
        let failure = Failure::usage("the JSON document has neither `run_id` nor `id`");
        if document.present("error").is_some() {
            failure.hint("it is an error: the command before failed")
        } else {
            failure.hint(HOW_TO_NAME)
        }
    })?;
    let id: RunId = id.parse().map_err(bad_id)?;
    let run = Run::from_document(document).ok().filter(|run| *run.id() == id);
    Ok(RunArg::Run(id, run.map(Box::new)))
}

/// The runs that arguments name, and the failures to read some, as they arrive.
pub struct ResolvedRuns {
    /// The runs.
    pub targets: UnboundedReceiver<FollowTarget>,
    /// Arguments and lines of standard input that name no run.
    pub failures: UnboundedReceiver<Failure>,
}

/// Sends the runs and failures of a [`ResolvedRuns`].
struct Source {
    targets: UnboundedSender<FollowTarget>,
    failures: UnboundedSender<Failure>,
}

impl ResolvedRuns {
    fn new() -> (Source, Self) {
        let (target_sender, targets) = unbounded_channel();
        let (failure_sender, failures) = unbounded_channel();
        (Source { targets: target_sender, failures: failure_sender }, Self { targets, failures })
    }

    /// A stream of these runs.
    pub fn of(targets: impl IntoIterator<Item = FollowTarget>) -> Self {
        let (source, stream) = Self::new();
        targets.into_iter().for_each(|target| source.send(Ok(target)));
        stream
    }
}

impl Source {
    fn send(&self, target: Result<FollowTarget, Failure>) {
        // The receiver is gone when the command has seen enough runs.
        let _ = match target {
            Ok(target) => self.targets.send(target).is_ok(),
            Err(failure) => self.failures.send(failure).is_ok(),
        };
    }
}

/// Resolves all arguments, reading standard input to its end. Failures are reported, and their exits returned.
pub async fn collect(
    ctx: &Ctx,
    session: &Session,
    named: &[RunArg],
) -> Result<(Vec<FollowTarget>, Vec<Exit>), Failure> {
    let mut stream = stream(ctx, session, named)?;
    let mut targets = Vec::new();
    let mut exits = Vec::new();
    while let Some(target) = stream.targets.recv().await {
        targets.push(target);
    }
    while let Some(failure) = stream.failures.recv().await {
        ctx.report(&failure);
        exits.push(failure.exit);
    }
    Ok((targets, exits))
}

/// Resolves an argument that must name exactly one run.
pub async fn one(ctx: &Ctx, session: &Session, named: RunArg, command: &str) -> Result<FollowTarget, Failure> {
    let mut stream = stream(ctx, session, &[named])?;
    let first = stream.targets.recv().await;
    let second = stream.targets.recv().await;
    match (first, second, stream.failures.recv().await) {
        (_, _, Some(failure)) => Err(failure),
        (Some(target), None, None) => Ok(target),
        _ => {
            Err(Failure::usage(format!("{command} takes one run at a time")).hint("give each run a command of its own"))
        }
    }
}

/// Fetches a run, and returns it with the id of its agent.
pub async fn with_agent(session: &Session, id: &RunId) -> Result<(AgentId, Run), Failure> {
    let run = session.api.run(id).await.map_err(|error| error.failure().run(id))?;
    let agent = run.agent_id().and_then(|agent| agent.parse().ok());
    let odd =
        || Failure::new(Exit::NotThisApi, "not_this_api", format!("{id} names no agent")).run(id).hint(NOT_THIS_API);
    Ok((agent.ok_or_else(odd)?, run))
}

/// Resolves arguments to a stream: runs on the command line at once, runs on standard input as they are read.
pub fn stream(ctx: &Ctx, session: &Session, named: &[RunArg]) -> Result<ResolvedRuns, Failure> {
    let (source, stream) = ResolvedRuns::new();
    let mut reads = false;
    for one in named {
        match one {
            RunArg::Run(id, run) => source.send(Ok(target(id.clone(), run.as_deref().cloned()))),
            RunArg::Last => source.send(Ok(target(session.last_run().ok_or_else(no_last)?, None))),
            RunArg::Stdin => reads = true,
        }
    }
    if reads {
        if ctx.io.terminals.stdin {
            return Err(Failure::usage("standard input is a terminal: no runs can be read from it")
                .hint("name the runs, or pipe them in"));
        }
        if ctx.key_is_on_stdin() {
            return Err(
                Failure::usage("standard input cannot hold both the key and the runs").hint(stdin::KEY_ELSEWHERE)
            );
        }
        tokio::task::spawn(read(source));
    }
    Ok(stream)
}

fn target(id: RunId, run: Option<Run>) -> FollowTarget {
    FollowTarget { id, run, sent_here: false }
}

fn no_last() -> Failure {
    Failure::usage("@last: no run was sent from here to this server").hint("give the run's id")
}

/// Reads ids and JSON documents from standard input; a document may span lines.
async fn read(source: Source) {
    let mut lines = stdin::lines();
    let mut open = String::new();
    let mut found = false;
    while let Some(line) = lines.recv().await {
        let entries = line.and_then(|line| entries(&mut open, &line));
        for entry in entries.map_or_else(|failure| vec![Err(failure)], |entries| entries.into_iter().map(Ok).collect())
        {
            found = true;
            source.send(entry.and_then(to_target));
        }
    }
    if !open.trim().is_empty() {
        source.send(Err(Failure::usage("standard input ends in the middle of a JSON document")
            .hint("was the command before cut off?")));
    } else if !found {
        source.send(Err(Failure::usage("no run on standard input; did the command before fail?").hint(HOW_TO_PIPE)));
    }
}

fn to_target(entry: String) -> Result<FollowTarget, Failure> {
    match RunArg::parse(&entry)? {
        RunArg::Run(id, run) => Ok(target(id, run.map(|run| *run))),
        _ => Err(Failure::usage(format!("`{entry}` cannot be used on standard input")).hint(HOW_TO_PIPE)),
    }
}

/// Splits a line into ids or JSON documents. An incomplete document stays in `open`.
fn entries(open: &mut String, line: &str) -> Result<Vec<String>, Failure> {
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    if open.is_empty() && !line.trim_start().starts_with(['{', '"']) {
        return Ok(line.split_whitespace().map(str::to_owned).collect());
    }
    if open.len() + line.len() > stdin::BODY_CAP {
        return Err(Failure::usage("a JSON document on standard input is larger than 32 MiB")
            .hint("write the run's id instead"));
    }
    open.push_str(line);
    open.push('\n');
    documents(open)
}

/// Removes the complete JSON documents from the front of a text.
fn documents(open: &mut String) -> Result<Vec<String>, Failure> {
    let mut stream = serde_json::Deserializer::from_str(open).into_iter::<&serde_json::value::RawValue>();
    let mut found = Vec::new();
    let mut done = 0;
    let failure = loop {
        match stream.next() {
            None => break None,
            Some(Ok(document)) => {
                // `jq .id` without -r prints ids in quotes.
                found.push(serde_json::from_str(document.get()).unwrap_or_else(|_| document.get().to_owned()));
                done = stream.byte_offset();
            }
            Some(Err(error)) if error.is_eof() => break None,
            Some(Err(error)) => {
                break Some(Failure::usage("standard input is neither ids nor JSON").cause(error).hint(HOW_TO_PIPE));
            }
        }
    };
    match failure {
        Some(failure) => {
            open.clear();
            Err(failure)
        }
        None => {
            open.drain(..done);
            if open.trim().is_empty() {
                open.clear();
            }
            Ok(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "run-12345678";

    #[test]
    fn a_run_is_named_by_its_id_its_document_or_a_placeholder() {
        assert_eq!(RunArg::parse("-").expect("stdin"), RunArg::Stdin);
        assert_eq!(RunArg::parse("@last").expect("last"), RunArg::Last);
        let id: RunId = ID.parse().expect("an id");
        assert_eq!(RunArg::parse(ID).expect("an id"), RunArg::Run(id.clone(), None));
        for document in [r#"{"id":"run-12345678","status":"created"}"#, r#"{"run_id":"run-12345678","id":"message-1"}"#]
        {
            let RunArg::Run(found, _) = RunArg::parse(document).expect("a document") else { panic!("{document}") };
            assert_eq!(found, id);
        }
        for bad in ["", "../agents", "run-1", "{}", r#"{"id":7}"#, "{", r#"{"error":{"exit":2}}"#] {
            assert_eq!(RunArg::parse(bad).expect_err(bad).exit, Exit::Usage);
        }
    }

    fn read_all(text: &str) -> Vec<String> {
        let mut open = String::new();
        let found = text.lines().flat_map(|line| entries(&mut open, line).expect("entries")).collect();
        assert_eq!(open, "");
        found
    }

    #[test]
    fn ids_and_documents_are_found_line_by_line() {
        assert_eq!(read_all("run-12345678 run-12345679\n\nrun-1234567a\n").len(), 3);
        assert_eq!(read_all("\"run-12345678\"\n"), [ID]);
        assert_eq!(read_all("{\"id\":\n \"run-12345678\"\n}\n{\"id\":\"x\"} {\"id\":\"y\"}\n").len(), 3);
    }

    #[test]
    fn a_broken_document_is_an_error_and_the_next_line_is_read() {
        let mut open = String::new();
        assert!(entries(&mut open, "{nope}").is_err());
        assert_eq!(entries(&mut open, ID).expect("an id"), [ID]);
    }
}
