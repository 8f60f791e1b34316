//! Helper processes: this same program, started by a hidden verb.
//!
//! Such a process may still be root. So nothing of the caller's environment reaches it, where the loader, the C
//! library or the runtime would act on it (LD_PRELOAD, GCONV_PATH, MALLOC_*, TZ); what it is to know stands on its
//! command line, or comes through descriptors that it inherits.

use std::process::Command;

/// This program with a hidden verb and an empty environment; standard streams and working folder are inherited.
pub(in crate::cli) fn reexec(verb: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(verb).env_clear();
    command
}
