//! The sockets that the rule compares.

use std::net::IpAddr;

use super::generation::Generation;

/// Which of the two rules applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP, and MPTCP, which shares its table.
    Tcp,
    /// UDP; UDP-Lite has the same rule, and a table of its own.
    Udp,
}

/// What both sides of a comparison have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Local address; an IPv4-mapped one stays IPv6.
    pub address: IpAddr,
    /// The socket's own `ipv6only` flag: set by IPV6_V6ONLY, and by a bind to a specific IPv6
    /// address. A connection of a dual-stack socket has a specific address without it.
    pub v6_only: bool,
    /// Index of the interface it is bound to; 0 if none.
    pub device: u32,
    /// Index of the VRF above that interface (`inet_sk_bound_l3mdev`); 0 if none, or if
    /// `tcp_l3mdev_accept` is set.
    pub master: u32,
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// Owner; for a socket that nobody has open, the one it had.
    pub uid: u32,
}

/// The socket that asks for the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which rule applies.
    pub transport: Transport,
    /// Address, device, options, owner.
    pub endpoint: Endpoint,
    /// The port that is wanted.
    pub port: Port,
    /// It is in listen(2), which asks for the port once more.
    pub listening: bool,
    /// TCP_REPAIR is on, which forces reuse (`SK_FORCE_REUSE`).
    pub force_reuse: bool,
    /// Its group of SO_REUSEPORT sockets.
    pub group: Group,
}

/// The port that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// The holders' own.
    Given,
    /// Any that is free; the holders' is one candidate.
    Any {
        /// Nothing was free, and `ip_autobind_reuse` allows a second pass that shares ports.
        relaxed: bool,
    },
}

/// The SO_REUSEPORT group that a socket is in before it asks (`sk_reuseport_cb`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Group {
    /// None.
    #[default]
    None,
    /// One: a BPF program was attached before the bind.
    Live,
    /// One that still counts sockets whose listening was shut down (`num_closed_socks`).
    WithClosed,
}

/// A socket on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Address, device, options, owner.
    pub endpoint: Endpoint,
    /// As far as the rule cares.
    pub stage: Stage,
}

/// What the rule knows of a socket's state and owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// TCP: listening.
    Listening,
    /// Any other state, open in some process or in the kernel.
    Open,
    /// Not accepted yet, or an orphan that the kernel still finishes: open in no process.
    Detached,
    /// TIME_WAIT, or FIN_WAIT2 without an owner: no full socket any more.
    TimeWait,
}

impl Held {
    /// The owner that the kernel compares.
    #[must_use]
    pub fn uid(&self, generation: Generation) -> u32 {
        if self.stage == Stage::Detached && generation.detached_belong_to_root() {
            0
        } else {
            self.endpoint.uid
        }
    }
}
