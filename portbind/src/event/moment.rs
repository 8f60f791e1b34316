//! Events on a port before the refusal.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::Timestamp;

use super::process::Process;
use super::socket::Protocol;

/// A port in a network namespace and a table of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PortKey {
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The table.
    pub table: PortTable,
    /// The port.
    pub port: u16,
}

/// A table of ports, which one or more protocols share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortTable {
    /// TCP and MPTCP.
    Tcp,
    /// UDP.
    Udp,
    /// UDP-Lite.
    Udplite,
    /// Any other, by number; 0 for all protocols without ports.
    Other(u16),
}

impl PortTable {
    /// The table of a protocol.
    #[must_use]
    pub const fn of(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp | Protocol::Mptcp => Self::Tcp,
            Protocol::Udp => Self::Udp,
            Protocol::Udplite => Self::Udplite,
            Protocol::Ping => Self::Other(1),
            Protocol::Sctp => Self::Other(132),
            Protocol::Other(number) => Self::Other(number),
            Protocol::Stream | Protocol::Dgram | Protocol::Seqpacket | Protocol::Netlink(_) => Self::Other(0),
        }
    }
}

/// The identity of a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SocketId {
    /// Address of the kernel's object: unique while the socket exists.
    pub object: u64,
    /// Inode number in sockfs; 0 if it has none.
    pub inode: u64,
}

impl SocketId {
    /// Whether both are the same socket. Inodes are compared if there is one, because objects are reused.
    pub(crate) fn is(self, other: Self) -> bool {
        if self.inode != 0 && other.inode != 0 {
            return self.inode == other.inode;
        }
        self.object == other.object
    }
}

/// An event on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// When it happened; `None` if before tracing began.
    pub time: Option<Timestamp>,
    /// What happened.
    pub what: MomentKind,
    /// The process that caused it, if a process did.
    pub process: Option<Rc<Process>>,
    /// The socket.
    pub socket: SocketId,
    /// Its local address.
    pub address: IpAddr,
    /// Its remote address and port.
    pub peer: Option<(IpAddr, u16)>,
}

/// The kinds of events on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MomentKind {
    /// A socket was bound to the port.
    Bound {
        /// The bind requested any port, and the kernel chose this one.
        any: bool,
    },
    /// A socket began to listen.
    Listening,
    /// A process closed a connection before its peer did.
    Leaving,
    /// A socket released the port.
    Closed,
    /// A connection got the port as its local port.
    Connected,
}

impl MomentKind {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bound { .. } => "bound",
            Self::Listening => "listening",
            Self::Leaving => "leaving",
            Self::Closed => "closed",
            Self::Connected => "connected",
        }
    }
}
