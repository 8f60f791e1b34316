//! The command line: one file per verb, with its arguments and its `run` function.

mod answering;
mod bind_args;
pub mod check;
pub mod compare;
pub mod doctor;
pub mod error;
pub mod explain;
pub mod free;
pub mod helper;
pub mod recordings;
pub mod report;
mod rights;
pub mod run;
pub mod stderr;
mod style;
pub mod trace;
pub mod usage;
pub mod values;
pub mod wait;
pub mod who;

use std::panic::{self, AssertUnwindSafe};

use clap::{Parser, Subcommand};

use crate::cli::error::{Error, ExitStatus, WRAPPER_FAILED};
use crate::host::Procfs;
use crate::host::broker_start::VERB as BROKER;
use crate::host::work_tree::VERB as WORK_TREE;
use crate::ports;
use crate::sys::inherited;
use crate::wrapped::launch;
use crate::writer;

/// Shows which process holds the port when a program fails with "Address already in use".
#[derive(Debug, Parser)]
#[command(name = "portbind", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Trace every refused bind on this machine, and show who held the port at that instant.
    Trace(trace::Args),
    /// Show the processes on a port, or bound to the path of a socket.
    Who(who::Args),
    /// Check whether a bind would succeed now, and if not, why and what helps.
    Check(check::Args),
    /// Stop the processes that own a port, or remove a stale socket file.
    Free(free::Args),
    /// Wait until a port is free, or until a process listens on it.
    Wait(wait::Args),
    /// Run a command, and report the refused binds and leftover sockets of the command and its descendants.
    Run(run::Args),
    /// Compare the refused binds of recordings from before and after a change.
    Compare(compare::Args),
    /// Find "address already in use" in a log, and explain it from recordings.
    Explain(explain::Args),
    /// Summarize recordings: causes, ports, callers and holders; as text, JSON or an HTML page.
    Report(report::Args),
    /// Show what this kernel and these privileges allow, and why not.
    Doctor(doctor::Args),
    #[command(name = launch::VERB, hide = true)]
    Launch(launch::Args),
    #[command(name = BROKER, hide = true)]
    Broker,
    #[command(name = WORK_TREE, hide = true)]
    WorkTree,
    #[command(name = writer::VERB, hide = true)]
    Writer(writer::serve::Args),
    #[command(name = ports::REMOVE, hide = true)]
    Remove(ports::RemoveArgs),
}

const EXIT_STATUS: &str = "\
Exit status: 0 success; 1 the answer is no; 2 the command line is wrong; 3 a capability is missing;
             4 this kernel lacks what is needed; 5 another failure.";

impl Command {
    /// Checks that /proc is mounted, for verbs that read processes; `run` works without.
    fn require_proc(&self) -> Result<(), Error> {
        let looks = matches!(
            self,
            Self::Trace(_) | Self::Who(_) | Self::Check(_) | Self::Wait(_) | Self::Free(_) | Self::Doctor(_)
        );
        if looks && Procfs::new().lacks_this_process() { Err(Error::NoProc) } else { Ok(()) }
    }

    /// Whether portbind started itself as a helper, with only the standard streams open.
    const fn is_helper(&self) -> bool {
        matches!(self, Self::Broker | Self::WorkTree | Self::Writer(_) | Self::Remove(_))
    }

    /// The exit status after an internal error of portbind.
    const fn broken_off(&self) -> ExitStatus {
        match self {
            Self::Run(_) | Self::Launch(_) => ExitStatus::Wrapped(WRAPPER_FAILED),
            _ => ExitStatus::Failure,
        }
    }
}

impl Cli {
    /// Runs the verb.
    ///
    /// # Errors
    /// The reason for which the verb failed, with a hint.
    pub fn run(&self) -> Result<ExitStatus, Error> {
        // The panic hook has already reported the panic.
        let run = panic::catch_unwind(AssertUnwindSafe(|| self.run_verb()));
        run.unwrap_or_else(|_| Ok(self.command.broken_off()))
    }

    fn run_verb(&self) -> Result<ExitStatus, Error> {
        if self.command.is_helper() {
            inherited::close_the_rest();
        }
        self.command.require_proc()?;
        match &self.command {
            Command::Trace(args) => trace::run(args),
            Command::Who(args) => who::run(args),
            Command::Check(args) => check::run(args),
            Command::Wait(args) => wait::run(args),
            Command::Free(args) => free::run(args),
            Command::Run(args) => run::run(args),
            Command::Compare(args) => compare::run(args),
            Command::Explain(args) => explain::run(args),
            Command::Report(args) => report::run(args),
            Command::Doctor(args) => doctor::run(args),
            Command::Launch(args) => Err(error::of_wrapped(launch::run(args).into())),
            Command::Broker => helper::broker(),
            Command::WorkTree => helper::work_tree(),
            Command::Writer(args) => Ok(writer::serve::run(args).map(|()| ExitStatus::Success)?),
            Command::Remove(args) => Ok(ports::remove(args).map(|()| ExitStatus::Success)?),
        }
    }
}
