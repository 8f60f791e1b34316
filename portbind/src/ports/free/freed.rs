//! What became of a port, or of a path, that was to be freed.

use std::rc::Rc;

use jiff::Timestamp;

use crate::diagnosis::freeing::Plan;
use crate::event::{Cause, Holder, Process, Refusal};
use crate::host::port_sockets::Unseen;
use crate::ports::request::Request;

/// What became of a port, or of a path, that was to be freed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed {
    /// When that was known.
    pub time: Timestamp,
    /// What was to be freed.
    pub request: Request,
    /// How far it went.
    pub stage: Stage,
    /// It is free.
    pub is_free: bool,
    /// Who was to be stopped, and what forbids it.
    pub plan: Plan,
    /// The processes that were stopped, and how.
    pub stopped: Vec<Stopped>,
    /// The sockets on the port before, or those that have the name.
    pub holders: Vec<Holder>,
    /// What still stands in the way of a bind to the port.
    pub refusal: Option<Refusal>,
    /// Why a path was left as it is.
    pub cause: Option<Cause>,
    /// What could not be seen.
    pub unseen: Unseen,
}

/// How far the freeing of a port went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was touched: it was only asked what would be, or somebody said no.
    Planned,
    /// Something forbids it, and nothing was touched.
    Forbidden,
    /// It was done.
    Done,
}

/// A process that was asked to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// The process.
    pub process: Rc<Process>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a process that was to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It had let go of the port, or ended, before a signal was sent.
    Gone,
    /// It ended after SIGTERM.
    Ended,
    /// It let go of the port after SIGTERM, and still runs.
    LetGo,
    /// It ended after SIGKILL.
    Killed,
    /// This user may not send it a signal.
    Denied,
    /// It has not ended yet, though it was killed.
    Lingering,
}

impl Stage {
    /// The word for it in JSON.
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
    /// The word for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Ended => "ended",
            Self::LetGo => "let_go",
            Self::Killed => "killed",
            Self::Denied => "denied",
            Self::Lingering => "lingering",
        }
    }
}
