//! `messages`: shows the messages of a run.

use super::support::follow_args::check_reply;
use super::support::printer::print_text;
use super::support::run_args::{self, RunArg};
use super::support::session::Session;
use super::{Ctx, End};
use crate::exit::Exit;
use crate::global::Format;
use crate::model::{Message, message};
use crate::render::transcript;
use crate::report::Failure;
use crate::text::page::Page;

/// Show the messages of a run
///
/// A readable transcript for people, one JSON document per message in a pipe. The run's own input
/// comes first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl messages @last
  agentctl messages @last --reply
  agentctl messages RUN --type tool_call_message -o json")]
pub struct Args {
    /// A run id, @last, a JSON document with an id, or - to read one from standard input
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Only messages of these types, such as assistant_message
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Print only the assistant's text
    #[arg(long, conflicts_with = "types")]
    pub reply: bool,
}

/// Runs `messages`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    if args.reply {
        check_reply(ctx)?;
    }
    let named = RunArg::parse(&args.run)?;
    let session = Session::open(ctx).await?;
    let shown = show(ctx, &session, &args, named).await;
    session.close().await;
    shown.map(Into::into).map_err(Into::into)
}

async fn show(ctx: &Ctx, session: &Session, args: &Args, named: RunArg) -> Result<Exit, Failure> {
    let target = run_args::one(ctx, session, named, "messages").await?;
    let messages = session.api.messages(&target.id, None).await.map_err(|error| error.failure().run(&target.id))?;
    if args.reply {
        return print_reply(ctx, &messages).map(|()| Exit::Done);
    }
    let wanted = |message: &Message| args.types.is_empty() || args.types.iter().any(|kind| kind == message.kind());
    let messages: Vec<Message> = messages.into_iter().filter(wanted).collect();
    print(ctx, session, &messages).map(|()| Exit::Done)
}

fn print_reply(ctx: &Ctx, messages: &[Message]) -> Result<(), Failure> {
    match message::reply(messages) {
        Some(text) => print_text(ctx, &text),
        None => {
            ctx.io.notice(&Page::new().say("the assistant said nothing").end());
            Ok(())
        }
    }
}

fn print(ctx: &Ctx, session: &Session, messages: &[Message]) -> Result<(), Failure> {
    match ctx.format {
        Format::Human if messages.is_empty() => {
            ctx.io.notice(&Page::new().say("no messages").end());
            Ok(())
        }
        Format::Human => ctx.io.page(&transcript::transcript(messages, &session.context(ctx))),
        Format::Json => messages.iter().try_for_each(|message| ctx.io.document(message.document().line())),
        Format::Id => {
            let ids = messages.iter().filter_map(|message| message.document().text("id"));
            ids.map(crate::model::document::one_line).try_for_each(|id| ctx.io.id(&id))
        }
        Format::None => Ok(()),
    }
}
