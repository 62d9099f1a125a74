//! What happens while a server runs: signals, the ends of processes, notes for the log.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::child::{Child, Ended, Reaper};
use super::log::{Line, Log};
use super::process_signals::Sent;
use crate::commands::{Ctx, End};
use crate::exit::Exit;
use crate::server::Running;
use crate::ui::signals::{Request, Signal, Signals, suspend};

/// How long what is under way may take when the server stops.
const DRAIN: Duration = Duration::from_secs(10);

/// What watches over a server.
pub struct Guard<'a> {
    /// What the server says.
    pub log: Log<'a>,
    ctx: &'a Ctx,
    signals: Signals,
    reaper: Reaper,
}

/// Why a server is to stop.
pub enum Asked {
    /// A signal asks for it.
    By(Signal),
    /// The command has ended.
    ByTheEndOf(Ended),
    /// The command was told by a signal to end, did not, and a signal came again.
    Again(Signal),
}

impl<'a> Guard<'a> {
    /// Begins to listen: no signal is missed from here on.
    pub fn begin(ctx: &'a Ctx) -> io::Result<Self> {
        Ok(Self { log: Log::new(ctx), ctx, signals: Signals::catch()?, reaper: Reaper::new()? })
    }

    /// Waits until a signal comes.
    pub async fn until_a_signal(&mut self) -> Asked {
        loop {
            tokio::select! {
                request = self.signals.next() => match request {
                    Request::Suspend => suspend(),
                    Request::End(signal) => return Asked::By(signal),
                },
                _ = self.reaper.end_of(None) => {}
                () = self.log.next() => {}
            }
        }
    }

    /// Waits until the command ends, and passes signals on to it. The second one ends it for good.
    pub async fn until_the_end_of(&mut self, command: &mut Child, sent: &mut Sent) -> Asked {
        let mut passed_on = false;
        loop {
            let signal = tokio::select! {
                request = self.signals.next() => match request {
                    Request::End(Signal::Terminate) => Some(Signal::Terminate),
                    // Where a program sent it, it is heard below.
                    Request::End(Signal::Interrupt | Signal::Hangup) => None,
                    Request::Suspend => { suspend(); None }
                },
                signal = sent.next() => Some(signal),
                ended = self.reaper.end_of(Some(command)) => return Asked::ByTheEndOf(ended),
                () = self.log.next() => None,
            };
            match signal {
                Some(signal) if passed_on => {
                    command.kill();
                    return Asked::Again(signal);
                }
                Some(signal) => {
                    command.forward(signal);
                    passed_on = true;
                }
                None => {}
            }
        }
    }

    /// Lets what is under way come to its end, for a while. A second signal ends it at once.
    pub async fn drain(&mut self, signal: Signal, engine: &Running, serving: JoinHandle<()>) -> End {
        if signal == Signal::Interrupt {
            self.ctx.io.fresh_line();
        }
        self.log.print(&Line::Stopping { signal, at_work: engine.at_work() });
        let open = timeout(DRAIN, async { tokio::join!(serving, engine.drain()) });
        tokio::pin!(open);
        loop {
            tokio::select! {
                request = self.signals.next() => match request {
                    Request::Suspend => suspend(),
                    Request::End(signal) => return signal.into(),
                },
                _ = self.reaper.end_of(None) => {}
                () = self.log.next() => {}
                _ = &mut open => return Exit::Done.into(),
            }
        }
    }
}
