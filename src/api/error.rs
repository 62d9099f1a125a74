//! A request that did not bring what it was made for, and what that means to whoever gave the command.

use std::time::Duration;

use crate::core::Acceptance;
use crate::core::retry::{Intent, Loss};
use crate::exit::Exit;
use crate::model::fault::Fault;
use crate::net::proxy::Hop;
use crate::report::Failure;
use crate::text::{duration, show};

/// What went wrong with one try of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection. `loopback`: refused by this machine.
    NotConnected {
        /// Refused by this machine itself.
        loopback: bool,
    },
    /// No name server knows the server's name, or its proxy's.
    NameUnknown,
    /// No name server can know the server's name: it is none.
    NameInvalid,
    /// The proxy between lets nobody through whom it does not know.
    ProxyAuth(Hop),
    /// The server's certificate does not hold.
    Certificate,
    /// The two sides do not speak the same TLS, or the server none.
    Handshake,
    /// The server pointed elsewhere.
    Redirect {
        /// Where to.
        to: String,
    },
    /// The connection ended after the request was written.
    Interrupted,
    /// Time ran out after the request was written.
    TimedOut,
    /// What came is no HTTP.
    NotHttp,
    /// A whole answer that is not this API's.
    Unreadable,
    /// A status that is not success.
    Status {
        /// What the body says.
        fault: Fault,
        /// What the server asks to wait.
        retry_after: Option<Duration>,
        /// The server says that trying again is pointless.
        is_final: bool,
    },
    /// The engine inside this process failed.
    Engine,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Why, in words.
    pub cause: String,
    /// What the request was to do.
    pub intent: Intent,
    /// Method and path, for messages.
    pub request: String,
    /// The server, and where its address came from, for messages.
    pub server: String,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// How often it was tried, and for how long.
    pub tries: u32,
    /// Time since the first try.
    pub elapsed: Duration,
}

impl ApiError {
    /// What the retry policy needs to know.
    pub fn loss(&self) -> Loss {
        match &self.kind {
            ErrorKind::NotConnected { loopback } => Loss::NotConnected { loopback: *loopback },
            ErrorKind::NameUnknown => Loss::NameUnknown,
            ErrorKind::Interrupted => Loss::Interrupted,
            ErrorKind::TimedOut => Loss::TimedOut,
            ErrorKind::NotHttp => Loss::NotHttp,
            ErrorKind::Unreadable => Loss::Unreadable,
            // A quota is not a matter of seconds.
            ErrorKind::Status { fault, .. } if fault.is_about_quota() => Loss::Forbidden,
            ErrorKind::Status { is_final: true, .. } => Loss::Forbidden,
            ErrorKind::Status { retry_after, .. } => {
                Loss::Status { code: self.status.unwrap_or_default(), retry_after: *retry_after }
            }
            ErrorKind::NameInvalid | ErrorKind::ProxyAuth(_) => Loss::Forbidden,
            ErrorKind::Certificate | ErrorKind::Handshake | ErrorKind::Redirect { .. } | ErrorKind::Engine => {
                Loss::Forbidden
            }
        }
    }

    /// Whether the request may have been acted upon.
    pub fn acceptance(&self) -> Acceptance {
        match (&self.kind, self.status) {
            (ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::NotHttp | ErrorKind::Unreadable, _) => {
                Acceptance::Possible
            }
            (ErrorKind::Status { .. }, Some(408 | 500..)) => Acceptance::Possible,
            _ => Acceptance::Impossible,
        }
    }

    /// The exit of the command whose request this was.
    pub fn exit(&self) -> Exit {
        let refusal = self.refusal();
        if self.intent == Intent::Read { refusal } else { self.acceptance().exit(refusal) }
    }

    /// The exit where nothing was accepted.
    fn refusal(&self) -> Exit {
        match (&self.kind, self.status) {
            (ErrorKind::NotConnected { .. } | ErrorKind::NameUnknown | ErrorKind::NameInvalid, _) => Exit::Unreachable,
            (ErrorKind::Interrupted | ErrorKind::TimedOut, _) => Exit::Unreachable,
            (ErrorKind::ProxyAuth(_), _) => Exit::Refused,
            (ErrorKind::Certificate | ErrorKind::Handshake | ErrorKind::Redirect { .. }, _) => Exit::Unsafe,
            (ErrorKind::NotHttp | ErrorKind::Unreadable, _) => Exit::NotThisApi,
            (ErrorKind::Engine, _) => Exit::Local,
            // It asked to be tried again, and was, as long as there was time.
            (ErrorKind::Status { retry_after: Some(_), .. }, Some(409)) => Exit::Unreachable,
            (ErrorKind::Status { .. }, status) => refused(status.unwrap_or_default()),
        }
    }

    /// The error as it is reported.
    pub fn failure(&self) -> Failure {
        let exit = self.exit();
        let mut failure = Failure::new(exit, self.code(exit), self.message(exit)).cause(self.words());
        failure.http_status = self.status;
        failure.hint = self.hint(exit);
        if let ErrorKind::Status { fault, .. } = &self.kind {
            failure.run_id.clone_from(&fault.run_id);
        }
        failure
    }

    fn message(&self, exit: Exit) -> String {
        let Self { request, server, .. } = self;
        let tried = tried(self.tries, self.elapsed);
        if let ErrorKind::ProxyAuth(hop) = &self.kind {
            return kept_out(hop, server);
        }
        match exit {
            Exit::Unknown => format!("it is unknown whether {server} accepted the {} ({request})", self.letter()),
            Exit::Unreachable if self.kind == ErrorKind::Interrupted => {
                format!("the connection to {server} ended before the answer was whole{tried}")
            }
            Exit::Unreachable if self.kind == ErrorKind::TimedOut => format!("{server} did not answer in time{tried}"),
            Exit::Unreachable if self.status.is_some() => format!("{server} is not able to answer{tried}"),
            Exit::Unreachable => format!("cannot reach {server}{tried}"),
            Exit::NotThisApi => format!("the answer of {server} is not this API's ({request})"),
            Exit::NotAllowed => format!("{server} does not let you in"),
            Exit::NotFound => format!("{server} has no such {} ({request})", self.thing()),
            Exit::Unsafe if matches!(self.kind, ErrorKind::Redirect { .. }) => {
                format!("{server} points elsewhere, and redirects are not followed")
            }
            Exit::Unsafe if self.kind == ErrorKind::Handshake => {
                format!("cannot agree with {server} on a secure connection")
            }
            Exit::Unsafe => format!("the certificate of {server} does not hold"),
            Exit::Local => "the local engine failed".to_owned(),
            _ => format!("{server} refused the request ({request})"),
        }
    }

    /// What was sent.
    fn letter(&self) -> &'static str {
        if self.request.ends_with("/messages/async") { "message" } else { "request" }
    }

    /// What the path of the request is about.
    fn thing(&self) -> &'static str {
        match () {
            () if self.request.contains("/runs/") && self.request.matches('/').count() > 3 => {
                "run, or does not show this"
            }
            () if self.request.contains("/runs/") => "run",
            () if self.request.contains("/agents/") => "agent",
            () => "endpoint",
        }
    }

    /// The cause: what the server said, or what happened to the connection.
    pub fn words(&self) -> String {
        match (&self.kind, self.status) {
            (ErrorKind::Status { fault, .. }, Some(status)) => status_words(status, fault),
            (ErrorKind::Redirect { to }, Some(status)) => format!("{status}, pointing to {}", show::clip(to, 200)),
            _ => self.cause.clone(),
        }
    }

    fn hint(&self, exit: Exit) -> Option<String> {
        if let ErrorKind::ProxyAuth(hop) = &self.kind {
            return Some(hop.hint());
        }
        let hint = match exit {
            Exit::Unknown if self.letter() == "message" => {
                "do not send it again blindly: look at the agent's runs first"
            }
            Exit::Unknown => "do not send it again blindly: look at what it may have changed first",
            Exit::Unreachable if matches!(self.kind, ErrorKind::NotConnected { loopback: true }) => {
                "is the server running? without one, `--local` uses the engine of this program"
            }
            Exit::Unreachable if matches!(self.kind, ErrorKind::NameUnknown | ErrorKind::NameInvalid) => {
                "nothing was accepted; check the name, or the connection to the name server"
            }
            Exit::Unreachable => "nothing was accepted; it is safe to give the same command again",
            Exit::NotAllowed if self.status == Some(401) => {
                "check the key: LETTA_API_KEY, --api-key-file, or what `agentctl login` saved"
            }
            Exit::NotAllowed => "check the account and its credits, and what the key may do",
            Exit::NotThisApi if self.kind == ErrorKind::NotHttp => {
                "check host and port of the base URL: what answers there does not speak this protocol"
            }
            Exit::NotThisApi => "check --base-url: it must be the address of the API, not of a web page",
            Exit::NotFound => "check the id, and that the base URL is the server that it came from",
            Exit::Unsafe if matches!(self.kind, ErrorKind::Redirect { .. }) => {
                "if you trust that place, give it with --base-url"
            }
            Exit::Unsafe if self.kind == ErrorKind::Handshake => "check that https and the port are right",
            Exit::Unsafe => "if the server has a certificate of your own, give its CA with --ca-cert",
            Exit::Refused if self.request.ends_with("/messages/async") => {
                "nothing was accepted; correct the request (`agentctl send --dry-run` shows it)"
            }
            Exit::Refused => "nothing was changed; correct what the server names",
            Exit::Local => "`agentctl doctor --local` looks at its database",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn code(&self, exit: Exit) -> &'static str {
        match exit {
            Exit::Unknown => "outcome_unknown",
            Exit::Unreachable => "unreachable",
            Exit::NotThisApi => "not_this_api",
            Exit::NotAllowed => "not_allowed",
            Exit::NotFound => "not_found",
            Exit::Unsafe if matches!(self.kind, ErrorKind::Redirect { .. }) => "redirect",
            Exit::Unsafe if self.kind == ErrorKind::Handshake => "bad_handshake",
            Exit::Unsafe => "bad_certificate",
            Exit::Local => "engine",
            _ if matches!(self.kind, ErrorKind::ProxyAuth(_)) => "proxy_auth",
            _ => "refused",
        }
    }
}

fn kept_out(hop: &Hop, server: &str) -> String {
    let name = &hop.name;
    if hop.has_password {
        return format!(
            "the proxy {name} does not take this user name and password, so that nothing was sent to {server}"
        );
    }
    format!("the proxy {name} wants a user name and a password, so that nothing was sent to {server}")
}

/// The exit for a status that is not success, where nothing was accepted.
fn refused(status: u16) -> Exit {
    match status {
        401..=403 => Exit::NotAllowed,
        404 => Exit::NotFound,
        408 | 425 | 429 | 500.. => Exit::Unreachable,
        400..=499 => Exit::Refused,
        _ => Exit::NotThisApi,
    }
}

fn status_words(status: u16, fault: &Fault) -> String {
    let name = http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
    let name = name.map(|name| format!(" {name}")).unwrap_or_default();
    if fault.message.is_empty() {
        return format!("{status}{name}");
    }
    format!("{status}{name}: {}", show::clip(&fault.message, 2000))
}

fn tried(tries: u32, elapsed: Duration) -> String {
    if tries < 2 { String::new() } else { format!(" after {tries} tries in {}", duration::format(elapsed)) }
}

impl From<ApiError> for anyhow::Error {
    fn from(error: ApiError) -> Self {
        error.failure().into()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        error.failure()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind, status: Option<u16>, intent: Intent) -> ApiError {
        ApiError {
            kind,
            cause: "cause".into(),
            intent,
            request: "POST /x".into(),
            server: "http://h".into(),
            status,
            tries: 1,
            elapsed: Duration::ZERO,
        }
    }

    fn status(code: u16, intent: Intent) -> Exit {
        error(ErrorKind::Status { fault: Fault::default(), retry_after: None, is_final: false }, Some(code), intent)
            .exit()
    }

    #[test]
    fn an_answer_that_may_hide_an_accepted_message_is_exit_10() {
        for code in [408, 500, 502, 503, 504, 520] {
            assert_eq!(status(code, Intent::Write), Exit::Unknown, "{code}");
            assert_eq!(status(code, Intent::Read), Exit::Unreachable, "{code}");
        }
        for kind in [ErrorKind::Interrupted, ErrorKind::TimedOut, ErrorKind::NotHttp, ErrorKind::Unreadable] {
            assert_eq!(error(kind, None, Intent::Write).exit(), Exit::Unknown);
        }
    }

    #[test]
    fn a_refusal_has_its_own_code() {
        for (code, exit) in [
            (400, Exit::Refused),
            (401, Exit::NotAllowed),
            (402, Exit::NotAllowed),
            (403, Exit::NotAllowed),
            (404, Exit::NotFound),
            (409, Exit::Refused),
            (422, Exit::Refused),
            (429, Exit::Unreachable),
        ] {
            assert_eq!(status(code, Intent::Write), exit, "{code}");
        }
        let refused = ErrorKind::NotConnected { loopback: true };
        assert_eq!(error(refused, None, Intent::Write).exit(), Exit::Unreachable);
        assert_eq!(error(ErrorKind::Redirect { to: "x".into() }, Some(307), Intent::Write).exit(), Exit::Unsafe);
    }

    #[test]
    fn a_retryable_failure_is_one_that_accepted_nothing() {
        let unreachable = error(ErrorKind::NotConnected { loopback: false }, None, Intent::Write).failure();
        assert!(unreachable.retryable);
        let unknown = error(ErrorKind::Interrupted, None, Intent::Write).failure();
        assert!(!unknown.retryable);
    }
}
