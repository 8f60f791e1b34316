//! The socket of a refused call.

use std::net::IpAddr;

/// The socket of the refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Address family.
    pub family: Family,
    /// Protocol.
    pub protocol: Protocol,
    /// Address asked for; IPv4-mapped IPv6 addresses stay IPv6.
    pub address: IpAddr,
    /// Port asked for; 0 means any.
    pub port: u16,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of that namespace, or of the caller's container that has it.
    pub netns_name: Option<String>,
    /// Interface it is bound to.
    pub interface: Option<Interface>,
    /// Options that decide conflicts.
    pub options: Options,
    /// Owner.
    pub uid: u32,
}

/// Address family of an internet socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// AF_INET.
    Inet,
    /// AF_INET6.
    Inet6,
}

/// Transport protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// IPPROTO_TCP.
    Tcp,
    /// IPPROTO_UDP.
    Udp,
    /// IPPROTO_MPTCP.
    Mptcp,
    /// IPPROTO_ICMP or IPPROTO_ICMPV6 on a datagram socket.
    Ping,
    /// IPPROTO_UDPLITE.
    Udplite,
    /// Any other, by number.
    Other(u16),
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Index in its network namespace.
    pub index: u32,
    /// Name, where it could be found.
    pub name: Option<String>,
}

/// Socket options that decide whether two sockets may share a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// IPV6_V6ONLY, also when implied by a specific IPv6 address.
    pub v6_only: bool,
}

impl Family {
    /// The word for it in every output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inet => "inet",
            Self::Inet6 => "inet6",
        }
    }
}

impl Protocol {
    /// The word for it in every output; `None` for a protocol known by number only.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Tcp => Some("tcp"),
            Self::Udp => Some("udp"),
            Self::Mptcp => Some("mptcp"),
            Self::Ping => Some("ping"),
            Self::Udplite => Some("udplite"),
            Self::Other(_) => None,
        }
    }
}
