//! `config`: shows and changes the configuration file, and lists the effective settings.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Ctx, End};
use crate::config::config_file::{self, ConfigFile};
use crate::config::edit::{self, Edit};
use crate::config::headers::Header;
use crate::config::setting_name::SettingName;
use crate::config::setting_path::{ProfileName, SettingPath};
use crate::config::{Given, Provenance, Settings, dirs};
use crate::exit::Exit;
use crate::global::Format;
use crate::report::Failure;
use crate::text::page::Page;

/// Show and change settings
///
/// Settings are kept in config.toml, in profiles: base_url, agent, project and output. A flag wins
/// over an environment variable, a variable over the profile. API keys are not settings: see
/// `agentctl login`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
KEY is base_url, agent, project or output, of the profile in use; or
profiles.NAME.KEY. The profile in use is the one of --profile,
AGENTCTL_PROFILE, `config use`, or else the one named default.

Examples:
  agentctl config set base_url http://localhost:8283
  agentctl config set profiles.work.base_url https://letta.example.com
  agentctl config use work
  agentctl config list")]
pub struct Args {
    /// The action.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// An action on the settings.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the value of a setting in the file
    Get {
        /// The setting
        #[arg(value_name = "KEY")]
        key: SettingPath,
    },
    /// Write a setting to the file
    Set {
        /// The setting
        #[arg(value_name = "KEY")]
        key: SettingPath,
        /// The new value
        #[arg(value_name = "VALUE")]
        value: String,
    },
    /// Remove a setting from the file
    Unset {
        /// The setting
        #[arg(value_name = "KEY")]
        key: SettingPath,
    },
    /// Print the effective settings, and where each came from
    List,
    /// Print the path of the file, whether or not it exists
    Path,
    /// Make a profile the default
    Use {
        /// The profile
        #[arg(value_name = "PROFILE")]
        name: ProfileName,
    },
}

/// Runs `config`.
pub fn run(ctx: &Ctx, args: &Args) -> anyhow::Result<End> {
    match &args.action {
        ConfigAction::Get { key } => get(ctx, key)?,
        ConfigAction::Set { key, value } => {
            key.setting.check(value, "the command line")?;
            change(ctx, Edit::Set(key.clone(), value.clone()))?;
        }
        ConfigAction::Unset { key } => change(ctx, Edit::Unset(key.clone()))?,
        ConfigAction::List => list(ctx)?,
        ConfigAction::Path => path(ctx)?,
        ConfigAction::Use { name } => change(ctx, Edit::Use(name.0.clone()))?,
    }
    Ok(Exit::Done.into())
}

fn change(ctx: &Ctx, change: Edit) -> Result<(), Failure> {
    edit::apply(&ctx.env, named_profile(ctx)?.as_deref(), &change)
}

/// Returns the profile that `--profile` names, which need not exist yet.
fn named_profile(ctx: &Ctx) -> Result<Option<String>, Failure> {
    if ctx.global.local {
        return Err(Failure::usage("--local has no settings").hint("leave it out"));
    }
    let bad = |error| {
        Failure::usage("--profile names no profile").cause(error).hint("`agentctl config list` shows the profiles")
    };
    ctx.global.profile.as_ref().map(|name| name.parse::<ProfileName>().map(|name| name.0).map_err(bad)).transpose()
}

fn get(ctx: &Ctx, place: &SettingPath) -> Result<(), Failure> {
    let flag = place.profile.clone().or(named_profile(ctx)?);
    let profile = ConfigFile::load(&ctx.env)?.active(flag.as_deref(), &ctx.env)?;
    let key = place.setting.name();
    match profile.as_ref().and_then(|profile| profile.get(place.setting)) {
        Some(given) => ctx.io.page(&Page::new().show(&given.value).end()),
        None => {
            let name = profile.map_or_else(|| "default".to_owned(), |profile| profile.name.value);
            let failure = Failure::usage(format!("`{key}` is not set in the profile `{name}`"));
            Err(failure.hint("`agentctl config list` shows the effective settings"))
        }
    }
}

fn path(ctx: &Ctx) -> Result<(), Failure> {
    let folder = dirs::required_config_dir(&ctx.env)?;
    ctx.io.page(&Page::new().show(&folder.join(config_file::NAME).display().to_string()).end())
}

/// The name of a setting and its effective value, if it has one.
type EffectiveSetting = (&'static str, Option<Given<String>>);

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let rows = rows(ctx)?;
    if ctx.format_is_given(Format::Json) || ctx.global.jq.is_some() {
        return rows.iter().try_for_each(|row| ctx.io.document(&document(row).to_string()));
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let page = rows.iter().fold(Page::new(), |page, (name, given)| {
        let page = page.show(&format!("{name:width$}  "));
        match given {
            Some(given) => {
                page.show_line(&given.value).say("  (from ").show_line(&given.provenance.to_string()).say(")")
            }
            None => page.say("(not set)"),
        }
        .end()
    });
    ctx.io.page(&page)
}

fn document((name, given): &EffectiveSetting) -> Value {
    let value = given.as_ref().map(|given| &given.value);
    json!({"key": name, "value": value, "origin": given.as_ref().map(|given| given.provenance.to_string())})
}

fn rows(ctx: &Ctx) -> Result<Vec<EffectiveSetting>, Failure> {
    let settings = Settings::resolve_allowing_no_key(&ctx.global.flags(), &ctx.env)?;
    let base = Given::new(settings.server_name(), settings.base_provenance);
    let key = settings.key.map(|_| Given::new("(redacted)".to_owned(), settings.key_provenance));
    let (project, others): (Vec<Header>, Vec<Header>) =
        settings.headers.into_iter().partition(|header| header.name.as_str().starts_with("x-project"));
    let project = project.into_iter().next().map(|header| Given::new(header.shown().to_owned(), header.provenance));
    let mut rows = vec![
        ("profile", settings.profile),
        (SettingName::BaseUrl.name(), Some(base)),
        ("key", key),
        (SettingName::Agent.name(), settings.agent),
        (SettingName::Project.name(), project),
        (SettingName::Output.name(), Some(output(ctx)?)),
    ];
    let header = |header: Header| Given::new(format!("{}: {}", header.name, header.shown()), header.provenance);
    rows.extend(others.into_iter().map(|one| ("header", Some(header(one)))));
    Ok(rows)
}

fn output(ctx: &Ctx) -> Result<Given<String>, Failure> {
    let flag = ctx.global.output.map(|format| Given::new(word(format), Provenance::Flag("--output")));
    let env = || ctx.env.given("AGENTCTL_OUTPUT").map(|word| Given::new(word, Provenance::Variable("AGENTCTL_OUTPUT")));
    let profile = || -> Result<_, Failure> {
        let profile = ConfigFile::load(&ctx.env)?.active(ctx.global.profile.as_deref(), &ctx.env)?;
        Ok(profile.and_then(|profile| profile.get(SettingName::Output)))
    };
    let given = match flag.or_else(env) {
        None if !ctx.global.local => profile()?,
        given => given,
    };
    Ok(given.unwrap_or_else(|| Given::new("human".to_owned(), Provenance::Default("the default"))))
}

fn word(format: Format) -> String {
    format!("{format:?}").to_lowercase()
}
