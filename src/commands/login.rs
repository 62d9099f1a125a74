//! `login`: asks for a key, tests it, and saves it for one server.

use std::io::Read as _;

use super::support::session::Session;
use super::{Ctx, End};
use crate::config::{Base, Provenance, Secret, Settings, credentials};
use crate::exit::Exit;
use crate::report::Failure;
use crate::text::page::Page;
use crate::ui::prompt;

/// The most bytes that are read for a key.
const CAP: u64 = 64 << 10;

/// Save the API key for a server
///
/// On a terminal the key is asked for and not shown; otherwise it is the first line of standard input
/// or of --api-key-file. It is tested with a request that changes nothing, and saved only if the
/// server accepts it. A saved key is sent only to the server that it was saved for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --base-url, LETTA_BASE_URL or a profile the server is
https://api.letta.com. Keys are kept in credentials.toml beside config.toml,
which only you can read.

Examples:
  agentctl login
  agentctl login --base-url https://letta.example.com < key.txt

Exit codes: 0 saved; 4 the server refuses the key; 9 it cannot be reached;
14 others could read the file. The key is saved only with 0.")]
pub struct Args {}

/// Runs `login`.
pub async fn run(ctx: &Ctx, _: Args) -> anyhow::Result<End> {
    let mut settings = Settings::for_login(&ctx.global.flags(), &ctx.env)?;
    let Base::Server(base) = settings.base.clone() else { return Ok(Exit::Done.into()) };
    // Fails before asking for a key if the credentials file is unusable.
    credentials::origins(&ctx.env)?;
    let origin = credentials::origin(&base);
    let key = match take(ctx, &origin).await? {
        Ok(key) => key,
        Err(end) => return Ok(end),
    };
    settings.key = Some(key.clone());
    settings.key_provenance = Provenance::Default("this login");
    try_out(ctx, settings).await?;
    let file = credentials::save(&ctx.env, &base, &key)?;
    let saved = Page::new().say("saved the key for ").show_line(&origin).say(" in ");
    ctx.io.notice(&saved.show_line(&file.display().to_string()).end());
    if ctx.env.given("LETTA_API_KEY").is_some() {
        ctx.io.notice(&Page::new().say("LETTA_API_KEY is set, and wins over it").end());
    }
    Ok(Exit::Done.into())
}

/// Tests the key with a request that needs one.
async fn try_out(ctx: &Ctx, settings: Settings) -> Result<(), Failure> {
    let session = Session::open_with(ctx, settings).await?;
    session.api.check_key().await.map_err(|error| {
        let mut failure = error.failure();
        if failure.exit == Exit::NotAllowed {
            failure.hint = Some("the key was not saved; check that it is one of this server".to_owned());
        }
        failure
    })
}

/// Reads the key, or returns how the command ends without one.
async fn take(ctx: &Ctx, origin: &str) -> Result<Result<Secret, End>, Failure> {
    let unreadable = |error| {
        Failure::new(Exit::Local, "stdin", "cannot read standard input")
            .cause(error)
            .hint("--api-key-file reads the key from a file")
    };
    if let Some(file) = &ctx.global.api_key_file {
        return crate::config::key_file::read(file).map(Ok);
    }
    let text = if ctx.io.terminals.stdin {
        let ask = || ctx.io.say(&Page::new().say("API key for ").show_line(origin).say(" (it is not shown): "));
        let line = prompt::hidden_line(ask).await.map_err(unreadable)?;
        ctx.io.say(&Page::new().end());
        match line {
            Ok(line) => line,
            Err(signal) => return Ok(Err(signal.into())),
        }
    } else {
        let mut text = String::new();
        std::io::stdin().take(CAP).read_to_string(&mut text).map_err(unreadable)?;
        text
    };
    let key = Secret::new(text.lines().next().unwrap_or_default().trim().to_owned(), "standard input")?;
    if key.is_empty() {
        let failure = Failure::usage("no key was given").cause("standard input was empty");
        return Err(failure.hint("type the key when asked, or pipe it in: agentctl login < key.txt"));
    }
    Ok(Ok(key))
}
