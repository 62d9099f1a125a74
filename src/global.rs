//! The flags that every command takes.

// Doc comments are the help text here: brackets around an address would be printed.
#![allow(rustdoc::bare_urls)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::config::settings::ConnectionFlags;
use crate::text::duration;
use crate::ui::progress::Choice;

/// How data is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// One JSON document per line
    Json,
    /// One id per line
    Id,
    /// Nothing
    None,
}

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColourMode {
    /// On a terminal, unless NO_COLOR is set or TERM is dumb
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The flags that every command takes.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// How to print data [default: human on a terminal, json in a pipe] [env: AGENTCTL_OUTPUT]
    #[arg(
        short,
        long,
        value_name = "FORMAT",
        global = true,
        help_heading = "Output",
        value_enum,
        overrides_with = "output"
    )]
    pub output: Option<Format>,
    /// Filter each JSON document with a jq expression; implies -o json
    ///
    /// Strings are printed raw, several results a line each. The filter is built in and checked
    /// before anything is sent. It sees only its document: there is no env and no input.
    #[arg(long, value_name = "EXPR", global = true, help_heading = "Output", overrides_with = "jq")]
    pub jq: Option<String>,
    /// Indent JSON documents
    #[arg(long, global = true, help_heading = "Output")]
    pub pretty: bool,
    /// How to show progress on standard error
    #[arg(long, value_name = "HOW", global = true, help_heading = "Output", value_enum, default_value_t)]
    pub progress: Choice,
    /// Print neither progress nor notices
    #[arg(short, long, global = true, help_heading = "Output")]
    pub quiet: bool,
    /// Print where settings came from and each request; twice: bodies too
    #[arg(short, long, global = true, help_heading = "Output", action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, value_name = "WHEN", global = true, help_heading = "Output", value_enum, default_value_t)]
    pub color: ColourMode,
    /// Print times in UTC as RFC 3339
    #[arg(long, global = true, help_heading = "Output")]
    pub utc: bool,
    /// Use this machine's local server: the running one, else the engine inside this program
    #[arg(long, global = true, help_heading = "Connection")]
    pub local: bool,
    /// The server's address [env: LETTA_BASE_URL]
    ///
    /// Without it: https://api.letta.com if there is a key, else http://localhost:8283.
    #[arg(long, value_name = "URL", global = true, help_heading = "Connection")]
    pub base_url: Option<String>,
    /// Use this profile of the configuration file [env: AGENTCTL_PROFILE]
    #[arg(long, value_name = "PROFILE", global = true, help_heading = "Connection")]
    pub profile: Option<String>,
    /// Read the API key from the first line of a file, a pipe, or - [env: LETTA_API_KEY]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Connection")]
    pub api_key_file: Option<PathBuf>,
    /// Send this header with every request; `@FILE` reads such lines [env: LETTA_CUSTOM_HEADERS]
    ///
    /// LETTA_PROJECT_ID and LETTA_PROJECT become X-Project-Id and X-Project.
    #[arg(short = 'H', long, value_name = "NAME: VALUE", global = true, help_heading = "Connection")]
    pub header: Vec<String>,
    /// Trust the certificates in this PEM file too [env: SSL_CERT_FILE]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Connection")]
    pub ca_cert: Option<PathBuf>,
    /// Allow sending the key over plain http to public addresses
    #[arg(long, global = true, help_heading = "Connection")]
    pub allow_plain_http: bool,
    /// How long one request may take [default: 30s to read, 60s to send]
    #[arg(long, value_name = "DURATION", global = true, help_heading = "Connection", value_parser = duration::parse)]
    pub request_timeout: Option<Duration>,
}

impl Global {
    /// Returns the flags that settings are resolved from.
    pub fn flags(&self) -> ConnectionFlags {
        ConnectionFlags {
            base_url: self.base_url.clone(),
            local: self.local,
            profile: self.profile.clone(),
            headers: self.header.clone(),
            api_key_file: self.api_key_file.clone(),
            ca_cert: self.ca_cert.clone(),
            allow_plain_http: self.allow_plain_http,
            request_timeout: self.request_timeout,
        }
    }
}
