//! `listen`: receives callbacks on this machine, and reads their runs back from the server.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::support::exec_command::Hook;
use super::support::follow_args::FollowFlags;
use super::support::printer::Printer;
use super::support::receiver::{self, ReceiverArgs};
use super::support::session::Session;
use super::{Ctx, End};
use crate::exit::Exit;
use crate::follow::{self, EndedRun, Event, FollowOptions, FollowTarget, Inputs, Messages};
use crate::global::Format;
use crate::model::RunId;
use crate::render::json;
use crate::report::Failure;
use crate::text::count::{self, plural};
use crate::text::duration::{self, LONGEST};
use crate::text::page::Page;
use crate::ui::signals::{Signals, suspend};

/// Receive the callbacks of runs on this machine
///
/// The URL for --callback-url is printed first, on standard error as `url: …`; it has a random part.
/// A callback is only a hint: the run is read back from the server, waited for if it has not ended,
/// and printed as watch prints it. Each run is printed once, even if several callbacks arrive for it.
/// A run that the server does not know is not printed.
///
/// With --exec a command is run for each of these runs, one after another: it gets the run's JSON
/// document on standard input, and its id and status as AGENTCTL_RUN_ID and AGENTCTL_STATUS. It is
/// run without a shell, and its output goes to standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl listen --local --count 1
  agentctl listen --exec './notify.sh --to me'
  agentctl listen --bind 0.0.0.0:9000 --public-url https://hooks.example.org

Exit codes: 0 after --count runs, whatever their status; 13 the port is taken or the
command cannot be run; 124 after --timeout.")]
pub struct Args {
    /// The address of the receiver.
    #[command(flatten)]
    pub receiver: ReceiverArgs,
    /// Run this command for each run; it is split at spaces and quotes, and run without a shell
    #[arg(long, value_name = "COMMAND")]
    pub exec: Option<Hook>,
    /// End after this many runs
    #[arg(long, value_name = "N", value_parser = count::parse::<u64>)]
    pub count: Option<u64>,
    /// End after this long (exit 124)
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
}

/// Runs `listen`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let bound = args.receiver.bind(ctx)?;
    let session = Session::open(ctx).await?;
    let mut signals = Signals::catch()?;
    ctx.io.say(&Page::new().say("url: ").show(bound.url()).end());
    let mut receiver = receiver::start(bound)?;
    let listening = listen(ctx, &session, &args, &mut receiver.hints);
    let end = match signals.during(listening, suspend).await {
        Ok(done) => done.map(Into::into),
        Err(signal) => Ok(signal.into()),
    };
    session.close().await;
    Ok(end?)
}

async fn listen(
    ctx: &Ctx,
    session: &Session,
    args: &Args,
    hints: &mut UnboundedReceiver<RunId>,
) -> Result<Exit, Failure> {
    let (targets, runs) = unbounded_channel();
    let (nudge, nudges) = unbounded_channel();
    let (confirmed, mut ended) = unbounded_channel();
    let confirmed_runs = ConfirmedRuns::new(ctx, session, args, confirmed);
    let options = options(ctx);
    let mut emit = |event: Event| confirmed_runs.see(&event);
    let inputs = Inputs { targets: runs, hints: Some(nudges) };
    let following = follow::follow(&session.api, inputs, &options, &mut emit);
    let forwarding = async {
        while let Some(id) = hints.recv().await {
            if !confirmed_runs.has_seen(&id) {
                // A 404 is not final: a replica may not know the run yet.
                let _ = targets.send(FollowTarget { id: id.clone(), run: None, sent_here: true });
                // The run has ended or ends soon, so it is polled at once.
                let _ = nudge.send(id);
            }
        }
    };
    tokio::select! {
        biased;
        done = act(ctx, args, &mut ended) => done,
        over = following => over.map(|_| Exit::Done),
        // The caller holds the receiver, so this does not end first.
        () = forwarding => Ok(Exit::Done),
        failure = time_out(args, &confirmed_runs.count) => Err(failure),
    }
}

/// Returns the options for following runs. A listener waits for an unreachable server without limit.
fn options(ctx: &Ctx) -> FollowOptions {
    let messages = if ctx.format == Format::Human { Messages::AtEnd } else { Messages::Never };
    FollowOptions { max_outage: LONGEST, messages, ..FollowOptions::default() }
}

async fn time_out(args: &Args, count: &Cell<u64>) -> Failure {
    match args.timeout {
        None => std::future::pending().await,
        Some(timeout) => {
            tokio::time::sleep(timeout).await;
            let came = plural(count.get(), "run");
            let message = format!("--timeout ran out after {}; {came} received", duration::format(timeout));
            Failure::new(Exit::TimedOut, "timeout", message).hint("leave out --timeout to wait without limit")
        }
    }
}

/// Runs the command for each confirmed run, and ends after `--count` of them.
async fn act(ctx: &Ctx, args: &Args, ended: &mut UnboundedReceiver<Rc<EndedRun>>) -> Result<Exit, Failure> {
    let mut done = 0;
    while args.count.is_none_or(|count| done < count)
        && let Some(ending) = ended.recv().await
    {
        if let Some(hook) = &args.exec {
            let document = json::run_with_facts(&ending.run, &ending.facts);
            if let Some(complaint) = hook.run(&ending.run, &document).await? {
                ctx.io.notice(&Page::new().show_line(&complaint).end());
            }
        }
        done += 1;
    }
    Ok(Exit::Done)
}

/// Prints the runs that the server confirmed: each once, and at most `--count`.
struct ConfirmedRuns<'a> {
    ctx: &'a Ctx,
    printer: Printer<'a>,
    most: u64,
    count: Cell<u64>,
    seen: RefCell<HashSet<RunId>>,
    confirmed: UnboundedSender<Rc<EndedRun>>,
}

impl<'a> ConfirmedRuns<'a> {
    fn new(ctx: &'a Ctx, session: &'a Session, args: &Args, confirmed: UnboundedSender<Rc<EndedRun>>) -> Self {
        let printer = Printer::new(ctx, session, FollowFlags::default(), false);
        let most = args.count.unwrap_or(u64::MAX);
        Self { ctx, printer, most, count: Cell::new(0), seen: RefCell::default(), confirmed }
    }

    fn see(&self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Ended(ending) => self.take(event, ending),
            // The server does not know the run: the callback was forged.
            Event::Lost { failure, .. } if failure.exit == Exit::NotFound => Ok(()),
            Event::Lost { failure, .. } => {
                self.ctx.report(failure);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn has_seen(&self, id: &RunId) -> bool {
        self.seen.borrow().contains(id)
    }

    fn take(&self, event: &Event, ending: &Rc<EndedRun>) -> Result<(), Failure> {
        if self.count.get() >= self.most || !self.seen.borrow_mut().insert(ending.run.id().clone()) {
            return Ok(());
        }
        self.count.set(self.count.get() + 1);
        self.printer.print(event)?;
        // The receiver is gone only when the command ends.
        let _ = self.confirmed.send(Rc::clone(ending));
        Ok(())
    }
}
