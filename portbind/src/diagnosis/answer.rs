//! What the helpers answer: who has a port, whether a bind would succeed, what was stopped, what came of waiting.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use super::freeing::Plan;
use super::unix::Object;
use crate::event::{Cause, Fix, Holder, Name, Process, Protocol, Refusal, Socket};

/// What was asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// A port, or the name of a socket that has none.
    pub place: Place,
    /// One protocol, or every one.
    pub protocol: Option<Protocol>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of that namespace, where it is another than this process' own.
    pub netns_name: Option<String>,
}

/// Where sockets are looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A port.
    Port(u16),
    /// A name of AF_UNIX.
    Name(Name),
}

/// What could not be seen, for want of privileges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Processes whose descriptors may not be read, where one of them may have a socket open.
    pub processes: usize,
    /// TCP sockets that are bound and nothing else: this kernel tells of none, and descriptors may not be
    /// duplicated.
    pub bound_sockets: bool,
}

/// Who is on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// When.
    pub time: Timestamp,
    /// What was asked about.
    pub subject: Subject,
    /// The sockets, listeners first.
    pub holders: Vec<Holder>,
    /// What is at the path, if that was asked about.
    pub object: Option<Object>,
    /// What could not be seen.
    pub unseen: Unseen,
}

/// Whether a bind would succeed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// When it was tried.
    pub time: Timestamp,
    /// The socket that was tried.
    pub socket: Socket,
    /// What the kernel said no to, and why.
    pub refusal: Option<Refusal>,
    /// The sockets on the port, where the kernel said yes.
    pub holders: Vec<Holder>,
    /// The kernel did as its rule, and the sockets that were found, had led to expect.
    pub as_expected: bool,
    /// What may make the same bind fail another time.
    pub warnings: Vec<Fix>,
    /// What could not be seen.
    pub unseen: Unseen,
}

impl Check {
    /// The sockets on the port.
    #[must_use]
    pub fn holders(&self) -> &[Holder] {
        self.refusal.as_ref().map_or(&self.holders, |refusal| &refusal.holders)
    }
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// A bind would succeed.
    Free,
    /// Somebody listens.
    Listening,
}

impl Until {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Listening => "listening",
        }
    }
}

/// What came of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// When the waiting ended.
    pub time: Timestamp,
    /// What was waited for.
    pub until: Until,
    /// It has come.
    pub reached: bool,
    /// How long it was waited.
    pub waited: SignedDuration,
    /// The socket that wants the port, or the address that is to be listened on.
    pub socket: Socket,
    /// Who has the port; where it has become free, who had it when that was last looked at.
    pub holders: Vec<Holder>,
    /// What no waiting changes: the error of the bind, and why.
    pub hopeless: Option<Refusal>,
    /// What could not be seen.
    pub unseen: Unseen,
}

/// What became of a port, or of a path, that was to be freed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freed {
    /// When that was known.
    pub time: Timestamp,
    /// What was to be freed.
    pub subject: Subject,
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

/// A process that was told to end.
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
    /// It had let go of the port, or ended, before it was told anything.
    Gone,
    /// It ended after SIGTERM.
    Ended,
    /// It let go of the port after SIGTERM, and still runs.
    LetGo,
    /// It ended after SIGKILL.
    Killed,
    /// It may not be told anything by this user.
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
