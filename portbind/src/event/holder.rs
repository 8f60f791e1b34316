//! The sockets that sat on the port.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::Timestamp;

use super::moment::SocketId;
use super::name::Name;
use super::process::Process;
use super::socket::{Family, Interface, Options, Protocol};

/// A socket that sat on the port at the instant of the refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// What tells it from other sockets.
    pub id: SocketId,
    /// Its state.
    pub state: State,
    /// The kernel's rule says that this socket stands in the way of the refused one.
    pub conflicts: bool,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// Local address. Of a socket with a `name`, nothing.
    pub address: IpAddr,
    /// Local port. Of a socket with a `name`, nothing.
    pub port: u16,
    /// Its name, of a family that has no ports; see [`Self::endpoint`].
    pub name: Option<Name>,
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
    /// SO_REUSEADDR and SO_REUSEPORT could be read; else they are said to be off.
    pub options_known: bool,
    /// Who can have it open at all.
    pub ownership: Ownership,
    /// Milliseconds until a TIME_WAIT socket is gone.
    pub time_wait_left_ms: Option<u64>,
    /// Connections waiting to be accepted, of how many that may (listeners).
    pub backlog: Option<(u32, u32)>,
    /// Who gave it its port, by bind or connect; `None` if that was before tracing began.
    pub opened_by: Option<Rc<Process>>,
    /// When that was.
    pub since: Option<Timestamp>,
    /// Who closed the connection first, and so left it behind (TIME_WAIT, orphans).
    pub left_by: Option<Rc<Process>>,
    /// The processes that have it open, each with its descriptors: all, or of many the ones that matter most.
    pub processes: Vec<HolderProcess>,
    /// How many more have it open.
    pub more_processes: u64,
}

impl HolderProcess {
    /// A process and its descriptors of a socket, ascending; whether they are closed on execve is not known.
    #[must_use]
    pub const fn new(process: Rc<Process>, fds: Vec<u32>) -> Self {
        Self { process, fds, close_on_exec: None }
    }
}

impl Holder {
    /// A socket of processes that stands in the way, of which nothing more is known.
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

    /// It was open in processes, and none of them is left to be asked.
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
#[non_exhaustive]
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
#[non_exhaustive]
pub struct HolderProcess {
    /// The process.
    pub process: Rc<Process>,
    /// Its descriptors of the socket, ascending.
    pub fds: Vec<u32>,
    /// The first of them is closed on execve (FD_CLOEXEC); `None` if that was not looked at.
    pub close_on_exec: Option<bool>,
}

impl Holder {
    /// What a person looks for first comes first: listeners, then what is bound, connections, what they left.
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

    /// Local address and port; `None` of a family that has none.
    #[must_use]
    pub fn endpoint(&self) -> Option<(IpAddr, u16)> {
        self.name.is_none().then_some((self.address, self.port))
    }
}

impl State {
    /// The state that the kernel gives this number (include/net/tcp_states.h); UDP and AF_UNIX use some.
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
