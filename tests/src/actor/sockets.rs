//! The sockets of an actor, by label.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use super::action::{Answer, Family, Protocol, SocketOption, errno_name};
use crate::sys;

/// `IP_BIND_ADDRESS_NO_PORT`.
const IP_BIND_ADDRESS_NO_PORT: i32 = 24;
/// `IP_LOCAL_PORT_RANGE`.
const IP_LOCAL_PORT_RANGE: i32 = 51;

/// Why an action failed.
pub(super) enum Failure {
    /// The kernel refused the call under test.
    Refused(Errno),
    /// Another failure: the scenario is broken.
    Fault(String),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::Refused(errno)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Errno::from_io_error(&error).map_or_else(|| Self::Fault(error.to_string()), Self::Refused)
    }
}

impl Failure {
    /// Converts the failure to an answer.
    pub(super) fn into_answer(self) -> Answer {
        let mut answer = Answer { pid: std::process::id(), ..Answer::default() };
        match self {
            Self::Refused(errno) => answer.error = Some(errno_name(errno)),
            Self::Fault(fault) => answer.fault = Some(fault),
        }
        answer
    }
}

/// All open sockets of an actor.
#[derive(Default)]
pub(super) struct Sockets {
    /// Descriptors by label; sockets opened in bulk share one label.
    open: BTreeMap<String, Vec<OwnedFd>>,
    /// Interfaces that end with the actor.
    pub(super) interfaces: Vec<sys::tap::Tap>,
    /// The socket on which descriptors arrive.
    pub(super) mailbox: Option<OwnedFd>,
}

impl Sockets {
    /// Keeps a socket under a label and describes it.
    pub(super) fn keep(&mut self, label: &str, socket: OwnedFd) -> Result<Answer, Failure> {
        let answer = describe(socket.as_fd())?;
        self.open.entry(label.to_owned()).or_default().push(socket);
        Ok(answer)
    }

    /// The first socket under a label.
    pub(super) fn get(&self, label: &str) -> Result<BorrowedFd<'_>, Failure> {
        let sockets = self.open.get(label).and_then(|sockets| sockets.first());
        sockets.map(OwnedFd::as_fd).ok_or_else(|| Failure::Fault(format!("no socket is labelled {label}")))
    }

    /// Closes the descriptors with a label and returns them.
    pub(super) fn close(&mut self, label: &str) -> Result<Answer, Failure> {
        let sockets = self
            .open
            .remove(label)
            .ok_or_else(|| Failure::Fault(format!("no socket is labelled {label}")))?;
        let mut answer = Answer { pid: std::process::id(), ..Answer::default() };
        for socket in sockets {
            let inode = rustix::fs::fstat(&socket)?.st_ino;
            answer.closed.push((inode, descriptor(socket.as_fd())));
        }
        Ok(answer)
    }
}

/// Opens a socket with its options.
pub(super) fn open(family: Family, protocol: Protocol, options: &[SocketOption]) -> Result<OwnedFd, Failure> {
    let domain = match family {
        Family::Inet => AddressFamily::INET,
        Family::Inet6 => AddressFamily::INET6,
    };
    let (kind, protocol) = match protocol {
        Protocol::Tcp => (SocketType::STREAM, ipproto::TCP),
        Protocol::Udp => (SocketType::DGRAM, ipproto::UDP),
        Protocol::Mptcp => (SocketType::STREAM, ipproto::MPTCP),
        Protocol::Sctp => (SocketType::STREAM, ipproto::SCTP),
        Protocol::Ping => (SocketType::DGRAM, ipproto::ICMP),
    };
    let socket = rustix::net::socket_with(domain, kind, SocketFlags::CLOEXEC, Some(protocol))?;
    for option in options {
        set(socket.as_fd(), option)?;
    }
    Ok(socket)
}

/// Sets an option.
pub(super) fn set(socket: BorrowedFd<'_>, option: &SocketOption) -> Result<(), Failure> {
    match option {
        SocketOption::ReuseAddress => sockopt::set_socket_reuseaddr(socket, true)?,
        SocketOption::NoReuseAddress => sockopt::set_socket_reuseaddr(socket, false)?,
        SocketOption::ReusePort => sockopt::set_socket_reuseport(socket, true)?,
        SocketOption::V6Only => sockopt::set_ipv6_v6only(socket, true)?,
        SocketOption::DualStack => sockopt::set_ipv6_v6only(socket, false)?,
        SocketOption::BindAddressNoPort => {
            sys::net::set_option(socket, libc::IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &1_i32.to_ne_bytes())?;
        }
        SocketOption::LocalPortRange(low, high) => {
            let range = u32::from(*low) | u32::from(*high) << 16;
            sys::net::set_option(socket, libc::IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range.to_ne_bytes())?;
        }
        SocketOption::BindToDevice(name) => {
            sys::net::set_option(socket, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, name.as_bytes())?;
        }
    }
    Ok(())
}

/// The facts about a socket that the runner needs.
pub(super) fn describe(socket: BorrowedFd<'_>) -> Result<Answer, Failure> {
    let local = rustix::net::getsockname(socket).ok().and_then(|address| SocketAddr::try_from(address).ok());
    Ok(Answer {
        inode: Some(rustix::fs::fstat(socket)?.st_ino),
        fd: Some(descriptor(socket)),
        address: local.map(|local| local.ip()),
        port: local.map(|local| local.port()),
        pid: std::process::id(),
        ..Answer::default()
    })
}

/// The wildcard address of a family.
pub(super) const fn wildcard(family: Family) -> IpAddr {
    match family {
        Family::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

/// The number of a descriptor.
fn descriptor(socket: BorrowedFd<'_>) -> u32 {
    socket.as_raw_fd().unsigned_abs()
}
