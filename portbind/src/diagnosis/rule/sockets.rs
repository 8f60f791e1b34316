//! The sockets that the rule compares.

use std::net::IpAddr;

use super::generation::Generation;

/// Which rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// TCP and MPTCP, which share a table.
    Tcp,
    /// UDP, and UDP-Lite, which has the same rule and its own table.
    Udp,
}

/// The properties of both sockets in a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Local address; an IPv4-mapped one stays IPv6.
    pub address: IpAddr,
    /// The socket's own `ipv6only` flag: set by IPV6_V6ONLY, and by a bind to a specific IPv6 address. A connection of
    /// a dual-stack socket has a specific address without the flag.
    pub v6_only: bool,
    /// Index of the interface the socket is bound to; 0 if none.
    pub device: u32,
    /// Index of that interface's VRF (`inet_sk_bound_l3mdev`); 0 if none, or if `tcp_l3mdev_accept` is set.
    pub master: u32,
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// Owner; for a socket that no process has open, its last owner.
    pub uid: u32,
}

/// The socket that requests the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Which rule applies.
    pub transport: Transport,
    /// Address, device, options, owner.
    pub endpoint: Endpoint,
    /// The requested port.
    pub port: Port,
    /// The call is listen(2), which requests the port again.
    pub listening: bool,
    /// TCP_REPAIR is on, which forces reuse (`SK_FORCE_REUSE`).
    pub force_reuse: bool,
    /// Its SO_REUSEPORT group.
    pub group: Group,
}

/// The requested port.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// The holders' port.
    Given,
    /// Any free port; the holders' port is one candidate.
    Any {
        /// No port was free, and `ip_autobind_reuse` allows a second pass that shares ports.
        relaxed: bool,
    },
}

/// The SO_REUSEPORT group that a socket has before it requests the port (`sk_reuseport_cb`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Group {
    /// No group.
    #[default]
    None,
    /// A group, because a BPF program was attached before the bind.
    Live,
    /// A group that still counts sockets whose listening was shut down (`num_closed_socks`).
    WithClosed,
}

/// A socket on the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Address, device, options, owner.
    pub endpoint: Endpoint,
    /// State and ownership, as far as the rule depends on them.
    pub stage: Stage,
}

/// A socket's state and ownership, as far as the rule depends on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// TCP: listening.
    Listening,
    /// Any other state, open in a process or in the kernel.
    Open,
    /// Not yet accepted, or an orphan whose connection the kernel is finishing: no process has it open.
    Detached,
    /// TIME_WAIT, or FIN_WAIT2 without an owner: no longer a full socket.
    TimeWait,
}

impl Held {
    /// The user that the kernel compares.
    #[must_use]
    pub fn uid(&self, generation: Generation) -> u32 {
        if self.stage == Stage::Detached && generation.detached_belong_to_root() {
            0
        } else {
            self.endpoint.uid
        }
    }
}
