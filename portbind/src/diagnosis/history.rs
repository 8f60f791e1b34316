//! The flight recorder: what happened on each port, and who did it, while they can still be asked.
//!
//! Bounded: the ports that were quiet for longest are forgotten first, and what was forgotten is counted.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::rc::Rc;

use jiff::Timestamp;
use lru::LruCache;

use super::event::{Process, Protocol};

/// Moments that are kept of one port; older ones make room.
const MOMENTS_PER_PORT: usize = 16;
/// Connections that connect(2) has begun, and that are not established yet.
const MAX_CONNECTING: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// A port of one network namespace and one table of ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PortKey {
    /// Inode number of the network namespace.
    pub netns: u32,
    /// The table.
    pub table: Table,
    /// The port.
    pub port: u16,
}

/// Protocols that share ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Table {
    /// TCP and MPTCP.
    Tcp,
    /// UDP.
    Udp,
    /// UDP-Lite.
    Udplite,
    /// Any other, by number; all that have no ports are 0.
    Other(u16),
}

impl Table {
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
pub struct SocketId {
    /// Address of the kernel's object: an identity while the socket lives.
    pub object: u64,
    /// Inode number in sockfs, 0 if it has none.
    pub inode: u64,
}

impl SocketId {
    /// The inode says it where there is one: objects are used again.
    pub(super) fn is(self, other: Self) -> bool {
        if self.inode != 0 && other.inode != 0 {
            return self.inode == other.inode;
        }
        self.object == other.object
    }
}

/// Something that happened on a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// When; `None` before tracing began.
    pub time: Option<Timestamp>,
    /// What.
    pub what: What,
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
pub enum What {
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

impl What {
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

/// The recent life of ports.
#[derive(Debug)]
pub struct History {
    ports: LruCache<PortKey, Vec<Moment>>,
    connecting: LruCache<u64, Rc<Process>>,
    moments: usize,
    limit: usize,
    evicted: u64,
}

impl History {
    /// Remembers at most `limit` moments.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            ports: LruCache::unbounded(),
            connecting: LruCache::new(MAX_CONNECTING),
            moments: 0,
            limit,
            evicted: 0,
        }
    }

    /// Takes down a moment.
    pub fn push(&mut self, key: PortKey, moment: Moment) {
        let life = self.ports.get_or_insert_mut(key, Vec::new);
        if life.len() >= MOMENTS_PER_PORT {
            life.remove(0);
            self.moments -= 1;
        }
        life.push(moment);
        self.moments += 1;
        while self.moments > self.limit {
            let Some((_, forgotten)) = self.ports.pop_lru() else { break };
            self.moments -= forgotten.len();
            self.evicted += u64::try_from(forgotten.len()).unwrap_or(u64::MAX);
        }
    }

    /// Takes down what was so before tracing began, in front of everything else; it makes nothing newer go, and
    /// what is known of its socket already is not said again.
    pub fn seed(&mut self, key: PortKey, moment: Moment) {
        let life = self.ports.peek(&key).map_or(&[][..], Vec::as_slice);
        let is_known = life.iter().any(|known| known.socket.is(moment.socket));
        if is_known || life.len() >= MOMENTS_PER_PORT || self.moments >= self.limit {
            return;
        }
        let earlier = life.iter().take_while(|known| known.time.is_none()).count();
        self.ports.get_or_insert_mut(key, Vec::new).insert(earlier, moment);
        self.moments += 1;
    }

    /// A process begins to connect; which port it gets is told by [`Self::connected`].
    pub fn connecting(&mut self, object: u64, process: Rc<Process>) {
        self.connecting.put(object, process);
    }

    /// Who began to connect this socket, once.
    pub fn connected(&mut self, object: u64) -> Option<Rc<Process>> {
        self.connecting.pop(&object)
    }

    /// What is known of a port, oldest first.
    #[must_use]
    pub fn of(&self, key: PortKey) -> &[Moment] {
        self.ports.peek(&key).map_or(&[], Vec::as_slice)
    }

    /// The bind or connect that gave a socket its port, if it was seen and was not undone: who had a socket open
    /// when tracing began may have got it from another.
    #[must_use]
    pub fn opening(&self, key: PortKey, socket: SocketId) -> Option<&Moment> {
        let of_socket = |moment: &&Moment| moment.socket.is(socket);
        let opens = |moment: &&Moment| {
            moment.time.is_some() && matches!(moment.what, What::Bound { .. } | What::Connected)
        };
        self.of(key)
            .iter()
            .rev()
            .filter(of_socket)
            // An object without an inode is known until it is freed.
            .take_while(|moment| socket.inode != 0 || moment.what != What::Closed)
            .find(opens)
    }

    /// Who closed a connection first, and so left its TIME_WAIT behind.
    #[must_use]
    pub fn leaving(&self, key: PortKey, address: IpAddr, peer: (IpAddr, u16)) -> Option<&Moment> {
        self.of(key).iter().rev().find(|moment| {
            moment.what == What::Leaving && moment.address == address && moment.peer == Some(peer)
        })
    }

    /// Moments that are remembered.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.moments
    }

    /// Nothing is remembered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.moments == 0
    }

    /// Moments that were forgotten to stay within the limit.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
