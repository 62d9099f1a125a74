//! The checks of `doctor` on this machine: configuration, credentials, data.

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::check::Check;
use crate::commands::Ctx;
use crate::config::config_file::{self, ConfigFile};
use crate::config::{credentials, dirs};
use crate::exit::Exit;
use crate::report::Failure;
use crate::server;

/// How long the check of a database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Checks that `config.toml` can be read, and has no unknown settings.
pub fn config(ctx: &Ctx) -> Check {
    let config = match ConfigFile::load(&ctx.env) {
        Ok(config) => config,
        Err(failure) => return Check::failed("config", &failure),
    };
    let path = dirs::config_dir(&ctx.env).map(|folder| folder.join(config_file::NAME)).filter(|path| path.exists());
    match (path, config.unknown_keys()) {
        (None, _) => Check::ok("config", "there is no configuration file, and none is needed"),
        (Some(path), unknown) if unknown.is_empty() => Check::ok("config", format!("{} is read", path.display())),
        (Some(path), unknown) => {
            let message = format!("{} has settings that are unknown: {}", path.display(), unknown.join(", "));
            Check::warning("config", message, "correct their names, or use a newer version")
        }
    }
}

/// Checks that only this user can read `credentials.toml`.
pub fn credentials(ctx: &Ctx) -> Check {
    match credentials::origins(&ctx.env) {
        Err(failure) => Check::failed("credentials", &failure),
        Ok(origins) if origins.is_empty() => Check::ok("credentials", "no key is saved"),
        Ok(origins) => Check::ok("credentials", format!("readable by you alone; keys for {}", origins.join(", "))),
    }
}

/// Checks that the data folder can be written, or the folder in which it would be created.
pub fn data(ctx: &Ctx) -> Check {
    let fix = "make it writable, or name another folder in AGENTCTL_DATA_DIR";
    let Some(folder) = dirs::data_dir(&ctx.env) else {
        return Check::warning("data", "this platform names no data folder: --local forgets everything", fix);
    };
    let shown = folder.display();
    match nearest(&folder) {
        Some(there) if !is_writable(there) => {
            Check::warning("data", format!("{} cannot be written: --local forgets everything", there.display()), fix)
        }
        Some(there) if there == folder && is_open_to_others(there) => {
            Check::warning("data", format!("others can read {shown}"), format!("chmod 700 {shown}"))
        }
        Some(there) if there == folder => Check::ok("data", format!("{shown} can be written")),
        _ => Check::ok("data", format!("{shown} is made when it is needed")),
    }
}

/// Checks the database of the local engine, without writing to it.
pub fn database(ctx: &Ctx) -> Check {
    let Some(path) = dirs::local_database(&ctx.env).filter(|path| path.exists()) else {
        return Check::skipped("database", "there is none yet: the first command with --local makes it");
    };
    let shown = path.display().to_string();
    match examine(path) {
        None => Check::skipped("database", format!("{shown} is too large to be checked here")),
        Some(Ok(())) => Check::ok("database", format!("{shown} is sound")),
        Some(Err(error)) => {
            let failure = Failure::new(Exit::Local, "database", error.to_string());
            let failure =
                std::error::Error::source(&error).into_iter().fold(failure, |failure, why| failure.cause(why));
            let failure = failure.hint(
                "move the file away together with its -wal and -shm files, or name another folder in AGENTCTL_DATA_DIR",
            );
            let check = Check::failed("database", &failure);
            if ctx.global.local { check } else { check.not_needed_now() }
        }
    }
}

/// Checks a database file. Returns nothing if that takes too long.
fn examine(path: PathBuf) -> Option<Result<(), crate::db::DbError>> {
    let (sender, receiver) = channel();
    // The receiver is gone when time is up; the thread then ends with the process.
    std::thread::spawn(move || _ = sender.send(server::check_database(&path)));
    receiver.recv_timeout(PATIENCE).ok()
}

/// Returns the folder itself, or its nearest parent that exists.
fn nearest(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.exists())
}

#[cfg(unix)]
fn is_writable(folder: &Path) -> bool {
    use rustix::fs::{Access, access};
    access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_writable(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|meta| !meta.permissions().readonly())
}

#[cfg(unix)]
fn is_open_to_others(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(folder).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// Checks that the completion script is in a folder where the user's shell looks for it.
pub fn completions(ctx: &Ctx) -> Check {
    let name = "completions";
    let shell = ctx.env.path("SHELL").and_then(|shell| Some(shell.file_name()?.to_str()?.to_owned()));
    let places: &[&str] = match shell.as_deref() {
        Some("bash") => &["share/bash-completion/completions/agentctl", "etc/bash_completion.d/agentctl"],
        Some("zsh") => &["share/zsh/site-functions/_agentctl", ".zfunc/_agentctl", ".zsh/completions/_agentctl"],
        Some("fish") => &["share/fish/vendor_completions.d/agentctl.fish", "fish/completions/agentctl.fish"],
        _ => return Check::skipped(name, "the shell in use is not known"),
    };
    let home = ctx.env.path("HOME").unwrap_or_default();
    let config = ctx.env.path("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
    let share = ctx.env.path("XDG_DATA_HOME").and_then(|data| data.parent().map(Path::to_owned));
    let roots = [Some(home.clone()), Some(home.join(".local")), share, Some(config), Some("/usr".into())];
    let roots = roots.into_iter().flatten().chain(["/usr/local".into(), "/".into(), "/opt/homebrew".into()]);
    let found =
        roots.flat_map(|root: PathBuf| places.iter().map(move |place| root.join(place))).find(|path| path.exists());
    match found {
        Some(path) => Check::ok(name, format!("{} is there", path.display())),
        None => Check::skipped(name, "no script was found; `agentctl completions --help` says where it goes"),
    }
}
