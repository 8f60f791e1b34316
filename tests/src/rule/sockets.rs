//! Real sockets, and their descriptions for the rule.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::Context as _;
use portbind::diagnosis::rule::{Asked, Endpoint, Group, Port, Transport};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use super::plan::SocketPlan;
use crate::sys;

/// `SO_BINDTOIFINDEX` (include/uapi/asm-generic/socket.h): the interface need not exist.
const SO_BINDTOIFINDEX: i32 = 62;

/// Opens a socket of a plan's family and owner.
pub(super) fn open(transport: Transport, address: IpAddr, uid: u32) -> anyhow::Result<OwnedFd> {
    sys::net::own_sockets_as(uid)?;
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let kind = if transport == Transport::Tcp { SocketType::STREAM } else { SocketType::DGRAM };
    Ok(rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?)
}

/// Opens the socket of a plan and sets all options that precede its bind.
pub(super) fn prepare(transport: Transport, plan: &SocketPlan) -> anyhow::Result<OwnedFd> {
    let socket = open(transport, plan.address, plan.uid)?;
    reuse(&socket, plan.reuse_address, plan.reuse_port)?;
    if plan.v6_only {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    if plan.device != 0 {
        move_to(&socket, plan.device)?;
    }
    Ok(socket)
}

/// Sets or clears SO_REUSEADDR and SO_REUSEPORT.
pub(super) fn reuse(socket: &OwnedFd, address: bool, port: bool) -> anyhow::Result<()> {
    sockopt::set_socket_reuseaddr(socket, address)?;
    sockopt::set_socket_reuseport(socket, port)?;
    Ok(())
}

/// Binds the socket to an interface, by index.
pub(super) fn move_to(socket: &OwnedFd, device: u32) -> anyhow::Result<()> {
    sys::net::set_option(socket.as_fd(), libc::SOL_SOCKET, SO_BINDTOIFINDEX, &device.to_ne_bytes())
        .context("cannot bind to an interface")
}

/// Turns TCP_REPAIR on.
pub(super) fn repair(socket: &OwnedFd) -> anyhow::Result<()> {
    sys::net::set_option(socket.as_fd(), libc::IPPROTO_TCP, libc::TCP_REPAIR, &1_i32.to_ne_bytes())
        .context("cannot repair")
}

/// Whether the kernel refused a bind or listen. Any other error invalidates the pair.
pub(super) fn refused(result: Result<(), Errno>) -> anyhow::Result<bool> {
    match result {
        Ok(()) => Ok(false),
        Err(Errno::ADDRINUSE) => Ok(true),
        Err(errno) => Err(errno.into()),
    }
}

/// Binds to an address of the plan.
pub(super) fn bind(socket: &OwnedFd, address: IpAddr, port: u16) -> Result<(), Errno> {
    rustix::net::bind(socket, &SocketAddr::new(address, port))
}

/// The current address of the socket.
pub(super) fn local(socket: &OwnedFd) -> anyhow::Result<IpAddr> {
    Ok(SocketAddr::try_from(rustix::net::getsockname(socket)?)?.ip())
}

/// The socket of a plan, as the input of the rule.
pub(super) fn endpoint(plan: &SocketPlan) -> Endpoint {
    // KERNEL: `__inet6_bind` (net/ipv6/af_inet6.c, 5.10 to 7.3) sets the flag for a specific address.
    let specific_v6 = match plan.address {
        IpAddr::V4(_) => false,
        IpAddr::V6(v6) => !v6.is_unspecified() && v6.to_ipv4_mapped().is_none(),
    };
    Endpoint {
        address: plan.address,
        v6_only: plan.v6_only || specific_v6,
        device: plan.device,
        master: 0,
        reuse_address: plan.reuse_address,
        reuse_port: plan.reuse_port,
        uid: plan.uid,
    }
}

/// The bind or listen of such a socket on the holders' port.
pub(super) const fn asking(transport: Transport, endpoint: Endpoint, listening: bool) -> Asked {
    Asked { transport, endpoint, port: Port::Given, listening, force_reuse: false, group: Group::None }
}
