//! API errors, with the exit code and hint of each.

use std::time::Duration;

use crate::core::Acceptance;
use crate::core::retry::{Intent, TryError};
use crate::exit::Exit;
use crate::model::fault::Fault;
use crate::net::proxy::ProxyAddress;
use crate::report::Failure;
use crate::text::{duration, show};

/// The kind of an API error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection was established.
    NotConnected {
        /// The server is on this machine, and the connection was refused.
        loopback: bool,
    },
    /// The name of the server or of its proxy does not exist in DNS.
    NameUnknown,
    /// The server's name is not a valid DNS name.
    NameInvalid,
    /// The proxy rejected the user name and password, or got none.
    ProxyAuth(ProxyAddress),
    /// The server's certificate is not valid.
    Certificate,
    /// The TLS handshake failed, possibly because the server does not use TLS.
    Handshake,
    /// The server answered with a redirect.
    Redirect {
        /// The target of the redirect.
        to: String,
    },
    /// The connection ended after the request was written.
    Interrupted,
    /// The time limit expired after the request was written.
    TimedOut,
    /// The received bytes are not HTTP.
    NotHttp,
    /// The answer is complete but is not from this API.
    Unreadable,
    /// An HTTP status other than success.
    Status {
        /// The error in the body.
        fault: Fault,
        /// The pause that the server asks for.
        retry_after: Option<Duration>,
        /// The server says that a retry is pointless.
        is_final: bool,
    },
    /// The engine in this process failed.
    Engine,
}

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The cause, for messages.
    pub cause: String,
    /// The effect of the request.
    pub intent: Intent,
    /// Method and path, for messages.
    pub request: String,
    /// The server and the source of its address, for messages.
    pub server: String,
    /// The HTTP status, if the server answered.
    pub status: Option<u16>,
    /// The number of tries.
    pub tries: u32,
    /// Time since the first try.
    pub elapsed: Duration,
}

impl ApiError {
    /// Returns the error as the retry policy classifies it.
    pub fn try_error(&self) -> TryError {
        match &self.kind {
            ErrorKind::NotConnected { loopback } => TryError::NotConnected { loopback: *loopback },
            ErrorKind::NameUnknown => TryError::NameUnknown,
            ErrorKind::Interrupted => TryError::Interrupted,
            ErrorKind::TimedOut => TryError::TimedOut,
            ErrorKind::NotHttp => TryError::NotHttp,
            ErrorKind::Unreadable => TryError::Unreadable,
            // A quota is not renewed within seconds.
            ErrorKind::Status { fault, .. } if fault.is_about_quota() => TryError::Forbidden,
            ErrorKind::Status { is_final: true, .. } => TryError::Forbidden,
            ErrorKind::Status { retry_after, .. } => {
                TryError::Status { code: self.status.unwrap_or_default(), retry_after: *retry_after }
            }
            ErrorKind::NameInvalid | ErrorKind::ProxyAuth(_) => TryError::Forbidden,
            ErrorKind::Certificate | ErrorKind::Handshake | ErrorKind::Redirect { .. } | ErrorKind::Engine => {
                TryError::Forbidden
            }
        }
    }

    /// Returns whether the server may have accepted the request.
    pub fn acceptance(&self) -> Acceptance {
        match (&self.kind, self.status) {
            (ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::NotHttp | ErrorKind::Unreadable, _) => {
                Acceptance::Possible
            }
            (ErrorKind::Status { .. }, Some(408 | 500..)) => Acceptance::Possible,
            _ => Acceptance::Impossible,
        }
    }

    /// Returns the exit code of the command that made the request.
    pub fn exit(&self) -> Exit {
        let refusal = self.refusal();
        if self.intent == Intent::Read { refusal } else { self.acceptance().exit(refusal) }
    }

    /// Returns the exit code if nothing was accepted.
    fn refusal(&self) -> Exit {
        match (&self.kind, self.status) {
            (ErrorKind::NotConnected { .. } | ErrorKind::NameUnknown | ErrorKind::NameInvalid, _) => Exit::Unreachable,
            (ErrorKind::Interrupted | ErrorKind::TimedOut, _) => Exit::Unreachable,
            (ErrorKind::ProxyAuth(_), _) => Exit::Refused,
            (ErrorKind::Certificate | ErrorKind::Handshake | ErrorKind::Redirect { .. }, _) => Exit::Unsafe,
            (ErrorKind::NotHttp | ErrorKind::Unreadable, _) => Exit::NotThisApi,
            (ErrorKind::Engine, _) => Exit::Local,
            // The server asked for a retry, and the retries are used up.
            (ErrorKind::Status { retry_after: Some(_), .. }, Some(409)) => Exit::Unreachable,
            (ErrorKind::Status { .. }, status) => exit_of_status(status.unwrap_or_default()),
        }
    }

    /// Returns the error with message, hint and exit code.
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
        if let ErrorKind::ProxyAuth(proxy) = &self.kind {
            return proxy_rejection(proxy, server);
        }
        match exit {
            Exit::Unknown => format!("it is unknown whether {server} accepted the {} ({request})", self.noun()),
            Exit::Unreachable if self.kind == ErrorKind::Interrupted => {
                format!("the connection to {server} ended before the answer was complete{tried}")
            }
            Exit::Unreachable if self.kind == ErrorKind::TimedOut => format!("{server} did not answer in time{tried}"),
            Exit::Unreachable if self.status.is_some() => format!("{server} is not able to answer{tried}"),
            Exit::Unreachable => format!("cannot reach {server}{tried}"),
            Exit::NotThisApi => format!("the answer of {server} is not this API's ({request})"),
            Exit::NotAllowed => format!("{server} rejected the key or account"),
            Exit::NotFound => format!("{server} has no such {} ({request})", self.resource()),
            Exit::Unsafe if matches!(self.kind, ErrorKind::Redirect { .. }) => {
                format!("{server} answered with a redirect, and redirects are not followed")
            }
            Exit::Unsafe if self.kind == ErrorKind::Handshake => {
                format!("the TLS handshake with {server} failed")
            }
            Exit::Unsafe => format!("the certificate of {server} is not valid"),
            Exit::Local => "the local engine failed".to_owned(),
            _ => format!("{server} refused the request ({request})"),
        }
    }

    /// Returns the noun for the content of the request.
    fn noun(&self) -> &'static str {
        if self.request.ends_with("/messages/async") { "message" } else { "request" }
    }

    /// Returns the noun for the resource in the path.
    fn resource(&self) -> &'static str {
        let is_nested = self.request.matches('/').count() > 3;
        if self.request.contains("/runs/") && is_nested {
            "run, or does not show this"
        } else if self.request.contains("/runs/") {
            "run"
        } else if self.request.contains("/agents/") {
            "agent"
        } else {
            "endpoint"
        }
    }

    /// Returns the cause: the error in the answer, or that of the connection.
    pub fn words(&self) -> String {
        match (&self.kind, self.status) {
            (ErrorKind::Status { fault, .. }, Some(status)) => status_words(status, fault),
            (ErrorKind::Redirect { to }, Some(status)) => format!("{status}, redirect to {}", show::clip(to, 200)),
            _ => self.cause.clone(),
        }
    }

    fn hint(&self, exit: Exit) -> Option<String> {
        if let ErrorKind::ProxyAuth(proxy) = &self.kind {
            return Some(proxy.hint());
        }
        let hint = match exit {
            Exit::Unknown if self.noun() == "message" => {
                "do not send it again before you have checked the agent's runs"
            }
            Exit::Unknown => "do not send it again before you have checked what it may have changed",
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
                "check host and port of the base URL: the server there does not speak HTTP"
            }
            Exit::NotThisApi => "check --base-url: it must be the address of the API, not of a web page",
            Exit::NotFound => "check the id, and that the base URL is the server that it came from",
            Exit::Unsafe if matches!(self.kind, ErrorKind::Redirect { .. }) => {
                "if you trust the target, give it with --base-url"
            }
            Exit::Unsafe if self.kind == ErrorKind::Handshake => "check that https and the port are right",
            Exit::Unsafe => "if the certificate is from your own CA, give the CA with --ca-cert",
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

fn proxy_rejection(proxy: &ProxyAddress, server: &str) -> String {
    let name = &proxy.name;
    if proxy.has_password {
        return format!("the proxy {name} rejected the user name and password, so that nothing was sent to {server}");
    }
    format!("the proxy {name} requires a user name and a password, so that nothing was sent to {server}")
}

/// Returns the exit code for an error status if nothing was accepted.
fn exit_of_status(status: u16) -> Exit {
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
    fn a_lost_answer_to_a_write_is_exit_10() {
        for code in [408, 500, 502, 503, 504, 520] {
            assert_eq!(status(code, Intent::Write), Exit::Unknown, "{code}");
            assert_eq!(status(code, Intent::Read), Exit::Unreachable, "{code}");
        }
        for kind in [ErrorKind::Interrupted, ErrorKind::TimedOut, ErrorKind::NotHttp, ErrorKind::Unreadable] {
            assert_eq!(error(kind, None, Intent::Write).exit(), Exit::Unknown);
        }
    }

    #[test]
    fn each_refusal_has_its_exit() {
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
        let not_connected = ErrorKind::NotConnected { loopback: true };
        assert_eq!(error(not_connected, None, Intent::Write).exit(), Exit::Unreachable);
        assert_eq!(error(ErrorKind::Redirect { to: "x".into() }, Some(307), Intent::Write).exit(), Exit::Unsafe);
    }

    #[test]
    fn a_failure_is_retryable_if_nothing_was_accepted() {
        let unreachable = error(ErrorKind::NotConnected { loopback: false }, None, Intent::Write).failure();
        assert!(unreachable.retryable);
        let unknown = error(ErrorKind::Interrupted, None, Intent::Write).failure();
        assert!(!unknown.retryable);
    }
}
