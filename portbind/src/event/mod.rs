//! The facts of one refusal.
//!
//! Strings that other programs chose (names, arguments, paths) are stored unchanged; [`crate::output`] escapes them.
//! Sentences ([`Cause::summary`], [`Fix::text`]) contain such strings only in the form that
//! `escape::Escaped` prints, so that a name cannot imitate the sentence.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

mod account;
mod code;
mod command;
mod container;
mod errno;
mod holder;
mod job;
mod moment;
mod name;
mod on_behalf;
#[cfg(test)]
pub(crate) mod portless_samples;
mod process;
mod relation;
#[cfg(test)]
pub(crate) mod samples;
pub mod shell_command;
mod socket;
pub mod units;

pub use account::{Account, Cache, Gaps, LostBy, Summary};
pub use code::Code;
pub use command::{Command, CommandEnd, Ended, Ending, Leak, Outcome};
pub use container::{Container, Pod, Runtime};
pub use errno::Errno;
pub use holder::{Holder, HolderProcess, Ownership, State};
pub use job::{CiJob, Job, Test};
pub use moment::{Moment, MomentKind, PortKey, PortTable, SocketId};
pub use name::Name;
pub use on_behalf::{Asking, Link, OnBehalf};
pub use process::{Ancestor, Process};
pub use relation::{Relation, RelationCode};
pub use shell_command::ShellCommand;
pub use socket::{Family, Interface, Options, Protocol, Socket};
pub use units::UnitName;

/// A refused call, its caller, and what was in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// When the kernel refused the call.
    pub time: Timestamp,
    /// The call.
    pub operation: Operation,
    /// The error that the caller got.
    pub error: Errno,
    /// The caller.
    pub process: Rc<Process>,
    /// The socket, with the requested address and port.
    pub socket: Socket,
    /// The sockets on the port. Those in the way ([`Holder::conflicts`]) come first, then listeners, bound sockets,
    /// connections and their remains.
    pub holders: Vec<Holder>,
    /// There are more holders than this list has.
    pub holders_truncated: bool,
    /// Sockets on the port whose addresses cannot overlap with the requested one; they are not among the holders.
    pub bystanders: u32,
    /// Why the kernel refused.
    pub cause: Cause,
    /// How the caller and the holder in the way are related; `None` if no relation is known.
    pub relation: Option<Relation>,
    /// What makes the call work, safest first.
    pub fixes: Vec<Fix>,
    /// Earlier events on the port, oldest first.
    pub history: Vec<Moment>,
    /// What the diagnosis rests on.
    pub confidence: Confidence,
    /// The backend that traced it.
    pub backend: &'static str,
    /// Refusals lost before this one since tracing began, as [`Account::lost`] counts them.
    pub lost: u64,
    /// The refused process is no descendant of the wrapped command: it belongs to a daemon, which may have worked for
    /// the command.
    pub on_behalf: Option<Box<OnBehalf>>,
}

impl Refusal {
    /// A refusal without details: no holders, no fixes, no history, confidence from the kernel.
    #[must_use]
    pub const fn new(
        time: Timestamp,
        operation: Operation,
        error: Errno,
        process: Rc<Process>,
        socket: Socket,
        cause: Cause,
    ) -> Self {
        Self {
            time,
            operation,
            error,
            process,
            socket,
            holders: Vec::new(),
            holders_truncated: false,
            bystanders: 0,
            cause,
            relation: None,
            fixes: Vec::new(),
            history: Vec::new(),
            confidence: Confidence::Kernel,
            backend: "",
            lost: 0,
            on_behalf: None,
        }
    }

    /// Bytes of memory in use, including shared ones.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let holders = self.holders.iter().flat_map(|holder| {
            let others = holder.opened_by.iter().chain(&holder.left_by);
            holder.processes.iter().map(|owner| &owner.process).chain(others)
        });
        let history = self.history.iter().filter_map(|moment| moment.process.as_ref());
        let processes = std::iter::once(&self.process).chain(holders).chain(history);
        size_of::<Self>()
            + self.holders.capacity() * size_of::<Holder>()
            + self.history.capacity() * size_of::<Moment>()
            + processes.map(|process| process.bytes()).sum::<usize>()
            + self.on_behalf.as_ref().map_or(0, |_| size_of::<OnBehalf>() + 128)
            + self.fixes.iter().map(|fix| size_of::<Fix>() + 2 * fix.text.len()).sum::<usize>()
    }
}

/// A refused port has become free: every socket in the way has released it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// When it became free.
    pub time: Timestamp,
    /// When it was refused.
    pub refused: Timestamp,
    /// The process that was refused.
    pub process: Rc<Process>,
    /// The requested address and port.
    pub socket: Socket,
}

impl Release {
    /// How long the caller would have had to wait.
    #[must_use]
    pub fn after(&self) -> SignedDuration {
        self.time.duration_since(self.refused)
    }
}

/// Further refusals of the same process, only counted: an equal refusal had just been shown, or there was no room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeat {
    /// When this count was taken.
    pub time: Timestamp,
    /// Latest possible time of the first refusal counted here.
    pub first: Timestamp,
    /// Time of the last refusal counted here.
    pub last: Timestamp,
    /// Time of the last refusal that was shown; `None` if none was.
    pub refused: Option<Timestamp>,
    /// Number of refusals since the previous count.
    pub count: u64,
    /// Whether all counted refusals are equal. If not, they came too fast to be compared, and only their process is
    /// known.
    pub looked_at: bool,
    /// The process that was refused.
    pub process: Rc<Process>,
    /// What the refusals requested; if they were not compared, what the process's last shown refusal requested.
    pub socket: Socket,
    /// The cause of the last refusal that was shown.
    pub cause: Option<Code>,
}

/// The call that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// bind(2).
    Bind,
    /// listen(2).
    Listen,
    /// The implicit bind of connect(2) or a send on an unbound datagram socket.
    Autobind,
    /// A bind inside the kernel, or a call whose return was not traced.
    Unknown,
}

/// Why the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// Stable code; each has a page in the documentation.
    pub code: Code,
    /// One sentence; foreign names in it are escaped.
    pub summary: String,
}

impl Cause {
    /// A cause, and the sentence that describes it for this refusal.
    #[must_use]
    pub const fn new(code: Code, summary: String) -> Self {
        Self { code, summary }
    }
}

/// A change that makes the refused call work.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fix {
    /// Stable code.
    pub code: &'static str,
    /// What to do, in one sentence without a full stop; foreign names in it are escaped. It ends with the command, if
    /// there is one.
    pub text: String,
    /// The command that makes the change, if there is one.
    pub command: Option<ShellCommand>,
}

/// What a diagnosis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// Observed in the kernel at the instant of the refusal.
    Kernel,
    /// Observed in the kernel earlier: the holder's process was gone at the time of the search.
    History,
    /// Found by a later search.
    Afterwards,
}

impl Operation {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Listen => "listen",
            Self::Autobind => "autobind",
            Self::Unknown => "unknown",
        }
    }
}

impl Confidence {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::History => "history",
            Self::Afterwards => "afterwards",
        }
    }
}
