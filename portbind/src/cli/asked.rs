//! The bind that `portbind check` and `portbind wait` ask about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use super::helper::Helper;
use super::values::PortProtocol;
use crate::event::{Family, Interface, Options, Protocol, Socket};

/// Options of a bind.
#[derive(Debug, clap::Args)]
pub(super) struct BindArgs {
    /// The address; the default is 0.0.0.0, and :: with --v6-only.
    #[arg(long, value_name = "ADDRESS")]
    pub(super) address: Option<IpAddr>,
    /// The protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO", default_value = "tcp")]
    protocol: PortProtocol,
    /// With SO_REUSEADDR, as most servers do.
    #[arg(long)]
    reuse_address: bool,
    /// With SO_REUSEPORT.
    #[arg(long)]
    reuse_port: bool,
    /// With IPV6_V6ONLY.
    #[arg(long)]
    v6_only: bool,
    /// Bound to this interface (SO_BINDTODEVICE).
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
}

impl BindArgs {
    /// The protocol.
    pub(super) const fn protocol(&self) -> Protocol {
        self.protocol.0
    }

    /// The socket that would be bound.
    pub(super) fn socket(&self, helper: &Helper, port: u16) -> Socket {
        let wildcard =
            if self.v6_only { Ipv6Addr::UNSPECIFIED.into() } else { IpAddr::V4(Ipv4Addr::UNSPECIFIED) };
        let address = self.address.unwrap_or(wildcard);
        let options = Options {
            reuse_address: self.reuse_address,
            reuse_port: self.reuse_port,
            v6_only: self.v6_only && address.is_ipv6(),
        };
        let interface = self.interface.as_ref().map(|name| Interface {
            index: helper.netns.inside(|| interface_index(name)).ok().flatten().unwrap_or(0),
            name: Some(name.clone()),
        });
        Socket { interface, ..socket(helper, self.protocol(), address, port, options) }
    }
}

/// A socket of this user in the namespace that is looked into.
pub(super) fn socket(
    helper: &Helper,
    protocol: Protocol,
    address: IpAddr,
    port: u16,
    options: Options,
) -> Socket {
    Socket {
        family: if address.is_ipv6() { Family::Inet6 } else { Family::Inet },
        protocol,
        address,
        port,
        name: None,
        netns: helper.netns.inode(),
        netns_name: helper.netns_name(),
        interface: None,
        options,
        uid: rustix::process::geteuid().as_raw(),
    }
}

fn interface_index(name: &str) -> Option<u32> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None).ok()?;
    name_to_index(socket, name).ok()
}
