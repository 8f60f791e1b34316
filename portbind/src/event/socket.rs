//! The socket of a refused call.

use std::net::IpAddr;

use super::name::Name;

/// The socket of the refused call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Socket {
    /// Address family.
    pub family: Family,
    /// Protocol.
    pub protocol: Protocol,
    /// Requested address; IPv4-mapped IPv6 addresses stay IPv6. Meaningless for a socket with a `name`.
    pub address: IpAddr,
    /// Requested port; 0 means any. Meaningless for a socket with a `name`.
    pub port: u16,
    /// Requested name, for a family without ports; see [`Self::endpoint`].
    pub name: Option<Name>,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Name of that namespace, or of the caller's container that uses it.
    pub netns_name: Option<String>,
    /// Interface that the socket is bound to.
    pub interface: Option<Interface>,
    /// Options that decide conflicts.
    pub options: Options,
    /// User id of the owner.
    pub uid: u32,
}

impl Socket {
    /// A socket of user 0 that requests a port, without options.
    #[must_use]
    pub fn new(protocol: Protocol, address: IpAddr, port: u16, netns: u32) -> Self {
        Self {
            family: Family::of(address),
            protocol,
            address,
            port,
            name: None,
            netns,
            netns_name: None,
            interface: None,
            options: Options::default(),
            uid: 0,
        }
    }

    /// Heap bytes of its names, which can have any length.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let name = match &self.name {
            Some(Name::Path(bytes) | Name::Abstract(bytes) | Name::Raw(bytes)) => bytes.len(),
            _ => 0,
        };
        let interface = self.interface.as_ref().and_then(|interface| interface.name.as_ref());
        let texts = [self.netns_name.as_ref(), interface];
        name + texts.into_iter().flatten().map(String::len).sum::<usize>()
    }
}

/// Address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Family {
    /// AF_INET.
    Inet,
    /// AF_INET6.
    Inet6,
    /// AF_UNIX.
    Unix,
    /// AF_NETLINK.
    Netlink,
    /// AF_VSOCK.
    Vsock,
    /// Any other, by number.
    Other(u16),
}

/// Transport protocol of a socket; for families without one, its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// IPPROTO_SCTP.
    Sctp,
    /// SOCK_STREAM of AF_UNIX or AF_VSOCK.
    Stream,
    /// SOCK_DGRAM of AF_UNIX or AF_VSOCK.
    Dgram,
    /// SOCK_SEQPACKET of AF_UNIX or AF_VSOCK.
    Seqpacket,
    /// A netlink protocol, by number.
    Netlink(u16),
    /// Any other, by number.
    Other(u16),
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Interface {
    /// Index in its network namespace.
    pub index: u32,
    /// Name, if it could be found.
    pub name: Option<String>,
}

/// Socket options that decide whether two sockets may share a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// SO_REUSEADDR.
    pub reuse_address: bool,
    /// SO_REUSEPORT.
    pub reuse_port: bool,
    /// IPV6_V6ONLY, also when implied by a specific IPv6 address.
    pub v6_only: bool,
}

impl Socket {
    /// Requested address and port; `None` for a family without ports.
    #[must_use]
    pub fn endpoint(&self) -> Option<(IpAddr, u16)> {
        self.name.is_none().then_some((self.address, self.port))
    }
}

impl Family {
    /// The family of sockets with this address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Inet } else { Self::Inet6 }
    }

    /// The family's name in every output; `None` for a family known only by number.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Inet => Some("inet"),
            Self::Inet6 => Some("inet6"),
            Self::Unix => Some("unix"),
            Self::Netlink => Some("netlink"),
            Self::Vsock => Some("vsock"),
            Self::Other(_) => None,
        }
    }
}

impl Protocol {
    /// Whether sockets receive datagrams from anybody, without a connection: UDP and UDP-Lite.
    #[must_use]
    pub const fn is_datagram(self) -> bool {
        matches!(self, Self::Udp | Self::Udplite)
    }

    /// The protocol's name in every output; `None` for a protocol known only by number.
    #[must_use]
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Tcp => Some("tcp"),
            Self::Udp => Some("udp"),
            Self::Mptcp => Some("mptcp"),
            Self::Ping => Some("ping"),
            Self::Udplite => Some("udplite"),
            Self::Sctp => Some("sctp"),
            Self::Stream => Some("stream"),
            Self::Dgram => Some("dgram"),
            Self::Seqpacket => Some("seqpacket"),
            Self::Netlink(number) => netlink(number),
            Self::Other(_) => None,
        }
    }
}

/// Netlink protocols (include/uapi/linux/netlink.h, 7.3).
const fn netlink(number: u16) -> Option<&'static str> {
    Some(match number {
        0 => "route",
        2 => "usersock",
        4 => "sock_diag",
        5 => "nflog",
        6 => "xfrm",
        7 => "selinux",
        8 => "iscsi",
        9 => "audit",
        10 => "fib_lookup",
        11 => "connector",
        12 => "netfilter",
        15 => "kobject_uevent",
        16 => "generic",
        18 => "scsitransport",
        19 => "ecryptfs",
        20 => "rdma",
        21 => "crypto",
        22 => "smc",
        _ => return None,
    })
}
