//! Signals that end or suspend a command.

use crate::exit::Exit;

/// A signal that asks the command to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT (Ctrl-C).
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal was closed.
    Hangup,
}

impl Signal {
    /// Returns the exit code of a command that this signal ended.
    pub fn exit(self) -> Exit {
        match self {
            Self::Interrupt => Exit::Interrupted,
            Self::Terminate | Self::Hangup => Exit::Terminated,
        }
    }

    /// Ends the process by this signal's default action, so that a shell sees it and stops its loop.
    ///
    /// SIGHUP counts as SIGTERM.
    #[cfg(unix)]
    pub fn raise(self) {
        let number = match self {
            Self::Interrupt => signal_hook::consts::SIGINT,
            Self::Terminate | Self::Hangup => signal_hook::consts::SIGTERM,
        };
        // If it cannot be raised, the caller exits with a code.
        let _ = signal_hook::low_level::emulate_default_handler(number);
    }

    /// Does nothing: this platform has no signals, and the caller exits with a code.
    #[cfg(not(unix))]
    pub fn raise(self) {}
}

/// Catches SIGINT, SIGTERM, SIGHUP and SIGTSTP until it is dropped.
#[cfg(unix)]
pub struct Signals {
    interrupt: Caught,
    terminate: Caught,
    hangup: Caught,
    stop: Caught,
}

/// A stream of one signal; `None` if the parent process set it to be ignored, as `nohup` does with SIGHUP.
#[cfg(unix)]
struct Caught(Option<tokio::signal::unix::Signal>);

/// The action that a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalAction {
    /// End the command.
    End(Signal),
    /// Stop until the shell continues it (Ctrl-Z).
    Suspend,
}

#[cfg(unix)]
impl Caught {
    fn new(number: i32) -> std::io::Result<Self> {
        if is_ignored(number) {
            return Ok(Self(None));
        }
        let kind = tokio::signal::unix::SignalKind::from_raw(number);
        tokio::signal::unix::signal(kind).map(|signal| Self(Some(signal)))
    }

    async fn next(&mut self) {
        match &mut self.0 {
            Some(signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
}

/// Returns the mask of the signals that this process ignores; zero outside Linux, where reading it needs unsafe code.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// Returns whether this process ignores a signal.
#[cfg(unix)]
pub fn is_ignored(number: i32) -> bool {
    ignored() >> (number - 1) & 1 == 1
}

#[cfg(unix)]
impl Signals {
    /// Starts to catch the signals.
    pub fn catch() -> std::io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
        Ok(Self {
            interrupt: Caught::new(SIGINT)?,
            terminate: Caught::new(SIGTERM)?,
            hangup: Caught::new(SIGHUP)?,
            stop: Caught::new(SIGTSTP)?,
        })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> SignalAction {
        tokio::select! {
            () = self.interrupt.next() => SignalAction::End(Signal::Interrupt),
            () = self.terminate.next() => SignalAction::End(Signal::Terminate),
            () = self.hangup.next() => SignalAction::End(Signal::Hangup),
            () = self.stop.next() => SignalAction::Suspend,
        }
    }
}

impl Signals {
    /// Runs `work` to its end, or until a signal asks the command to end. Ctrl-Z calls `suspend`.
    pub async fn during<T>(&mut self, work: impl Future<Output = T>, suspend: impl Fn()) -> Result<T, Signal> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                request = self.next() => match request {
                    SignalAction::End(signal) => return Err(signal),
                    SignalAction::Suspend => suspend(),
                },
                done = &mut work => return Ok(done),
            }
        }
    }
}

/// Stops this process, as Ctrl-Z does by default. Returns when it is continued.
#[cfg(unix)]
pub fn suspend() {
    let _ = signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP);
}

/// Catches Ctrl-C until it is dropped.
#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Starts to catch the signals.
    pub fn catch() -> std::io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> SignalAction {
        match tokio::signal::ctrl_c().await {
            Ok(()) => SignalAction::End(Signal::Interrupt),
            Err(_) => std::future::pending().await,
        }
    }
}

/// Does nothing: this platform has no Ctrl-Z.
#[cfg(not(unix))]
pub fn suspend() {}
