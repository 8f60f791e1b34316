//! What is asked about a port.

use super::socket::PortSocket;
use crate::event::Protocol;

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
    pub(super) states: u32,
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

    pub(super) fn takes(&self, socket: &PortSocket) -> bool {
        socket.port != 0 && self.port.is_none_or(|port| port == socket.port)
    }
}
