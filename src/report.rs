//! Errors for people and scripts: message, causes, hint and exit code.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::exit::Exit;
use crate::text::page::{Page, Tone};

/// The error code of a command whose stdout was closed. It is not printed.
pub const CLOSED_PIPE: &str = "closed_pipe";

/// An error that ends a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The exit code of the command.
    pub exit: Exit,
    /// A stable code for scripts, such as `run_not_found`.
    pub code: &'static str,
    /// The message, in lower case and without a full stop.
    pub message: String,
    /// The causes, the nearest first.
    pub causes: Vec<String>,
    /// The suggested next step.
    pub hint: Option<String>,
    /// The HTTP status, if a server answered.
    pub http_status: Option<u16>,
    /// The run that the error concerns.
    pub run_id: Option<String>,
    /// Whether repeating the command is safe and may succeed.
    pub retryable: bool,
}

impl Failure {
    /// Returns a failure without causes or hint.
    pub fn new(exit: Exit, code: &'static str, message: impl Into<String>) -> Self {
        let retryable = exit == Exit::Unreachable;
        Self {
            exit,
            code,
            message: message.into(),
            causes: vec![],
            hint: None,
            http_status: None,
            run_id: None,
            retryable,
        }
    }

    /// Returns a failure for bad usage or input: exit 2, nothing was sent.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Adds a hint for the next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a cause.
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.causes.push(cause.to_string());
        self
    }

    /// Names the run that the error concerns.
    pub fn run(mut self, id: impl fmt::Display) -> Self {
        self.run_id = Some(id.to_string());
        self
    }

    /// Returns the failure for people: `error: …`, then causes, then the hint.
    pub fn page(&self) -> Page {
        let mut page = Page::new().tone(Tone::Bad, "error:").say(" ").show(&self.message).end();
        for cause in &self.causes {
            page = page.say("  caused by: ").show(cause).end();
        }
        if let Some(run) = self.run_id.as_ref().filter(|run| !self.message.contains(*run)) {
            page = page.say("  run: ").show(run).end();
        }
        match &self.hint {
            Some(hint) => page.say("  ").tone(Tone::Strong, "hint:").say(" ").show(hint).end(),
            None => page,
        }
    }

    /// Returns the failure for scripts: one JSON object on one line.
    pub fn json(&self) -> String {
        let error = Error {
            code: self.code,
            message: self.full_message(),
            hint: self.hint.as_deref(),
            exit: self.exit.code(),
            http_status: self.http_status,
            run_id: self.run_id.as_deref(),
            retryable: self.retryable,
        };
        let json = serde_json::to_string(&Envelope { error }).unwrap_or_default();
        crate::model::document::one_line(&json)
    }

    fn full_message(&self) -> String {
        let parts: Vec<&str> = std::iter::once(&self.message).chain(&self.causes).map(String::as_str).collect();
        parts.join(": ")
    }
}

/// The output on standard error of a command that failed, if errors are printed as JSON.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Error")]
pub struct Envelope<'a> {
    error: Error<'a>,
}

/// An error for scripts. An unknown value is null.
#[derive(Serialize, JsonSchema)]
#[schemars(title = "Error")]
pub struct Error<'a> {
    /// A stable code, such as `not_found`.
    code: &'static str,
    /// The message and its causes.
    message: String,
    /// The suggested next step.
    hint: Option<&'a str>,
    /// The exit code of the command.
    exit: u8,
    /// The HTTP status, if a server answered.
    http_status: Option<u16>,
    /// The run that the error concerns.
    run_id: Option<&'a str>,
    /// Whether repeating the command is safe and may succeed.
    retryable: bool,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Returns the failure in the chain of an error; an error without one is a bug of this program.
///
/// Contexts that were added around the failure become the message and the first causes.
pub fn failure(error: &anyhow::Error) -> Failure {
    let chain: Vec<&(dyn std::error::Error + 'static)> = error.chain().collect();
    let found = chain.iter().position(|part| part.is::<Failure>());
    let Some(at) = found else { return bug(error) };
    let mut failure = chain[at].downcast_ref::<Failure>().cloned().unwrap_or_else(|| bug(error));
    if at > 0 {
        failure.causes.insert(0, failure.message);
        failure.causes.splice(0..0, chain[1..at].iter().map(ToString::to_string));
        failure.message = chain[0].to_string();
    }
    failure
}

/// Returns an error and its sources, the outermost first.
pub fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

fn bug(error: &anyhow::Error) -> Failure {
    let mut failure = Failure::new(Exit::Bug, "bug", error.to_string());
    failure.causes = error.chain().skip(1).map(ToString::to_string).collect();
    failure.hint("this is a bug in agentctl; please report it with the command that you gave")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_failure_shows_its_message_causes_and_hint() {
        let failure = Failure::usage("no message").cause("standard input was empty").hint("give -m TEXT");
        let expected = "error: no message\n  caused by: standard input was empty\n  hint: give -m TEXT\n";
        assert_eq!(failure.page().text(false), expected);
    }

    #[test]
    fn scripts_get_every_key() {
        let json = Failure::usage("no message").json();
        let expected = r#"{"error":{"code":"usage","message":"no message","hint":null,"exit":2,"http_status":null,"run_id":null,"retryable":false}}"#;
        assert_eq!(json, expected);
    }

    #[test]
    fn context_around_a_failure_keeps_its_exit() {
        let error: anyhow::Error = Err::<(), _>(Failure::usage("inner")).context("outer").expect_err("an error");
        let failure = failure(&error);
        assert_eq!(
            (failure.exit, failure.message.as_str(), failure.causes),
            (Exit::Usage, "outer", vec!["inner".to_owned()])
        );
    }

    #[test]
    fn an_unexpected_error_is_a_bug() {
        assert_eq!(failure(&anyhow::anyhow!("odd")).exit, Exit::Bug);
    }
}
