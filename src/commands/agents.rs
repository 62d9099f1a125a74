//! `agents`: lists, shows, creates and deletes agents.

use clap::Subcommand;
use serde_json::json;

use super::support::session::{Session, agent_id};
use super::{Ctx, End};
use crate::exit::Exit;
use crate::global::Format;
use crate::model::{AgentRef, Document};
use crate::render::{card, table};
use crate::report::Failure;
use crate::text::page::Page;

/// List, show, create or delete agents
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The action.
    #[command(subcommand)]
    pub action: AgentsAction,
}

/// An action on agents.
#[derive(Debug, Subcommand)]
pub enum AgentsAction {
    /// List agents, newest first
    List,
    /// Show agents
    Show {
        /// Agents, by id or by name
        #[arg(value_name = "AGENT", required = true)]
        agents: Vec<AgentRef>,
    },
    /// Create an agent
    Create(Create),
    /// Delete agents, with their runs and messages
    Delete {
        /// Agents, by id or by name
        #[arg(value_name = "AGENT", required = true)]
        agents: Vec<AgentRef>,
    },
}

/// The properties of a new agent.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  agentctl agents create --local --name helper
  agentctl agents create --name helper --model openai/gpt-4o-mini --system \"You are brief.\"
  agent=$(agentctl agents create --name helper -o id)")]
pub struct Create {
    /// Its name
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Its model, such as openai/gpt-4o-mini [default with --local: agentctl/echo]
    #[arg(long, value_name = "HANDLE")]
    pub model: Option<String>,
    /// Its system prompt
    #[arg(long, value_name = "TEXT")]
    pub system: Option<String>,
    /// Its kind [server's default: letta_v1_agent]
    #[arg(long, value_name = "TYPE")]
    pub agent_type: Option<String>,
}

/// Runs `agents`.
pub async fn run(ctx: &Ctx, args: Args) -> anyhow::Result<End> {
    let session = Session::open(ctx).await?;
    let done = carry_out(ctx, &session, &args.action).await;
    session.close().await;
    done.map(|()| Exit::Done.into()).map_err(Into::into)
}

async fn carry_out(ctx: &Ctx, session: &Session, action: &AgentsAction) -> Result<(), Failure> {
    match action {
        AgentsAction::List => {
            let agents = session.api.agents(None).await?;
            session.saw(&agents);
            print_list(ctx, session, &agents)
        }
        AgentsAction::Create(create) => print_one(ctx, session, &session.api.create_agent(body(create)).await?),
        AgentsAction::Show { agents } => {
            for agent in agents {
                let id = session.agent(Some(agent)).await?;
                print_one(ctx, session, &session.api.agent(&id).await?)?;
            }
            Ok(())
        }
        AgentsAction::Delete { agents } => {
            for agent in agents {
                delete(ctx, session, agent).await?;
            }
            Ok(())
        }
    }
}

fn body(create: &Create) -> String {
    let Create { name, model, system, agent_type } = create;
    let mut body = json!({"name": name});
    for (key, value) in [("model", model), ("system", system), ("agent_type", agent_type)] {
        if let Some(value) = value {
            body[key] = json!(value);
        }
    }
    body.to_string()
}

/// Deletes an agent, and prints the document that it had.
async fn delete(ctx: &Ctx, session: &Session, agent: &AgentRef) -> Result<(), Failure> {
    let id = session.agent(Some(agent)).await?;
    let document = session.api.agent(&id).await?;
    session.api.delete_agent(&id).await?;
    match ctx.format {
        Format::Human => ctx.io.page(&Page::new().say("deleted ").show(id.as_str()).end()),
        _ => print_one(ctx, session, &document),
    }
}

fn print_list(ctx: &Ctx, session: &Session, agents: &[Document]) -> Result<(), Failure> {
    match ctx.format {
        Format::Human if agents.is_empty() => {
            ctx.io.notice(&Page::new().say("no agents; create one with `agentctl agents create --name NAME`").end());
            Ok(())
        }
        Format::Human => ctx.io.page(&table::agents_table(agents, &session.context(ctx))),
        _ => agents.iter().try_for_each(|agent| print_one(ctx, session, agent)),
    }
}

fn print_one(ctx: &Ctx, session: &Session, agent: &Document) -> Result<(), Failure> {
    match ctx.format {
        Format::Human => ctx.io.page(&card::agent_card(agent, &session.context(ctx))),
        Format::Json => ctx.io.document(agent.line()),
        Format::Id => ctx.io.id(agent_id(agent)?.as_str()),
        Format::None => Ok(()),
    }
}
