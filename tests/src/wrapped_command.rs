//! Commands for `portbind run` to wrap: each shows one thing that a wrapper could get wrong.

mod crowd;
mod family;
mod say;
mod state;

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::Context as _;
use clap::Subcommand;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use portbind::sys::signals::exec_ignoring;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getpid, ioctl_tiocsctty, kill_process, setrlimit, setsid, umask};
use rustix::stdio::{dup2_stderr, dup2_stdin, dup2_stdout};

use crate::sys;

use say::say;

/// A wrapped command.
#[derive(Clone, Debug, Subcommand)]
pub enum WrappedCommand {
    /// Prints the state that a process inherits.
    State,
    /// Exits with a status.
    Exit {
        /// The status.
        status: u8,
    },
    /// Kills itself with a signal.
    Kill {
        /// The number of the signal.
        signal: i32,
    },
    /// Prints `ready`, then the signals that arrive, and ends.
    Signals,
    /// Runs a command in unusual circumstances.
    Peculiar {
        /// The command.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
    /// Runs a command as the leader of a session with a terminal.
    Terminal {
        /// The terminal.
        path: String,
        /// The command.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
    /// Starts a daemon that leaves its parent, and waits until the daemon had a refused bind.
    Daemon {
        /// The port, which another process holds.
        port: u16,
    },
    /// Starts a process that requests a port after its parent has ended.
    Middle {
        /// The port.
        port: u16,
    },
    /// Requests a port after its parent has ended.
    Orphan {
        /// The port.
        port: u16,
    },
    /// Makes a refused bind.
    Refused {
        /// The port.
        port: u16,
        /// Its exit status.
        status: u8,
    },
    /// Ends while a process that it has started still serves on the port.
    Leave {
        /// The port.
        port: u16,
    },
    /// Serves on a port until the input ends.
    Serve {
        /// The port.
        port: u16,
    },
    /// Shares a listener with many processes, and makes refused binds of its port until the input ends.
    Crowd {
        /// The port.
        port: u16,
        /// Number of processes.
        holders: u32,
        /// Refusals per second.
        rate: u32,
    },
    /// Shares a listener with processes of a user id each, all of which are refused its port until the input ends.
    Users {
        /// The port.
        port: u16,
        /// Number of processes.
        processes: u32,
    },
    /// Processes that are refused a port and have to wait for a processor, until the input ends.
    Waiters {
        /// The port.
        port: u16,
    },
    /// Starts processes one after the other, each of which ends after some refusals.
    Mayflies {
        /// The port, which another process holds.
        port: u16,
        /// Number of processes.
        count: u32,
        /// Refusals per process.
        refusals: u32,
    },
}

/// Runs a subject.
///
/// # Errors
/// If the subject cannot do its task.
pub fn run(subject: WrappedCommand) -> anyhow::Result<ExitCode> {
    match subject {
        WrappedCommand::State => state::print()?,
        WrappedCommand::Exit { status } => return Ok(ExitCode::from(status)),
        WrappedCommand::Kill { signal } => {
            let signal = rustix::process::Signal::from_named_raw(signal).context("no such signal")?;
            kill_process(getpid(), signal)?;
        }
        WrappedCommand::Signals => return signals(),
        WrappedCommand::Peculiar { command } => peculiar(&command)?,
        WrappedCommand::Terminal { path, command } => terminal(&path, &command)?,
        WrappedCommand::Daemon { port } => family::daemon(port)?,
        WrappedCommand::Middle { port } => family::middle(port)?,
        WrappedCommand::Orphan { port } => family::orphan(port)?,
        WrappedCommand::Refused { port, status } => {
            family::be_refused(port)?;
            return Ok(ExitCode::from(status));
        }
        WrappedCommand::Leave { port } => family::leave(port)?,
        WrappedCommand::Serve { port } => family::serve(port)?,
        WrappedCommand::Crowd { port, holders, rate } => crowd::crowd(port, holders, rate)?,
        WrappedCommand::Users { port, processes } => crowd::users(port, processes)?,
        WrappedCommand::Waiters { port } => crowd::waiters(port)?,
        WrappedCommand::Mayflies { port, count, refusals } => crowd::mayflies(port, count, refusals)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The exit status if signals arrived.
pub const SIGNALLED: u8 = 7;

/// Reads signals: the first, and further ones that follow at once.
fn signals() -> anyhow::Result<ExitCode> {
    let all = SigSet::from_iter(Signal::iterator().filter(|signal| *signal != Signal::SIGCHLD));
    all.thread_block()?;
    let signals = SignalFd::with_flags(&all, SfdFlags::SFD_NONBLOCK)?;
    say("ready")?;
    let mut patience: Option<Timespec> = None;
    loop {
        let mut fds = [PollFd::new(&signals, PollFlags::IN)];
        if poll(&mut fds, patience.as_ref())? == 0 {
            return Ok(ExitCode::from(SIGNALLED));
        }
        while let Some(signal) = signals.read_signal()? {
            let number = i32::try_from(signal.ssi_signo)?;
            say(Signal::try_from(number)?.as_str())?;
        }
        patience = Some(Timespec { tv_sec: 0, tv_nsec: 200_000_000 });
    }
}

fn become_command(command: &[OsString]) -> anyhow::Error {
    match command.split_first() {
        Some((program, arguments)) => Command::new(program).args(arguments).exec().into(),
        None => anyhow::anyhow!("no command"),
    }
}

/// Changes every inherited setting to an unusual value.
fn peculiar(command: &[OsString]) -> anyhow::Result<()> {
    umask(Mode::from_raw_mode(0o137));
    setrlimit(Resource::Nofile, Rlimit { current: Some(321), maximum: Some(654) })?;
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(4096) })?;
    rustix::process::nice(3)?;
    std::fs::write("/proc/self/oom_score_adj", "321")?;
    sys::ignore(libc::SIGHUP)?;
    sys::ignore(libc::SIGUSR2)?;
    std::env::set_current_dir("/proc/self/..")?;
    let (program, arguments) = command.split_first().context("no command")?;
    let mut command = Command::new(program);
    Err(exec_ignoring(command.args(arguments), vec![libc::SIGPIPE, libc::SIGCHLD]).into())
}

fn terminal(path: &str, command: &[OsString]) -> anyhow::Result<()> {
    setsid()?;
    let terminal = File::options().read(true).write(true).open(path)?;
    ioctl_tiocsctty(terminal.as_fd())?;
    dup2_stdin(&terminal)?;
    dup2_stdout(&terminal)?;
    dup2_stderr(&terminal)?;
    drop(terminal);
    Err(become_command(command))
}
