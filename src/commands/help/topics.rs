//! The texts of the help topics.

use super::topic::Block;
use crate::exit::Exit;

/// Returns the meaning of each exit code, and the order that decides with several runs.
pub fn exit_codes() -> Vec<Block> {
    let rows = Exit::ALL.iter().map(|exit| (exit.code().to_string(), exit.meaning().to_owned())).collect();
    let order: Vec<String> = Exit::WORST_FIRST.iter().map(|exit| exit.code().to_string()).collect();
    vec![
        Block::text("Every command ends with one of these codes. Meanings change only in major releases."),
        Block::Rows(rows),
        Block::Text(format!(
            "With several runs, the first of these that applies: {}, 0. A failed run never stops the others.",
            order.join(", ")
        )),
    ]
}

/// Returns every environment variable that is read, with its effect.
pub fn environment() -> Vec<Block> {
    vec![
        Block::text(
            "A flag wins over its variable, a variable over the profile. An empty variable counts as unset, \
             unless stated otherwise. --local ignores LETTA_* and proxies.",
        ),
        Block::text("Server, key and agent:"),
        Block::rows(&[
            ("LETTA_BASE_URL", "The server's address, as --base-url."),
            (
                "LETTA_API_KEY",
                "The API key. It is an error if it is set but empty and there is no base URL: a secret is missing.",
            ),
            ("LETTA_AGENT_ID", "The agent that is used when none is given, as --agent."),
            ("LETTA_PROJECT_ID", "Sent as the header X-Project-Id."),
            ("LETTA_PROJECT", "Sent as the header X-Project."),
            ("LETTA_CUSTOM_HEADERS", "Headers for every request, a `Name: value` a line, as -H."),
            ("AGENTCTL_PROFILE", "The profile of the configuration file, as --profile."),
            (
                "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
                "Proxies, as curl reads them: also in lower case, and http_proxy in lower case only. Requests to this machine use none.",
            ),
            ("SSL_CERT_FILE, SSL_CERT_DIR", "Trusted certificates instead of the system's, in PEM."),
        ]),
        Block::text("Folders:"),
        Block::rows(&[
            (
                "AGENTCTL_CONFIG_DIR",
                "The folder of config.toml and credentials.toml [default: the platform's, such as ~/.config/agentctl].",
            ),
            (
                "AGENTCTL_DATA_DIR",
                "The folder of the local database and of the recent runs [default: the platform's, such as ~/.local/share/agentctl].",
            ),
            ("HOME, XDG_CONFIG_HOME, XDG_DATA_HOME", "Where the platform's folders are."),
        ]),
        Block::text("Output:"),
        Block::rows(&[
            ("AGENTCTL_OUTPUT", "human, json, id or none, as -o; on a terminal only."),
            ("NO_COLOR", "No colour, whatever its value."),
            ("CLICOLOR_FORCE", "Colour even in a pipe, unless it is 0."),
            ("ACCESSIBLE", "Words instead of glyphs, and no animation, unless it is 0."),
            ("TERM", "dumb: no colour, and no line is redrawn."),
            ("COLUMNS", "The width of human output without a terminal."),
            (
                "LC_ALL, LC_CTYPE, LANG",
                "The first that is set decides: without UTF-8 in it, output for people is ASCII.",
            ),
            ("TZ", "The zone of local times."),
        ]),
        Block::text("Models of the local server:"),
        Block::rows(&[
            ("OPENAI_API_KEY, OPENAI_BASE_URL", "The key and the address for models named openai/…"),
            ("OLLAMA_BASE_URL", "The address for models named ollama/…"),
            ("VLLM_BASE_URL", "The address for models named vllm/…"),
        ]),
        Block::text("Set for the command of `listen --exec`:"),
        Block::rows(&[(
            "AGENTCTL_RUN_ID, AGENTCTL_STATUS",
            "The id and the status of the run that the callback is about.",
        )]),
        Block::text("Shells:"),
        Block::rows(&[
            ("SHELL", "`doctor` looks for the completion script of this shell."),
            ("AGENTCTL_COMPLETE", "Set by completion scripts when they ask for candidates."),
        ]),
    ]
}

/// Returns the description of the streams and formats.
pub fn output() -> Vec<Block> {
    vec![
        Block::text("Standard output carries only data. Progress, notices, hints and errors go to standard error."),
        Block::rows(&[
            ("-o human", "For people: a table for several rows, a card for one. The default on a terminal."),
            (
                "-o json",
                "One JSON document a line, one per run, message, agent or event; never an array. The default in a pipe, so that a pipe always carries JSON.",
            ),
            ("-o id", "One id a line."),
            ("-o none", "Nothing; the run's id goes to standard error."),
            ("--jq EXPR", "Filters each document with the built-in jq, and implies json. Strings are printed raw."),
            ("--pretty", "Indents JSON documents."),
            ("--events", "With watch, and with send when it follows the run: events as JSON lines, as they happen."),
            ("--reply", "Only the assistant's text."),
        ]),
        Block::text(
            "A run is printed as the server sent it: with its order of keys, its numbers and unknown fields. \
             Commands that follow runs add one key, _agentctl, with the figures that they measured: outcome, reason, duration_ns, \
             duration_from, ttft_ns, ttft_from, steps, total_tokens. `agentctl schema NAME` describes every document.",
        ),
        Block::text(
            "An error is a line `error: …`, then its causes, then a hint. With JSON output it is one JSON object on \
             standard error, with the keys code, message, hint, exit, http_status, run_id and retryable under `error`.",
        ),
        Block::text(
            "Text from the network never reaches a terminal raw: control, escape and invisible characters are shown \
             escaped. If the reader of a pipe goes away, the program ends without an error.",
        ),
        Block::text(
            "Progress is drawn on a terminal only; elsewhere there is a line per change. -q leaves out progress \
             and notices, -v prints where settings came from and each request.",
        ),
    ]
}
