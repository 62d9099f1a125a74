//! Signals that a program sent to this process alone. What a terminal sends (Ctrl-C, or that it went away) reaches the
//! command, too, and must not come to it twice.

use std::io;

use crate::ui::signals::Signal;

/// Tells of such signals, as they come.
#[cfg(unix)]
#[derive(Debug)]
pub struct Sent(tokio::sync::mpsc::UnboundedReceiver<Signal>);

#[cfg(unix)]
impl Sent {
    /// Begins to listen. What the parent told us to ignore stays ignored.
    pub fn listen() -> io::Result<Self> {
        use crate::ui::signals::is_ignored;
        use signal_hook::consts::{SIGHUP, SIGINT};
        use signal_hook::iterator::SignalsInfo;
        use signal_hook::iterator::exfiltrator::WithOrigin;

        let listened = [SIGINT, SIGHUP].into_iter().filter(|number| !is_ignored(*number));
        let mut signals = SignalsInfo::<WithOrigin>::new(listened)?;
        let (tell, sent) = tokio::sync::mpsc::unbounded_channel();
        // It ends with the process.
        std::thread::spawn(move || {
            let by_programs = signals.forever().filter(|origin| origin.process.is_some());
            let signals =
                by_programs.map(|origin| if origin.signal == SIGINT { Signal::Interrupt } else { Signal::Hangup });
            signals.map_while(|signal| tell.send(signal).ok()).for_each(drop);
        });
        Ok(Self(sent))
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Signal {
        match self.0.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        }
    }
}

/// Elsewhere a console sends to all, and nobody else does.
#[cfg(not(unix))]
#[derive(Debug)]
pub struct Sent;

#[cfg(not(unix))]
impl Sent {
    /// Begins to listen.
    pub fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for ever.
    pub async fn next(&mut self) -> Signal {
        std::future::pending().await
    }
}
