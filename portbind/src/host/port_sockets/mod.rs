//! The sockets on a port of a network namespace, without tracing: asked of the kernel's socket diagnosis, and
//! of the processes that have them open.

mod copies;
mod find;
mod inet_diag;

use std::io;
use std::net::IpAddr;

use rustix::net::netdevice::index_to_name;

pub use find::Found;

use super::broker::SocketKind;
use super::entrance::Entrance;
use super::netns::Netns;
use super::sock_diag::SockDiag;
use crate::event::{Family, Holder, Interface, Options, Ownership, Protocol, SocketId, State};

/// States of `idiag_states`: all there are, those that later kernels add included.
const EVERY_STATE: u32 = u32::MAX;
/// TCPF_LISTEN (include/net/tcp_states.h).
const LISTENING: u32 = 1 << 10;
/// TCPF_CLOSE, the state of every socket of UDP that is not connected.
const CLOSED: u32 = 1 << 7;
/// TCPF_BOUND_INACTIVE: from 6.8 on tells TCP sockets that are bound, and neither listen nor are connected.
const BOUND_INACTIVE: u32 = 1 << 13;

/// Which protocols are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// All that have ports.
    All,
    /// One.
    One(Protocol),
}

impl Protocols {
    /// Whether this one is looked at.
    #[must_use]
    pub fn wants(self, protocol: Protocol) -> bool {
        match self {
            Self::All => true,
            // They share a table of ports.
            Self::One(Protocol::Tcp | Protocol::Mptcp) => matches!(protocol, Protocol::Tcp | Protocol::Mptcp),
            Self::One(one) => one == protocol,
        }
    }
}

/// Which sockets are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// On this port, or on any.
    pub port: Option<u16>,
    /// Of these protocols.
    pub protocols: Protocols,
    states: u32,
}

impl Query {
    /// Every socket on a port.
    #[must_use]
    pub const fn port(port: u16, protocols: Protocols) -> Self {
        Self { port: Some(port), protocols, states: EVERY_STATE }
    }

    /// The sockets on a port that listen, or receive from anybody: the cheapest question.
    #[must_use]
    pub const fn listening(port: u16, protocols: Protocols) -> Self {
        Self { port: Some(port), protocols, states: LISTENING | CLOSED }
    }

    /// The sockets of a namespace that were bound, and did not get their port from a connect.
    #[must_use]
    pub const fn bound() -> Self {
        Self { port: None, protocols: Protocols::All, states: LISTENING | CLOSED | BOUND_INACTIVE }
    }

    fn takes(&self, socket: &PortSocket) -> bool {
        socket.port != 0 && self.port.is_none_or(|port| port == socket.port)
    }
}

/// A socket on a port, as the kernel tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortSocket {
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address family.
    pub family: Family,
    /// Its state.
    pub state: State,
    /// It is no full socket any more, and only waits out its time.
    pub is_time_wait: bool,
    /// Local address.
    pub address: IpAddr,
    /// Local port.
    pub port: u16,
    /// The other end of a connection.
    pub peer: Option<(IpAddr, u16)>,
    /// Index of the interface that it is bound to; 0 if none.
    pub interface: u32,
    /// Milliseconds until a TIME_WAIT is gone.
    pub time_wait_left_ms: Option<u64>,
    /// Connections waiting to be accepted, of how many that may (listeners).
    pub backlog: Option<(u32, u32)>,
    /// Owner; 0 where it has none.
    pub uid: u32,
    /// Inode number in sockfs; 0 where it has none.
    pub inode: u64,
    /// IPV6_V6ONLY; told of sockets that are not connected.
    pub v6_only: bool,
    /// Id of the control group of the process that made it; not told of TIME_WAIT, and not before 5.9.
    pub cgroup: Option<u64>,
}

/// Asks the kernel for the sockets of a network namespace.
///
/// # Errors
/// If the namespace may not be entered, or the kernel has no diagnosis of TCP (the module `tcp_diag`).
pub fn ask(entrance: &Entrance, netns: &Netns, query: &Query) -> io::Result<Vec<PortSocket>> {
    let mut found = Vec::new();
    inet_diag::ask(&mut SockDiag::open(entrance, netns.descriptor())?, query, &mut found)?;
    Ok(found)
}

/// Names of the interfaces of a network namespace, by index.
fn interface_names(entrance: &Entrance, netns: &Netns, indices: &[u32]) -> Vec<Option<String>> {
    let socket = entrance.socket(netns.descriptor(), SocketKind::Interfaces).ok();
    indices.iter().map(|&index| index_to_name(socket.as_ref()?, index).ok()).collect()
}

impl PortSocket {
    /// The socket as a holder of its port, with nobody behind it yet.
    #[must_use]
    pub fn holder(&self) -> Holder {
        let is_full = self.inode != 0;
        Holder {
            id: SocketId { object: 0, inode: self.inode },
            state: self.state,
            conflicts: false,
            protocol: self.protocol,
            family: self.family,
            address: self.address,
            port: self.port,
            name: None,
            peer: self.peer,
            interface: (self.interface != 0).then_some(Interface { index: self.interface, name: None }),
            inode: is_full.then_some(self.inode),
            uid: is_full.then_some(self.uid),
            user: None,
            options: Options { v6_only: self.v6_only, ..Options::default() },
            options_known: false,
            ownership: self.ownership(),
            time_wait_left_ms: self.time_wait_left_ms,
            backlog: self.backlog,
            opened_by: None,
            since: None,
            left_by: None,
            processes: Vec::new(),
            more_processes: 0,
        }
    }

    /// A socket without an inode was closed by its process, or not accepted yet: which, its state tells but for
    /// CLOSE_WAIT, and there most often the listener is late.
    const fn ownership(&self) -> Ownership {
        match self.state {
            _ if self.is_time_wait => Ownership::TimeWait,
            _ if self.inode != 0 => Ownership::Process,
            State::SynRecv | State::Established | State::CloseWait => Ownership::NotAccepted,
            State::Listen | State::Bound => Ownership::Kernel,
            _ => Ownership::Orphan,
        }
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
