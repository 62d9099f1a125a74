//! Default signal actions for the processes that tests start.

use std::sync::Once;

/// Makes every later child of this process start with the default action of every signal.
///
/// A process that was started with `nohup`, or in the background of a script, ignores some signals, and children inherit
/// that. A handler is not inherited: a signal with one has its default action again after `exec`. So each signal that is
/// ignored gets a handler that does nothing, which leaves this process as immune as it was.
pub fn reset_in_children() {
    static DONE: Once = Once::new();
    DONE.call_once(|| (1..32).filter(|signal| is_ignored(*signal)).for_each(handle));
}

fn is_ignored(signal: i32) -> bool {
    // SAFETY: `sigaction` is plain data that may be zero; with a null pointer for the new action, the call only fills it.
    let action = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &raw mut action);
        action
    };
    action.sa_sigaction == libc::SIG_IGN
}

extern "C" fn nothing(_: i32) {}

fn handle(signal: i32) {
    // SAFETY: the handler does nothing, and `signal` restarts system calls that it interrupts.
    unsafe { libc::signal(signal, nothing as *const () as libc::sighandler_t) };
}
