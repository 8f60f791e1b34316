//! What is known of one refusal, in the terms of the field.
//!
//! Strings that other programs chose (names, arguments, paths) are kept as they are; escaping them
//! is the business of [`crate::output`]. Sentences ([`Cause::summary`], [`Fix::text`]) hold such strings only as
//! [`Escaped`](crate::escape::Escaped) prints them, so that a name cannot imitate the sentence.

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
#[cfg(test)]
pub(crate) mod portless_samples;
mod process;
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
pub use process::{Ancestor, Process};
pub use shell_command::ShellCommand;
pub use socket::{Family, Interface, Options, Protocol, Socket};
pub use units::UnitName;

/// A call that the kernel refused, who made it, and what stood in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// When the kernel said no.
    pub time: Timestamp,
    /// The call.
    pub operation: Operation,
    /// What the caller got.
    pub error: Errno,
    /// The caller.
    pub process: Rc<Process>,
    /// The socket, with the address and port that were asked for.
    pub socket: Socket,
    /// The sockets on the port, those that conflict first.
    pub holders: Vec<Holder>,
    /// There were more holders than are named.
    pub holders_truncated: bool,
    /// Sockets on the port whose addresses cannot overlap with the asked one; not among the holders.
    pub bystanders: u32,
    /// Why the kernel refused.
    pub cause: Cause,
    /// What makes the call work, safest first.
    pub fixes: Vec<Fix>,
    /// What happened on the port before, oldest first.
    pub history: Vec<Moment>,
    /// What the diagnosis rests on.
    pub confidence: Confidence,
    /// Which backend saw it.
    pub backend: &'static str,
    /// Refusals lost before this one, since the start.
    pub lost: u64,
}

impl Refusal {
    /// A refusal of which nothing more is known: no holders, no fixes, no history, confidence from the kernel.
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
            fixes: Vec::new(),
            history: Vec::new(),
            confidence: Confidence::Kernel,
            backend: "",
            lost: 0,
        }
    }

    /// Bytes that it takes in memory, those that it shares with others included.
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
            + self.fixes.iter().map(|fix| size_of::<Fix>() + 2 * fix.text.len()).sum::<usize>()
    }
}

/// A port that was refused has become free: every socket that stood in the way has let go of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Release {
    /// When it became free.
    pub time: Timestamp,
    /// When it was refused.
    pub refused: Timestamp,
    /// Who was refused.
    pub process: Rc<Process>,
    /// What was asked for.
    pub socket: Socket,
}

impl Release {
    /// How long the caller would have had to wait.
    #[must_use]
    pub fn after(&self) -> SignedDuration {
        self.time.duration_since(self.refused)
    }
}

/// More was refused to the same process, and only counted: others like it had just been shown, or there was no room.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Repeat {
    /// By when it was counted.
    pub time: Timestamp,
    /// When the first was refused, of those that are counted here; at the latest.
    pub first: Timestamp,
    /// When the last was refused, of those that are counted here.
    pub last: Timestamp,
    /// When the last one was refused that was shown; `None` if none was.
    pub refused: Option<Timestamp>,
    /// How many more there were since the last time this was shown.
    pub count: u64,
    /// What these asked for was looked at: all asked for the same. If not, they came too fast for that, and their process
    /// is all that is known of them.
    pub looked_at: bool,
    /// Who was refused.
    pub process: Rc<Process>,
    /// What they asked for; if they were not looked at, what the last one shown of the process asked for.
    pub socket: Socket,
    /// The cause of the last one that was shown.
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
    /// A bind inside the kernel, or one whose call was not seen to return.
    Unknown,
}

/// Why the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cause {
    /// Stable code, one page in the documentation each.
    pub code: Code,
    /// One sentence; foreign names in it are escaped.
    pub summary: String,
}

impl Cause {
    /// A cause, and the sentence that says it of this refusal.
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
    /// What to do, in one sentence without a full stop; foreign names in it are escaped. It ends with the command,
    /// where there is one.
    pub text: String,
    /// The command that does it, where one does.
    pub command: Option<ShellCommand>,
}

/// What a diagnosis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confidence {
    /// Seen in the kernel at the instant of the refusal.
    Kernel,
    /// Seen in the kernel before: the holder's process was gone when it was looked for.
    History,
    /// Found by looking later.
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
