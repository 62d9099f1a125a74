//! Prints the events of followed runs: data on stdout, notices and errors on stderr.

use std::cell::Cell;
use std::time::Duration;

use jiff::Timestamp;

use super::ctx::Ctx;
use super::follow_args::FollowFlags;
use super::session::Session;
use crate::core::facts::{self, Details};
use crate::core::outcome::outcome;
use crate::exit::Exit;
use crate::follow::{EndedRun, Event};
use crate::global::Format;
use crate::model::{Message, Run, RunId, message};
use crate::render;
use crate::report::Failure;
use crate::text::duration::format_whole_seconds;
use crate::text::page::Page;

/// Prints the events of followed runs.
pub struct Printer<'a> {
    ctx: &'a Ctx,
    session: &'a Session,
    options: FollowFlags,
    /// Whether the command sent its run itself.
    sent: bool,
    /// Whether a message was printed already.
    said: Cell<bool>,
}

impl<'a> Printer<'a> {
    /// Creates a printer; `sent` says that the command sent its run itself.
    pub fn new(ctx: &'a Ctx, session: &'a Session, options: FollowFlags, sent: bool) -> Self {
        Self { ctx, session, options, sent, said: Cell::new(false) }
    }

    /// Whether an event is printed.
    pub fn prints(&self, event: &Event) -> bool {
        match event {
            Event::Tick => false,
            Event::Message { .. } => self.options.follow || self.options.events,
            Event::Callback { .. } => self.options.wait_callback || self.options.events,
            Event::Note { .. } | Event::Stalled { .. } | Event::Ended(_) | Event::Lost { .. } => true,
            _ => self.options.events,
        }
    }

    /// Prints an event.
    pub fn print(&self, event: &Event) -> Result<(), Failure> {
        match event {
            Event::Lost { id, run, failure } => self.print_lost(id, run.as_deref(), failure),
            _ if self.options.events => self.print_event(event),
            Event::Message { message, .. } if self.options.follow => self.print_message(message),
            Event::Note { id, text } => {
                self.ctx.io.notice(&Page::new().show(id.as_str()).say(": ").show_line(text).end());
                Ok(())
            }
            Event::Stalled { id, silent_for } => {
                self.say_stalled(id, *silent_for);
                Ok(())
            }
            Event::Callback { run } if self.options.wait_callback => {
                self.say_called_back(run);
                Ok(())
            }
            Event::Ended(ending) => self.print_ending(ending),
            _ => Ok(()),
        }
    }

    fn say_stalled(&self, id: &RunId, silent_for: Duration) {
        let page =
            Page::new().show(id.as_str()).say(": nothing new for ").show(&format_whole_seconds(silent_for)).end();
        let page = page.say("  cancel: ").show(&self.command("cancel", id.as_str())).end();
        self.ctx.io.notice(&page);
    }

    fn say_called_back(&self, run: &Run) {
        let page = Page::new().show(run.id().as_str());
        let page = match (run.document().count("callback_status_code"), run.document().text("callback_error")) {
            (Some(code), _) => page.say(": its callback was answered with ").show(&code.to_string()),
            (None, error) => page.say(": its callback failed: ").show_line(error.unwrap_or("no reason was given")),
        };
        self.ctx.io.notice(&page.end());
    }

    fn print_event(&self, event: &Event) -> Result<(), Failure> {
        if let (Event::Added { run: Some(run), .. }, true) = (event, self.sent) {
            return self.ctx.io.document(&render::json::submitted(run, Timestamp::now()));
        }
        render::json::event(event, Timestamp::now()).map_or(Ok(()), |line| self.ctx.io.document(&line))
    }

    /// Prints a message as it appears, with an empty line between messages for people.
    fn print_message(&self, message: &Message) -> Result<(), Failure> {
        match self.ctx.format {
            _ if self.options.reply => Ok(()),
            Format::Json => self.ctx.io.document(message.document().line()),
            Format::Human => {
                let page = if self.said.replace(true) { Page::new().end() } else { Page::new() };
                let context = self.session.context(self.ctx);
                self.ctx.io.page(&page.page(render::transcript::message(message, &context)))
            }
            Format::Id | Format::None => Ok(()),
        }
    }

    fn print_ending(&self, ending: &EndedRun) -> Result<(), Failure> {
        let summary = render::summary::summary(ending, &self.session.context(self.ctx));
        match self.ctx.format {
            _ if self.options.reply => self.print_reply(ending)?,
            Format::Human => return self.ctx.io.page(&self.reply(ending).page(summary)),
            Format::Json => self.ctx.io.document(&render::json::run_with_facts(&ending.run, &ending.facts))?,
            Format::Id => self.ctx.io.id(ending.run.id().as_str())?,
            Format::None => {}
        }
        self.ctx.io.notice(&summary);
        Ok(())
    }

    /// Returns the assistant's text, unless it was printed as it appeared.
    fn reply(&self, ending: &EndedRun) -> Page {
        let said = ending.messages.as_deref().and_then(message::reply).filter(|_| !self.options.follow);
        match said {
            Some(said) => Page::new().show(&said).end(),
            None if self.said.get() => Page::new().end(),
            None => Page::new(),
        }
    }

    /// Prints only the assistant's text, or a notice that there is none.
    fn print_reply(&self, ending: &EndedRun) -> Result<(), Failure> {
        let why = match ending.messages.as_deref().map(message::reply) {
            Some(Some(said)) => return print_text(self.ctx, &said),
            Some(None) => "the assistant said nothing",
            None => "the server shows no messages",
        };
        self.ctx.io.notice(&Page::new().say(why).end());
        Ok(())
    }

    /// Prints a run that could not be followed to its end: its last state, the reason, and how to resume.
    fn print_lost(&self, id: &RunId, run: Option<&Run>, failure: &Failure) -> Result<(), Failure> {
        let mut failure = failure.clone();
        if failure.exit == Exit::TimedOut && failure.hint.is_none() {
            failure.hint = Some(format!("resume with `{}`", self.command("watch", id.as_str())));
        }
        match run {
            _ if self.options.events => {
                self.print_event(&Event::Lost { id: id.clone(), run: None, failure: failure.clone() })?;
            }
            Some(run) if failure.exit == Exit::TimedOut => self.print_open(run)?,
            _ => {}
        }
        self.ctx.report(&failure);
        Ok(())
    }

    fn print_open(&self, run: &Run) -> Result<(), Failure> {
        let facts = facts::facts(run, outcome(run, Duration::ZERO), &Details::default());
        match self.ctx.format {
            _ if self.options.reply => Ok(()),
            Format::Human => self.ctx.io.page(&self.session.card(self.ctx, run, Some(&facts))),
            Format::Json => self.ctx.io.document(&render::json::run_with_facts(run, &facts)),
            Format::Id => self.ctx.io.id(run.id().as_str()),
            Format::None => Ok(()),
        }
    }

    /// Returns a command about a run, ready to be pasted into a shell.
    pub fn command(&self, verb: &str, id: &str) -> String {
        format!("agentctl {verb} {id}{}", self.session.command_suffix())
    }
}

/// Prints text to stdout with one line feed at its end: escaped on a terminal, unchanged elsewhere.
pub fn print_text(ctx: &Ctx, text: &str) -> Result<(), Failure> {
    let text = text.trim_end_matches('\n');
    if ctx.io.terminals.stdout { ctx.io.page(&Page::new().show(text).end()) } else { ctx.io.raw(&format!("{text}\n")) }
}
