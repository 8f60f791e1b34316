//! Helper processes: this same program, started again.

use std::process::Command;

/// This program, to be run with a hidden verb and an empty environment: nothing of what the caller has set is
/// interpreted by a process that may still be root.
pub(in crate::cli) fn reexec(verb: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.env_clear().arg(verb);
    command
}
