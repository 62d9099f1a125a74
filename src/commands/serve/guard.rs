//! What happens while a server runs: signals, the ends of processes, notes for the log.

use std::io;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::child::{Child, Ended, Reaper};
use super::log::{Line, Log};
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
}

impl<'a> Guard<'a> {
    /// Begins to listen: no signal is missed from here on.
    pub fn begin(ctx: &'a Ctx) -> io::Result<Self> {
        Ok(Self { log: Log::new(ctx), ctx, signals: Signals::catch()?, reaper: Reaper::new()? })
    }

    /// Waits until a signal comes or the command ends, which gets the signals then.
    pub async fn until_the_end(&mut self, mut command: Option<&mut Child>) -> Asked {
        loop {
            tokio::select! {
                request = self.signals.next() => match (request, command.as_deref()) {
                    (Request::Suspend, _) => suspend(),
                    (Request::End(signal), None) => return Asked::By(signal),
                    // A terminal has sent it to the command, too.
                    (Request::End(Signal::Interrupt), Some(_)) if self.ctx.io.terminals.stdin => {}
                    (Request::End(signal), Some(command)) => command.forward(signal),
                },
                ended = self.reaper.end_of(command.as_deref_mut()) => return Asked::ByTheEndOf(ended),
                () = self.log.next() => {}
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
