//! Protection of this process's memory, since it holds API keys.

/// Makes this process non-dumpable: no core dump, and other processes of this user cannot read its memory or its
/// environment. A debugger that started the process keeps its access.
#[cfg(target_os = "linux")]
pub fn forbid() {
    // Best effort: if the kernel refuses, a key is as safe as in any other program.
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Sets the core dump limit to zero: other Unix systems have no way to hide the memory of a process.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn forbid() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
}

/// Does nothing: Windows writes no dumps by default.
#[cfg(not(unix))]
pub fn forbid() {}
