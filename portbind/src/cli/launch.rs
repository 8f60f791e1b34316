//! A hidden verb: becomes the wrapped command, once it is let go.
//!
//! Between fork and exec only code without allocation is safe, so what is to be done there is done by this
//! program after an exec of its own: it stops itself until its parent follows it, gives up what the command
//! is not to have, and turns into the command.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sys::signal::{SigSet, Signal as NixSignal};
use rustix::fs::Mode;
use rustix::process::{Signal, getpid, kill_process, umask};
use rustix::thread::{Gid, Uid, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::error::{Error, ExitStatus};

/// The name of the verb.
pub(super) const VERB: &str = "__launch";

/// What to become.
#[derive(Debug, clap::Args)]
pub struct Args {
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
    unblock: Vec<NixSignal>,
    /// The command.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs the verb; returns only if the command cannot be run.
///
/// # Errors
/// If the command cannot be run, or the identity not taken.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let system = |doing| move |source: rustix::io::Errno| Error::System { doing, source: source.into() };
    let unblocking =
        |source: nix::Error| Error::System { doing: "cannot unblock signals", source: source.into() };
    kill_process(getpid(), Signal::STOP).map_err(system("cannot wait to be followed"))?;
    args.unblock.iter().copied().collect::<SigSet>().thread_unblock().map_err(unblocking)?;
    become_user(args).map_err(system("cannot become the user of the command"))?;
    let Some((program, arguments)) = args.command.split_first() else {
        return Ok(ExitStatus::Usage);
    };
    let source = Command::new(program).args(arguments).exec();
    Err(Error::Command { program: program.clone(), source })
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

/// Gives this thread, and no other one, the rights of a user. Groups first: who has given up its user id may not
/// change them.
pub(super) fn take_identity(uid: u32, gid: u32, groups: &[u32]) -> rustix::io::Result<()> {
    let groups: Vec<Gid> = groups.iter().map(|&group| Gid::from_raw(group)).collect();
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&groups)?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)
}
