//! `logout`: deletes the key that `login` saved for a server.

use super::{Ctx, End};
use crate::config::{Base, Settings, credentials};
use crate::exit::Exit;
use crate::text::page::Page;

/// Forget the API key for a server
///
/// The server is chosen as in login. The key is removed from this machine but stays valid until it is
/// revoked at the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl logout
  agentctl logout --base-url https://letta.example.com")]
pub struct Args {}

/// Runs `logout`.
pub fn run(ctx: &Ctx, _: &Args) -> anyhow::Result<End> {
    let settings = Settings::for_login(&ctx.global.flags(), &ctx.env)?;
    let Base::Server(base) = &settings.base else { return Ok(Exit::Done.into()) };
    let forgotten = credentials::remove(&ctx.env, base)?;
    let what = if forgotten { "forgot the key for " } else { "no key is saved for " };
    ctx.io.notice(&Page::new().say(what).show_line(&credentials::origin(base)).end());
    let others = credentials::origins(&ctx.env)?;
    if !others.is_empty() {
        let page = Page::new().say("keys are saved for ").show_line(&others.join(", "));
        ctx.io.notice(&page.say("; `agentctl logout --base-url URL` forgets one").end());
    }
    if ctx.env.given("LETTA_API_KEY").is_some() {
        ctx.io.notice(&Page::new().say("LETTA_API_KEY is still set").end());
    }
    Ok(Exit::Done.into())
}
