//! A network namespace for some thousands of pairs.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use anyhow::Context as _;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::sys;

/// The servers of the connections: a listener on every address, and one with a small receive buffer.
const SERVER: u16 = 1000;
const NARROW: u16 = 1001;
const BACKLOG: i32 = 64;
/// A buffer size at or below the kernel's minimum.
const SMALL: usize = 1024;
/// Ephemeral ports of the namespace; the ports of the pairs are below them.
const EPHEMERAL: (u16, u16) = (32_768, 60_999);

/// The network namespace of the thread.
#[derive(Debug)]
pub(super) struct World {
    server: OwnedFd,
    narrow: OwnedFd,
    /// `ip_autobind_reuse` is set.
    pub(super) autobind_reuse: bool,
}

impl World {
    /// Moves the thread into a new namespace; every second one has `ip_autobind_reuse` set.
    pub(super) fn new(number: u64) -> anyhow::Result<Self> {
        sys::net::own_sockets_as(0)?;
        sys::net::new_namespace()?;
        let autobind_reuse = number % 2 == 1;
        setting("ip_autobind_reuse", if autobind_reuse { "1" } else { "0" })?;
        ephemeral(EPHEMERAL)?;
        Ok(Self { server: listener(SERVER, false)?, narrow: listener(NARROW, true)?, autobind_reuse })
    }

    /// Connects a bound socket and returns the peer; both ends have small buffers if `narrow`.
    pub(super) fn connect(&self, socket: &OwnedFd, to: IpAddr, narrow: bool) -> anyhow::Result<OwnedFd> {
        let (listener, port) = if narrow { (&self.narrow, NARROW) } else { (&self.server, SERVER) };
        if narrow {
            sockopt::set_socket_send_buffer_size(socket, SMALL)?;
        }
        rustix::net::connect(socket, &SocketAddr::new(to, port)).context("cannot connect")?;
        Ok(rustix::net::accept_with(listener, SocketFlags::CLOEXEC)?)
    }

    /// Runs `bind` while `port` is the only ephemeral port.
    pub(super) fn with_one_port<T>(port: u16, bind: impl FnOnce() -> T) -> anyhow::Result<T> {
        sys::net::own_sockets_as(0)?;
        ephemeral((port, port))?;
        let result = bind();
        ephemeral(EPHEMERAL)?;
        Ok(result)
    }
}

/// A listener on every address of both families.
fn listener(port: u16, narrow: bool) -> anyhow::Result<OwnedFd> {
    let socket =
        rustix::net::socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    if narrow {
        sockopt::set_socket_recv_buffer_size(&socket, SMALL)?;
    }
    rustix::net::bind(&socket, &SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket)
}

fn ephemeral((low, high): (u16, u16)) -> anyhow::Result<()> {
    setting("ip_local_port_range", &format!("{low} {high}"))
}

/// Sets a value of `/proc/sys/net/ipv4` in the namespace of the thread.
fn setting(name: &str, value: &str) -> anyhow::Result<()> {
    fs::write(format!("/proc/sys/net/ipv4/{name}"), value).with_context(|| format!("cannot set {name}"))
}

/// The address that reaches a socket on `local`; a dual-stack wildcard address is reached over IPv6 if `by_v6`.
pub(super) fn reaches(local: IpAddr, v6_only: bool, by_v6: bool) -> IpAddr {
    let mapped = IpAddr::V6(Ipv4Addr::LOCALHOST.to_ipv6_mapped());
    match local {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() && (v6_only || by_v6) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => mapped,
        IpAddr::V6(v6) if v6.to_ipv4_mapped() == Some(Ipv4Addr::UNSPECIFIED) => mapped,
        specific => specific,
    }
}
