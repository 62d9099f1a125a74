//! Signals that a program sent to this process alone, which are passed on to the command.
//!
//! A terminal sends SIGINT and SIGHUP to the command, too: passing those on would deliver them twice.

use std::io;

use crate::ui::signals::Signal;

/// Yields the signals that another process sent.
#[cfg(unix)]
#[derive(Debug)]
pub struct ProcessSignals(tokio::sync::mpsc::UnboundedReceiver<Signal>);

#[cfg(unix)]
impl ProcessSignals {
    /// Starts to listen. Signals that the parent process set to be ignored stay ignored.
    pub fn listen() -> io::Result<Self> {
        use crate::ui::signals::is_ignored;
        use signal_hook::consts::{SIGHUP, SIGINT};
        use signal_hook::iterator::SignalsInfo;
        use signal_hook::iterator::exfiltrator::WithOrigin;

        let listened = [SIGINT, SIGHUP].into_iter().filter(|number| !is_ignored(*number));
        let mut signals = SignalsInfo::<WithOrigin>::new(listened)?;
        let (tell, sent) = tokio::sync::mpsc::unbounded_channel();
        // The thread ends with the process.
        std::thread::spawn(move || {
            let by_programs = signals.forever().filter(|origin| origin.process.is_some());
            let signals =
                by_programs.map(|origin| if origin.signal == SIGINT { Signal::Interrupt } else { Signal::Hangup });
            signals.map_while(|signal| tell.send(signal).ok()).for_each(drop);
        });
        Ok(Self(sent))
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// Yields nothing: on other systems only a console sends signals, and it sends them to the command, too.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct ProcessSignals;

#[cfg(not(unix))]
impl ProcessSignals {
    /// Starts to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Never returns.
    pub async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}
