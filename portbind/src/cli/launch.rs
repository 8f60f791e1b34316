//! A hidden verb: becomes the wrapped command, once it is let go.
//!
//! Between fork and exec only code without allocation is safe, so what is to be done there is done by this
//! program after an exec of its own: it waits until the process that started it has taken it into the trace, gives up
//! what the command is not to have, and turns into the command.
//!
//! While it has the rights of root, nothing of the caller's is interpreted: its environment is empty, and that of
//! the command is read after the identity is taken.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{OwnedFd, RawFd};
use std::process::Command;

use nix::sys::signal::{SigSet, Signal};
use rustix::fs::Mode;
use rustix::io::retry_on_intr;
use rustix::process::umask;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, set_capabilities,
};

use super::identity::take_ids;
use crate::error::{Error, ExitStatus};
use crate::host::invoker::{self, Environment};
use crate::sys::{inherited, signals};

/// The name of the verb.
pub(super) const VERB: &str = "__launch";

/// What to become.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Descriptor of a pipe: its first byte, or its end, says that the command may run.
    #[arg(long)]
    gate: RawFd,
    /// Descriptor of a file with the environment of the command, as in `/proc/PID/environ`.
    #[arg(long)]
    environment: RawFd,
    /// Real, effective and saved user id.
    #[arg(long)]
    uid: Option<u32>,
    /// Real, effective and saved group id.
    #[arg(long)]
    gid: Option<u32>,
    /// Supplementary groups.
    #[arg(long, value_delimiter = ',')]
    groups: Vec<u32>,
    /// File mode creation mask.
    #[arg(long)]
    umask: Option<u32>,
    /// Signals that portbind has blocked for itself.
    #[arg(long)]
    unblock: Vec<Signal>,
    /// Numbers of signals that the caller of portbind ignores, and portbind does not.
    #[arg(long)]
    ignore: Vec<i32>,
    /// The command.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs the verb; returns only if the command cannot be run.
///
/// # Errors
/// If the command cannot be run, or the identity not taken.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let source = match prepare(args) {
        Ok((mut command, program)) => {
            let source = signals::exec_ignoring(&mut command, args.ignore.clone());
            return Err(Error::Command { program, source });
        }
        Err(error) => error,
    };
    Err(Error::Wrapper(Box::new(source)))
}

/// Waits, gives up what the command is not to have, and then reads what is the caller's.
fn prepare(args: &Args) -> Result<(Command, OsString), Error> {
    let system = |doing| move |source: io::Error| Error::System { doing, source };
    let gate = inherited::take(args.gate).map_err(system("cannot wait to be followed"))?;
    let environment = inherited::take(args.environment).map_err(system(NO_ENVIRONMENT))?;
    wait(&gate);
    become_user(args).map_err(|error| system("cannot become the user of the command")(error.into()))?;
    let environment = read(environment).map_err(system(NO_ENVIRONMENT))?;
    let unblocked = args.unblock.iter().copied().collect::<SigSet>().thread_unblock();
    unblocked.map_err(|error| system("cannot unblock signals")(error.into()))?;
    let mut words = args.command.iter();
    let program = words.next().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(words).env_clear().envs(environment);
    Ok((command, program))
}

const NO_ENVIRONMENT: &str = "cannot read the environment of the command";

/// Waits for the process that started this one to say that the command may run, or to end. A failure to wait is no
/// reason not to run it.
fn wait(gate: &OwnedFd) {
    let _said = retry_on_intr(|| rustix::io::read(gate, &mut [0_u8; 1]));
}

fn read(environment: OwnedFd) -> io::Result<Environment> {
    let mut bytes = Vec::new();
    File::from(environment).read_to_end(&mut bytes)?;
    Ok(invoker::environment(&bytes))
}

fn become_user(args: &Args) -> rustix::io::Result<()> {
    if let Some(mask) = args.umask {
        umask(Mode::from_raw_mode(mask));
    }
    match (args.uid, args.gid) {
        (Some(uid), Some(gid)) => take_identity(uid, gid, &args.groups),
        _ => Ok(()),
    }
}

/// Gives this thread, and those that it starts, the rights of a user.
pub(super) fn take_identity(uid: u32, gid: u32, groups: &[u32]) -> rustix::io::Result<()> {
    take_ids(uid, gid, Some(groups))?;
    if uid == 0 { Ok(()) } else { drop_capabilities() }
}

/// The kernel drops them with the user id, unless they were ambient, or securebits say otherwise
/// (`cap_emulate_setxuid` in security/commoncap.c of 6.18).
fn drop_capabilities() -> rustix::io::Result<()> {
    clear_ambient_capability_set()?;
    let inheritable = capabilities(None)?.inheritable;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable })
}
