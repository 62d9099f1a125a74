//! Questions on the terminal.

use std::io::{self, BufRead as _};

use super::signals::{Signal, Signals, suspend};

/// Reads a line from standard input. Returns whether it is `y` or `yes`.
pub async fn is_yes() -> io::Result<bool> {
    let read = || {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    };
    let line = tokio::task::spawn_blocking(read).await.map_err(io::Error::other)??;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Reads a line from the terminal on standard input without echo. `ask` prints the question once the echo is off. The
/// echo is restored whenever this returns, also after an error.
pub async fn hidden_line(ask: impl FnOnce()) -> io::Result<Result<String, Signal>> {
    let mut signals = Signals::catch()?;
    let hidden = Hidden::begin()?;
    ask();
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let suspended = || {
        hidden.show();
        suspend();
        hidden.hide();
    };
    match signals.during(line, suspended).await {
        Ok(line) => Ok(Ok(line.map_err(io::Error::other)??)),
        Err(signal) => Ok(Err(signal)),
    }
}

/// Turns the terminal's echo off until it is dropped.
#[cfg(unix)]
struct Hidden(rustix::termios::Termios);

#[cfg(unix)]
impl Hidden {
    fn begin() -> io::Result<Self> {
        let hidden = Self(rustix::termios::tcgetattr(rustix::stdio::stdin())?);
        hidden.hide();
        Ok(hidden)
    }

    fn hide(&self) {
        let mut quiet = self.0.clone();
        quiet.local_modes.remove(rustix::termios::LocalModes::ECHO);
        self.set(&quiet);
    }

    fn show(&self) {
        self.set(&self.0);
    }

    /// Sets the terminal's modes, and discards input that was typed before, since it was echoed.
    fn set(&self, modes: &rustix::termios::Termios) {
        // An error means that the terminal is gone, so nothing is echoed.
        let _ = rustix::termios::tcsetattr(rustix::stdio::stdin(), rustix::termios::OptionalActions::Flush, modes);
    }
}

#[cfg(unix)]
impl Drop for Hidden {
    fn drop(&mut self) {
        self.show();
    }
}

/// Returns an error: turning the echo off needs unsafe code on this platform.
#[cfg(not(unix))]
struct Hidden;

#[cfg(not(unix))]
impl Hidden {
    fn begin() -> io::Result<Self> {
        Err(io::Error::other("this platform cannot hide what is typed"))
    }

    fn hide(&self) {}

    fn show(&self) {}
}
