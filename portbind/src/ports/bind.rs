//! The bind that is checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::inspector::Inspector;
use crate::event::{Family, Interface, Options, Protocol, Socket};

/// A bind that a program would make.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bind {
    /// The protocol.
    pub protocol: Protocol,
    /// The address; `None` means 0.0.0.0, or :: with IPV6_V6ONLY.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// The options set on the socket.
    pub options: Options,
    /// The interface that the socket is bound to (SO_BINDTODEVICE).
    pub interface: Option<String>,
}

impl Bind {
    /// A bind to the IPv4 wildcard address, without options; change the fields for any other.
    #[must_use]
    pub fn new(protocol: Protocol, port: u16) -> Self {
        Self { protocol, address: None, port, options: Options::default(), interface: None }
    }
}

impl Inspector {
    /// The socket that the current user would bind.
    pub(super) fn socket(&self, bind: &Bind) -> Socket {
        let wildcard: IpAddr =
            if bind.options.v6_only { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
        let address = bind.address.unwrap_or(wildcard);
        let interface = bind.interface.as_ref().map(|name| Interface {
            index: self.netns.inside(|| interface_index(name)).ok().flatten().unwrap_or(0),
            name: Some(name.clone()),
        });
        Socket {
            family: if address.is_ipv6() { Family::Inet6 } else { Family::Inet },
            protocol: bind.protocol,
            address,
            port: bind.port,
            name: None,
            netns: self.netns.inode(),
            netns_name: self.netns_name(),
            interface,
            options: Options { v6_only: bind.options.v6_only && address.is_ipv6(), ..bind.options },
            uid: rustix::process::geteuid().as_raw(),
        }
    }
}

fn interface_index(name: &str) -> Option<u32> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    name_to_index(socket, name).ok()
}
