//! A query for the sockets on a port.

use super::socket::PortSocket;
use crate::event::Protocol;

/// `idiag_states` for all states, including states that later kernels add.
const EVERY_STATE: u32 = u32::MAX;
/// TCPF_LISTEN (include/net/tcp_states.h).
const LISTENING: u32 = 1 << 10;
/// TCPF_CLOSE, the state of every unconnected UDP socket.
const CLOSED: u32 = 1 << 7;
/// TCPF_BOUND_INACTIVE: from 6.8 on, requests bound TCP sockets that neither listen nor are connected.
const BOUND_INACTIVE: u32 = 1 << 13;

/// The protocols of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    /// All protocols with ports.
    All,
    /// One protocol.
    One(Protocol),
}

impl Protocols {
    /// Whether the query includes this protocol.
    #[must_use]
    pub fn wants(self, protocol: Protocol) -> bool {
        match self {
            Self::All => true,
            // TCP and MPTCP share a table of ports.
            Self::One(Protocol::Tcp | Protocol::Mptcp) => matches!(protocol, Protocol::Tcp | Protocol::Mptcp),
            Self::One(one) => one == protocol,
        }
    }
}

/// The wanted sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query {
    /// The port; `None` for any port.
    pub port: Option<u16>,
    /// The protocols.
    pub protocols: Protocols,
    pub(super) states: u32,
}

impl Query {
    /// Every socket on a port.
    #[must_use]
    pub const fn port(port: u16, protocols: Protocols) -> Self {
        Self { port: Some(port), protocols, states: EVERY_STATE }
    }

    /// The sockets on a port that listen, or receive from any sender: the cheapest query.
    #[must_use]
    pub const fn listening(port: u16, protocols: Protocols) -> Self {
        Self { port: Some(port), protocols, states: LISTENING | CLOSED }
    }

    /// The sockets of a namespace that were bound, without ports chosen by connect(2).
    #[must_use]
    pub const fn bound() -> Self {
        Self { port: None, protocols: Protocols::All, states: LISTENING | CLOSED | BOUND_INACTIVE }
    }

    pub(super) fn takes(&self, socket: &PortSocket) -> bool {
        socket.port != 0 && self.port.is_none_or(|port| port == socket.port)
    }
}
