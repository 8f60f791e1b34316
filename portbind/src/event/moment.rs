//! What happened on a port before the refusal.

use std::net::IpAddr;
use std::rc::Rc;

use jiff::Timestamp;

use super::process::Process;
use super::socket::Protocol;

/// A port of one network namespace and one table of ports.
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

/// Protocols that share ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PortTable {
    /// TCP and MPTCP.
    Tcp,
    /// UDP.
    Udp,
    /// UDP-Lite.
    Udplite,
    /// Any other, by number; all that have no ports are 0.
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

/// What tells one socket from another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SocketId {
    /// Address of the kernel's object: an identity while the socket lives.
    pub object: u64,
    /// Inode number in sockfs, 0 if it has none.
    pub inode: u64,
}

impl SocketId {
    /// The inode says it where there is one: objects are used again.
    pub(crate) fn is(self, other: Self) -> bool {
        if self.inode != 0 && other.inode != 0 {
            return self.inode == other.inode;
        }
        self.object == other.object
    }
}

/// Something that happened on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// When; `None` before tracing began.
    pub time: Option<Timestamp>,
    /// What.
    pub what: MomentKind,
    /// Who did it, where it was the doing of a process.
    pub process: Option<Rc<Process>>,
    /// On which socket.
    pub socket: SocketId,
    /// Its local address.
    pub address: IpAddr,
    /// Its other end.
    pub peer: Option<(IpAddr, u16)>,
}

/// What can happen on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MomentKind {
    /// A socket was bound to it.
    Bound {
        /// Any port would have done: the kernel chose this one.
        any: bool,
    },
    /// A socket began to listen.
    Listening,
    /// A process closed a connection before its peer did.
    Leaving,
    /// A socket let go of it.
    Closed,
    /// A connection took it as its local port.
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
