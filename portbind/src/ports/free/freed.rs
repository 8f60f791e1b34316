//! The result of freeing a port or a path.

use std::rc::Rc;

use jiff::Timestamp;

use crate::diagnosis::freeing::Plan;
use crate::diagnosis::stop_signal::StopSignal;
use crate::event::{Cause, Holder, Process, Refusal};
use crate::host::port_sockets::Unseen;
use crate::ports::request::Request;

/// The result of freeing a port or a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Freed {
    /// When the result was known.
    pub time: Timestamp,
    /// What was to be freed.
    pub request: Request,
    /// How far the operation went.
    pub stage: Stage,
    /// The port or path is free.
    pub is_free: bool,
    /// The processes to stop, and what forbids it.
    pub plan: Plan,
    /// The processes that were stopped, and how.
    pub stopped: Vec<Stopped>,
    /// The sockets that were on the port, or that have the name.
    pub holders: Vec<Holder>,
    /// What still prevents a bind to the port.
    pub refusal: Option<Refusal>,
    /// Why the path was left unchanged.
    pub cause: Option<Cause>,
    /// What portbind was not allowed to see.
    pub unseen: Unseen,
}

/// How far the operation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// Nothing was changed: a dry run, or the user declined.
    Planned,
    /// Something forbids the operation; nothing was changed.
    Forbidden,
    /// The operation was carried out.
    Done,
}

/// A process that was asked to end.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stopped {
    /// The process.
    pub process: Rc<Process>,
    /// The outcome for this process.
    pub outcome: Outcome,
    /// The signal that asked it to end, if one was sent.
    pub signal: StopSignal,
}

/// The outcome for a process that was to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The process had closed the socket or ended before a signal was sent.
    Gone,
    /// The process ended after a signal.
    Ended,
    /// The process ended with the process that started it, without a signal from portbind.
    EndedWith,
    /// The process closed the socket after a signal, and still runs.
    LetGo,
    /// The process has not ended in time and is not killed: it may have data to write, or the process that started it
    /// still runs.
    StillRuns,
    /// The process ended after SIGKILL.
    Killed,
    /// This user may not signal the process.
    Denied,
    /// The process has not ended yet despite SIGKILL.
    Lingering,
}

impl Freed {
    /// Whether a process had one of the sockets open.
    #[must_use]
    pub fn has_socket(&self, process: &Process) -> bool {
        let mut owners = self.holders.iter().flat_map(|holder| &holder.processes);
        owners.any(|owner| owner.process.pid == process.pid)
    }
}

impl Stage {
    /// The JSON value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Forbidden => "forbidden",
            Self::Done => "done",
        }
    }
}

impl Outcome {
    /// The JSON value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Ended => "ended",
            Self::EndedWith => "ended_with",
            Self::LetGo => "let_go",
            Self::StillRuns => "still_runs",
            Self::Killed => "killed",
            Self::Denied => "denied",
            Self::Lingering => "lingering",
        }
    }
}
