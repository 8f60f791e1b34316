//! What is known of one refusal, in the terms of the field.
//!
//! Strings that other programs chose (names, arguments, paths) are kept as they are; escaping them
//! is the business of [`crate::output`].

use std::net::IpAddr;

use jiff::Timestamp;

use super::errno::Errno;

/// A call that the kernel refused, who made it, and what stood in its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// When the kernel said no.
    pub time: Timestamp,
    /// The call.
    pub operation: Operation,
    /// What the caller got.
    pub error: Errno,
    /// The caller.
    pub process: Process,
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
    /// What the diagnosis rests on.
    pub confidence: Confidence,
    /// Which backend saw it.
    pub backend: &'static str,
    /// Refusals lost before this one, since the start.
    pub lost: u64,
}

/// The call that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

/// A process, as far as it could be described.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Thread group id.
    pub pid: u32,
    /// Thread that made the call; the pid where no thread is meant.
    pub tid: u32,
    /// Name of the thread or process.
    pub comm: String,
    /// Path of the executable.
    pub exe: Option<String>,
    /// Argument vector; empty if unknown.
    pub args: Vec<String>,
    /// `args` was cut.
    pub args_truncated: bool,
    /// Real user id.
    pub uid: Option<u32>,
    /// Real group id.
    pub gid: Option<u32>,
    /// Name of that user.
    pub user: Option<String>,
    /// Path in the cgroup hierarchy.
    pub cgroup: Option<String>,
    /// When it started.
    pub started: Option<Timestamp>,
    /// The processes above it, nearest first.
    pub ancestors: Vec<Ancestor>,
}

/// One process above another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Thread group id.
    pub pid: u32,
    /// Name.
    pub comm: String,
}

/// The socket of the refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Address family.
    pub family: Family,
    /// Protocol.
    pub protocol: Protocol,
    /// Address asked for; IPv4-mapped IPv6 addresses stay IPv6.
    pub address: IpAddr,
    /// Port asked for; 0 means any.
    pub port: u16,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Interface it is bound to.
    pub interface: Option<Interface>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Owner.
    pub uid: u32,
}

/// Address family of an internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// AF_INET.
    Inet,
    /// AF_INET6.
    Inet6,
}

/// Transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// IPPROTO_TCP.
    Tcp,
    /// IPPROTO_UDP.
    Udp,
    /// IPPROTO_MPTCP.
    Mptcp,
    /// IPPROTO_ICMP or IPPROTO_ICMPV6 on a datagram socket.
    Ping,
    /// IPPROTO_UDPLITE.
    Udplite,
    /// Any other, by number.
    Other(u16),
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Index in its network namespace.
    pub index: u32,
    /// Name, where it could be found.
    pub name: Option<String>,
}

/// Socket options that decide whether two sockets may share a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// IPV6_V6ONLY, also when implied by a specific IPv6 address.
    pub v6_only: bool,
}

/// A socket that sat on the port at the instant of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its state.
    pub state: State,
    /// The kernel's rule says that this socket stands in the way of the refused one.
    pub conflicts: bool,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// Local address.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// Remote address and port of a connected socket.
    pub peer: Option<(IpAddr, u16)>,
    /// Interface it is bound to.
    pub interface: Option<Interface>,
    /// Inode number in sockfs; none for TIME_WAIT, orphans and connections not accepted yet.
    pub inode: Option<u64>,
    /// Owner, where the socket still has one.
    pub uid: Option<u32>,
    /// Name of that user.
    pub user: Option<String>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Who can have it open at all.
    pub ownership: Ownership,
    /// Milliseconds until a TIME_WAIT socket is gone.
    pub time_wait_left_ms: Option<u64>,
    /// Connections waiting to be accepted, of how many that may (listeners).
    pub backlog: Option<(u32, u32)>,
    /// Every process that has it open, each with its descriptors.
    pub processes: Vec<HolderProcess>,
}

/// State of a socket on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// TCP: listening.
    Listen,
    /// Bound, neither listening nor connected.
    Bound,
    /// Connected (UDP: has a fixed peer).
    Established,
    /// Connecting.
    SynSent,
    /// Being connected to.
    SynRecv,
    /// Closed here, the peer has not confirmed.
    FinWait1,
    /// Closed here, the peer has not closed.
    FinWait2,
    /// Closed on both sides, waiting out late segments.
    TimeWait,
    /// Closed by the peer, still open here.
    CloseWait,
    /// Closed by the peer first, then here; the last confirmation is missing.
    LastAck,
    /// Closed by both at once.
    Closing,
}

/// Who can have a socket open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ownership {
    /// Processes.
    Process,
    /// Nobody: TIME_WAIT has no owner.
    TimeWait,
    /// Nobody any more: the kernel is finishing the connection.
    Orphan,
    /// Nobody yet: the connection waits to be accepted by the listener.
    NotAccepted,
    /// The kernel itself.
    Kernel,
}

/// A process that has a holder open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderProcess {
    /// The process.
    pub process: Process,
    /// Its descriptors of the socket, ascending.
    pub fds: Vec<u32>,
}

/// Why the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Stable code, one page in the documentation each.
    pub code: &'static str,
    /// One sentence.
    pub summary: String,
}

/// What a diagnosis rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// Seen in the kernel at the instant of the refusal.
    Kernel,
    /// Found by looking later.
    Afterwards,
}

/// The account of a run: every refusal is in exactly one of the parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Refusals with a wanted error, counted in the kernel.
    pub refused: u64,
    /// Told.
    pub shown: u64,
    /// Told as part of an earlier one.
    pub coalesced: u64,
    /// Kept back by a filter.
    pub filtered: u64,
    /// Lost because the ring buffer was full, or a probe missed.
    pub lost: u64,
}

/// What the account of a run cannot tell: refusals that nobody saw, and parts of those that were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Holders, sums of searches and ends of calls of told refusals that found the ring buffer full.
    pub steps_lost: u64,
    /// Calls whose return could not be waited for, because too many were in flight (kprobe backend).
    pub returns_missed: u64,
    /// Calls that the kernel did not show, because a program was interrupted on that CPU.
    pub passed_over: u64,
}

impl Account {
    /// Every refusal is accounted for.
    #[must_use]
    pub const fn is_exact(&self) -> bool {
        self.shown + self.coalesced + self.filtered + self.lost == self.refused
    }
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

impl Family {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
        }
    }
}

impl Protocol {
    /// The word for it in every output; `None` for a protocol known by number only.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Tcp => Some("tcp"),
            Self::Udp => Some("udp"),
            Self::Mptcp => Some("mptcp"),
            Self::Ping => Some("ping"),
            Self::Udplite => Some("udplite"),
            Self::Other(_) => None,
        }
    }
}

impl State {
    /// The word for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Bound => "bound",
            Self::Established => "established",
            Self::SynSent => "syn_sent",
            Self::SynRecv => "syn_recv",
            Self::FinWait1 => "fin_wait1",
            Self::FinWait2 => "fin_wait2",
            Self::TimeWait => "time_wait",
            Self::CloseWait => "close_wait",
            Self::LastAck => "last_ack",
            Self::Closing => "closing",
        }
    }
}

impl Ownership {
    /// The word for it in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::TimeWait => "time_wait",
            Self::Orphan => "orphan",
            Self::NotAccepted => "not_accepted",
            Self::Kernel => "kernel",
        }
    }
}

impl Confidence {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Afterwards => "afterwards",
        }
    }
}
