//! The sockets on the port.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::Timestamp;

use super::moment::SocketId;
use super::name::Name;
use super::process::Process;
use super::socket::{Family, Interface, Options, Protocol};

/// A socket that was on the port at the instant of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its identity.
    pub id: SocketId,
    /// Its state.
    pub state: State,
    /// By the kernel's rule, this socket is in the way of the refused one. Where nothing was refused, the value has no
    /// meaning.
    pub conflicts: bool,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// Local address; meaningless for a socket with a `name`.
    pub address: IpAddr,
    /// Local port; meaningless for a socket with a `name`.
    pub port: u16,
    /// Its name, for a family without ports; see [`Self::endpoint`].
    pub name: Option<Name>,
    /// Remote address and port of a connected socket.
    pub peer: Option<(IpAddr, u16)>,
    /// Interface it is bound to.
    pub interface: Option<Interface>,
    /// Inode number in sockfs; `None` for TIME_WAIT sockets, orphans and connections not yet accepted.
    pub inode: Option<u64>,
    /// User id, if the socket still has one.
    pub uid: Option<u32>,
    /// Name of that user.
    pub user: Option<String>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Whether SO_REUSEADDR and SO_REUSEPORT could be read; if not, both are reported as off.
    pub options_known: bool,
    /// Whether processes can have it open.
    pub ownership: Ownership,
    /// Remaining time of a TIME_WAIT socket in milliseconds.
    pub time_wait_left_ms: Option<u64>,
    /// Of a listener: the number of connections that wait to be accepted, and the limit.
    pub backlog: Option<(u32, u32)>,
    /// The process that gave it its port by bind or connect; `None` if that was before tracing began.
    pub opened_by: Option<Rc<Process>>,
    /// When that process gave the socket its port.
    pub since: Option<Timestamp>,
    /// The process that closed the connection first and so left the socket (TIME_WAIT, orphans).
    pub left_by: Option<Rc<Process>>,
    /// The processes that have it open, by ascending pid; which of them opened the socket, [`Self::opened_by`] says. A
    /// trace lists only the most relevant ones if there are many.
    pub processes: Vec<HolderProcess>,
    /// The number of processes that have it open and are not in that list.
    pub more_processes: u64,
}

impl HolderProcess {
    /// A process with its descriptors of a socket, ascending; `close_on_exec` is unknown.
    #[must_use]
    pub const fn new(process: Rc<Process>, fds: Vec<u32>) -> Self {
        Self { process, fds, close_on_exec: None }
    }
}

impl Holder {
    /// A socket in the way that processes can have open; nothing else is known about it.
    #[must_use]
    pub fn new(protocol: Protocol, state: State, address: IpAddr, port: u16) -> Self {
        Self {
            id: SocketId::default(),
            state,
            conflicts: true,
            protocol,
            family: Family::of(address),
            address,
            port,
            name: None,
            peer: None,
            interface: None,
            inode: None,
            uid: None,
            user: None,
            options: Options::default(),
            options_known: false,
            ownership: Ownership::Process,
            time_wait_left_ms: None,
            backlog: None,
            opened_by: None,
            since: None,
            left_by: None,
            processes: Vec::new(),
            more_processes: 0,
        }
    }

    /// It was open in processes, and none of them is left.
    #[must_use]
    pub fn is_of_the_past(&self) -> bool {
        self.ownership == Ownership::Process && self.processes.is_empty() && self.more_processes == 0
    }
}

/// State of a socket on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
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
    /// Closed on this side; the peer has not acknowledged it.
    FinWait1,
    /// Closed on this side; the peer has not closed.
    FinWait2,
    /// Closed on both sides, waiting for late segments.
    TimeWait,
    /// Closed by the peer, still open on this side.
    CloseWait,
    /// Closed by the peer first, then on this side; the last acknowledgment is missing.
    LastAck,
    /// Closed by both sides at the same time.
    Closing,
}

/// What can have a socket open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ownership {
    /// Processes.
    Process,
    /// No process: a TIME_WAIT socket has no owner.
    TimeWait,
    /// No process any more: the kernel is finishing the connection.
    Orphan,
    /// No process yet: the connection waits for the listener to accept it.
    NotAccepted,
    /// The kernel itself.
    Kernel,
}

/// An owner of a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HolderProcess {
    /// The process.
    pub process: Rc<Process>,
    /// Its descriptors of the socket, ascending.
    pub fds: Vec<u32>,
    /// Whether the first descriptor is closed on execve (FD_CLOEXEC); `None` if unknown.
    pub close_on_exec: Option<bool>,
}

impl Holder {
    /// Sort order by relevance: listeners, then bound sockets, connections, and their remains.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match (self.state, self.ownership) {
            (State::Listen, _) => 0,
            (State::Bound, _) => 1,
            (_, Ownership::Process) => 2,
            (_, Ownership::TimeWait) => 4,
            _ => 3,
        }
    }

    /// Local address and port; `None` for a family without ports.
    #[must_use]
    pub fn endpoint(&self) -> Option<(IpAddr, u16)> {
        self.name.is_none().then_some((self.address, self.port))
    }
}

impl State {
    /// The state with this kernel number (include/net/tcp_states.h); UDP and AF_UNIX use some of them.
    #[must_use]
    pub const fn of_number(number: u8) -> Self {
        match number {
            1 => Self::Established,
            2 => Self::SynSent,
            3 | 12 => Self::SynRecv,
            4 => Self::FinWait1,
            5 => Self::FinWait2,
            6 => Self::TimeWait,
            8 => Self::CloseWait,
            9 => Self::LastAck,
            10 => Self::Listen,
            11 => Self::Closing,
            _ => Self::Bound,
        }
    }

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
