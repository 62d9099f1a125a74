//! Supervises a running server: signals, the end of the command, log entries.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::child::{Child, Ended, Reaper};
use super::log::{Log, LogLine};
use super::process_signals::ProcessSignals;
use crate::commands::{Ctx, End};
use crate::exit::Exit;
use crate::server::Running;
use crate::ui::signals::{Signal, SignalAction, Signals, suspend};

/// How long requests and runs may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// Supervises a running server.
pub struct Guard<'a> {
    /// The log of the server.
    pub log: Log<'a>,
    ctx: &'a Ctx,
    signals: Signals,
    reaper: Reaper,
}

/// Why a server stops.
pub enum StopCause {
    /// A signal asked for it.
    Signal(Signal),
    /// The command has ended.
    CommandEnded(Ended),
    /// A second signal arrived before the command had ended, and killed it.
    SecondSignal(Signal),
}

impl<'a> Guard<'a> {
    /// Starts to listen for signals.
    pub fn begin(ctx: &'a Ctx) -> io::Result<Self> {
        Ok(Self { log: Log::new(ctx), ctx, signals: Signals::catch()?, reaper: Reaper::new()? })
    }

    /// Waits for a signal.
    pub async fn wait_for_signal(&mut self) -> StopCause {
        loop {
            tokio::select! {
                request = self.signals.next() => match request {
                    SignalAction::Suspend => suspend(),
                    SignalAction::End(signal) => return StopCause::Signal(signal),
                },
                _ = self.reaper.end_of(None) => {}
                () = self.log.next() => {}
            }
        }
    }

    /// Waits until the command ends, and passes signals on to it. A second signal kills it.
    pub async fn wait_for_command(&mut self, command: &mut Child, sent: &mut ProcessSignals) -> StopCause {
        let mut passed_on = false;
        loop {
            let signal = tokio::select! {
                request = self.signals.next() => match request {
                    SignalAction::End(Signal::Terminate) => Some(Signal::Terminate),
                    // A terminal sends these to the command, too. If a program sent them, `sent` yields them.
                    SignalAction::End(Signal::Interrupt | Signal::Hangup) => None,
                    SignalAction::Suspend => { suspend(); None }
                },
                signal = sent.next() => Some(signal),
                ended = self.reaper.end_of(Some(command)) => return StopCause::CommandEnded(ended),
                () = self.log.next() => None,
            };
            match signal {
                Some(signal) if passed_on => {
                    command.kill();
                    return StopCause::SecondSignal(signal);
                }
                Some(signal) => {
                    command.forward(signal);
                    passed_on = true;
                }
                None => {}
            }
        }
    }

    /// Waits a while for requests and runs to finish. A second signal stops the wait.
    pub async fn drain(&mut self, signal: Signal, engine: &Running, serving: JoinHandle<()>) -> End {
        if signal == Signal::Interrupt {
            self.ctx.io.fresh_line();
        }
        self.log.print(&LogLine::Stopping { signal, at_work: engine.at_work() });
        let open = timeout(DRAIN, async { tokio::join!(serving, engine.drain()) });
        tokio::pin!(open);
        loop {
            tokio::select! {
                request = self.signals.next() => match request {
                    SignalAction::Suspend => suspend(),
                    SignalAction::End(signal) => return signal.into(),
                },
                _ = self.reaper.end_of(None) => {}
                () = self.log.next() => {}
                _ = &mut open => return Exit::Done.into(),
            }
        }
    }
}
