//! Helper processes: this same program, started by a hidden verb.
//!
//! Such a process may still be root. So nothing of the caller's environment reaches it, where the loader, the C
//! library or the runtime would act on it (LD_PRELOAD, GCONV_PATH, MALLOC_*, TZ); what it is to know stands on its
//! command line, or comes through descriptors that it inherits.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

/// This program with a hidden verb and an empty environment; standard streams and working folder are inherited.
pub(crate) fn reexec(verb: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(verb).env_clear();
    command
}

/// Has the helper process inherit a descriptor, and puts `--NAME=NUMBER` on its command line; there
/// [`take`](crate::sys::inherited::take) makes it a descriptor again. Whatever is started before it is closed here
/// inherits it as well: start the helper process at once.
///
/// # Errors
/// What the kernel says.
pub(crate) fn lend(command: &mut Command, name: &str, descriptor: impl AsFd) -> io::Result<()> {
    let descriptor = descriptor.as_fd();
    fcntl_setfd(descriptor, FdFlags::empty())?;
    command.arg(format!("--{name}={}", descriptor.as_raw_fd()));
    Ok(())
}
