//! A hidden verb that becomes the wrapped command once it is released.
//!
//! Between fork and exec only code that does not allocate is safe. So portbind executes itself, and this verb does the
//! work in the new process: it waits until its parent traces it, gives up what the command must not have, and executes
//! the command.
//!
//! While the process has root's rights, it interprets no data of the caller: its own environment is empty, and it reads
//! the command's environment after it has switched to the user.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{OwnedFd, RawFd};
use std::process::Command;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use nix::sys::signal::{SigSet, Signal};
use rustix::fs::Mode;
use rustix::io::retry_on_intr;
use rustix::process::umask;

use super::error::{CommandError, Error};
use crate::host::Failed;
use crate::host::identity::UserIds;
use crate::host::invoker::{self, Environment};
use crate::sys::{inherited, signals};

/// The name of the verb.
pub(crate) const VERB: &str = "__launch";

/// The command, and how to start it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Descriptor of a pipe: its first byte, or its end, releases the command.
    #[arg(long)]
    gate: RawFd,
    /// Descriptor of a file with the command's environment, in the format of `/proc/PID/environ`.
    #[arg(long)]
    environment: RawFd,
    /// The user to switch to.
    #[command(flatten)]
    user: Option<UserIds>,
    /// File mode creation mask.
    #[arg(long)]
    umask: Option<u32>,
    /// Signals that portbind has blocked for itself.
    #[arg(long)]
    unblock: Vec<Signal>,
    /// Numbers of signals that the caller of portbind ignores, and portbind itself does not.
    #[arg(long)]
    ignore: Vec<i32>,
    /// The command.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs the verb. Returns only if the process cannot switch to the user, or the command cannot be executed.
pub(crate) fn run(args: &Args) -> Error {
    match prepare(args) {
        Ok(environment) => exec(&args.command, environment, args.ignore.clone()),
        Err(error) => error.into(),
    }
}

/// Waits, gives up what the command must not have, and then reads the caller's data: the environment.
fn prepare(args: &Args) -> Result<Environment, Failed> {
    let gate = inherited::take(args.gate).map_err(Failed::at("cannot wait to be followed"))?;
    let environment = inherited::take(args.environment).map_err(Failed::at(NO_ENVIRONMENT))?;
    wait(&gate);
    become_user(args.user.as_ref(), args.umask)?;
    let environment = read(environment).map_err(Failed::at(NO_ENVIRONMENT))?;
    let unblocked = args.unblock.iter().copied().collect::<SigSet>().thread_unblock();
    unblocked.map_err(Failed::at("cannot unblock signals"))?;
    Ok(environment)
}

/// Executes the command in this process, with these signals ignored. Returns only if that fails.
pub(crate) fn exec(words: &[OsString], environment: Environment, ignored: Vec<i32>) -> Error {
    let mut words = words.iter();
    let program = words.next().cloned().unwrap_or_default();
    let mut command = Command::new(&program);
    command.args(words).env_clear().envs(environment);
    let source = signals::exec_ignoring(&mut command, ignored);
    CommandError { program, source }.into()
}

const NO_ENVIRONMENT: &str = "cannot read the environment of the command";

/// Waits until the parent process releases the command or ends. If waiting fails, the command runs anyway.
fn wait(gate: &OwnedFd) {
    let _said = retry_on_intr(|| rustix::io::read(gate, &mut [0_u8; 1]));
}

fn read(environment: OwnedFd) -> io::Result<Environment> {
    let mut bytes = Vec::new();
    File::from(environment).read_to_end(&mut bytes)?;
    Ok(invoker::environment(&bytes))
}

/// Switches to the user and the file mode creation mask of the command.
///
/// # Errors
/// If the kernel refuses.
pub(crate) fn become_user(user: Option<&UserIds>, mask: Option<u32>) -> Result<(), Failed> {
    if let Some(mask) = mask {
        umask(Mode::from_raw_mode(mask));
    }
    let taken = user.map_or(Ok(()), |user| without_limit_of_processes(|| user.take()));
    taken.map_err(Failed::at("cannot become the user of the command"))
}

/// Runs `work` without a limit on the number of processes. A process that switches to a user who exceeds the limit
/// cannot call execve afterwards (set_user in kernel/sys.c, do_execveat_common in fs/exec.c; 6.18), although execve
/// starts no process.
fn without_limit_of_processes<T>(work: impl FnOnce() -> T) -> T {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NPROC) else { return work() };
    let raise = |limit, maximum| setrlimit(Resource::RLIMIT_NPROC, limit, maximum);
    // Exceeding the hard limit requires CAP_SYS_RESOURCE.
    let _raised = raise(RLIM_INFINITY, RLIM_INFINITY).or_else(|_| raise(hard, hard));
    let done = work();
    // Lowering a limit never fails (do_prlimit in kernel/sys.c, 6.18).
    let _restored = setrlimit(Resource::RLIMIT_NPROC, soft, hard);
    done
}
