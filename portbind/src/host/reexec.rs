//! Helper processes: this same program, started with a hidden subcommand.
//!
//! Such a process may still be root. So its environment is empty: the loader, the C library or the runtime would act on
//! the user's variables (LD_PRELOAD, GCONV_PATH, MALLOC_*, TZ). Its input is its command line and inherited
//! descriptors.

use std::io;
use std::os::fd::{AsFd, AsRawFd as _};
use std::process::Command;

use rustix::io::{FdFlags, fcntl_setfd};

/// This program with a hidden subcommand and an empty environment; standard streams and working folder are inherited.
pub(crate) fn reexec(verb: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg(verb).env_clear();
    command
}

/// Makes the helper process inherit a descriptor, and adds `--NAME=NUMBER` to its command line; in the helper,
/// [`take`](crate::sys::inherited::take) converts the number into a descriptor again. Start the helper process at once:
/// every program that is started before this descriptor is closed here inherits it, too.
///
/// # Errors
/// The kernel's error.
pub(crate) fn lend(command: &mut Command, name: &str, descriptor: impl AsFd) -> io::Result<()> {
    let descriptor = descriptor.as_fd();
    fcntl_setfd(descriptor, FdFlags::empty())?;
    command.arg(format!("--{name}={}", descriptor.as_raw_fd()));
    Ok(())
}
