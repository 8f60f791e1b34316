//! Why a bind or listen failed for a reason other than a taken port.
//!
//! The kernel's checks, in their order: `__inet_bind` in net/ipv4/af_inet.c, `__inet6_bind` in net/ipv6/af_inet6.c,
//! `__inet_listen_sk` in net/ipv4/af_inet.c (v6.18; the same since v5.10). If only one check returns an error, that
//! check explains it; if several do, the one whose condition is known to hold.

use std::net::{IpAddr, Ipv6Addr};

use crate::escape::Escaped;
use crate::event::{Cause, Code, Errno, Family, Operation, Protocol, Socket, State};

/// The host's state at the time of a failed call. `None` means unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// State of the socket in the kernel.
    pub state: State,
    /// The socket had a local port before the call.
    pub is_bound: bool,
    /// Whether and how the socket's network namespace has the requested address.
    pub presence: Option<Presence>,
    /// The lowest port that needs no capability: `net.ipv4.ip_unprivileged_port_start` of that namespace.
    pub unprivileged_from: Option<u16>,
    /// The caller has CAP_NET_BIND_SERVICE in the user namespace that counts.
    pub may_bind_privileged: Option<bool>,
}

/// Whether and how a network namespace has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// It does not have the address.
    Absent,
    /// Another interface than the one the socket is bound to has the address, which only counts on its own interface.
    OtherInterface,
    /// Duplicate address detection is still running.
    Tentative,
    /// Duplicate address detection found the address on another machine.
    Duplicate,
    /// It has the address.
    Present,
}

impl Facts {
    /// Only the state is known.
    #[must_use]
    pub const fn unknown(state: State) -> Self {
        Self { state, is_bound: false, presence: None, unprivileged_from: None, may_bind_privileged: None }
    }
}

/// Names the cause of an error that no holder of a port explains.
#[must_use]
pub fn explain(error: Errno, operation: Operation, socket: &Socket, facts: &Facts) -> Cause {
    let (code, summary) = match (error.name(), operation) {
        _ if socket.name.is_some() => (Code::OtherError, format!("the call failed with {error}")),
        (Some("EADDRNOTAVAIL"), _) => not_available(socket, facts.presence),
        (Some("EACCES"), Operation::Listen) => security_module("listening"),
        (Some("EACCES"), _) => denied(socket.port, facts),
        (Some("EINVAL"), Operation::Listen) => cannot_listen_now(facts.state),
        (Some("EINVAL"), _) => invalid(socket, facts),
        (Some("EAFNOSUPPORT"), _) => family_mismatch(socket.family),
        (Some("ENODEV"), _) => no_interface(socket),
        (Some("EPERM"), _) => (
            Code::ForbiddenByProgram,
            "a program of the administrator forbids it, attached to the cgroup or as a security module: no \
             check of the kernel itself fails like this"
                .to_owned(),
        ),
        (Some("EOPNOTSUPP"), Operation::Listen) => {
            (Code::CannotListen, "sockets of this protocol do not listen".to_owned())
        }
        (Some("EFAULT"), _) => {
            (Code::BadPointer, "the address lies where the caller may not read its memory".to_owned())
        }
        (Some("ENOMEM" | "ENOBUFS"), _) => (Code::NoMemory, "the kernel was out of memory".to_owned()),
        _ => (Code::OtherError, format!("the call failed with {error}: no port was in the way")),
    };
    Cause { code, summary }
}

type Reason = (Code, String);

fn not_available(socket: &Socket, presence: Option<Presence>) -> Reason {
    // In brackets, so that the output can distinguish an IPv6 address from a foreign name.
    let address = match socket.address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let code = match presence {
        Some(Presence::Tentative | Presence::Duplicate) => Code::AddressTentative,
        _ => Code::AddressNotLocal,
    };
    let summary = match presence {
        Some(Presence::Tentative) => format!(
            "{address} is still tentative: the kernel is asking whether another machine has it, and lets nobody \
             bind it until then"
        ),
        Some(Presence::Duplicate) => {
            format!("{address} stays tentative: another machine on the link has the same address")
        }
        Some(Presence::OtherInterface) => {
            format!("{address} is not an address of {}, but of another interface", interface(socket))
        }
        Some(Presence::Absent) => format!(
            "{address} is not an address of this network namespace, and neither ip_nonlocal_bind nor a socket \
             option lets the caller bind others"
        ),
        Some(Presence::Present) => {
            format!("{address} was not an address of this network namespace at that moment, though it is now")
        }
        None if is_v6(socket.address) => {
            format!("{address} is not an address of the caller's network namespace, or still tentative")
        }
        None => format!("{address} is not an address of the caller's network namespace"),
    };
    (code, summary)
}

/// EACCES of bind: bind itself checks only for privileged ports; security modules run before it.
fn denied(port: u16, facts: &Facts) -> Reason {
    let Some(from) = facts.unprivileged_from.filter(|_| port != 0) else {
        return if port == 0 {
            security_module("binding")
        } else {
            (
                Code::AccessDenied,
                "the port is privileged, or a security module forbids it: which ports are privileged in the \
                 caller's network namespace could not be read"
                    .to_owned(),
            )
        };
    };
    if port >= from || facts.may_bind_privileged == Some(true) {
        return security_module("binding");
    }
    let summary = format!(
        "ports below {from} are privileged (net.ipv4.ip_unprivileged_port_start), and the caller lacks \
         CAP_NET_BIND_SERVICE"
    );
    let summary = match facts.may_bind_privileged {
        Some(_) => summary,
        None => format!("{summary} in the user namespace that owns the network"),
    };
    (Code::PrivilegedPort, summary)
}

fn security_module(doing: &str) -> Reason {
    let summary = format!(
        "a security module such as SELinux, AppArmor or Landlock, or a program attached to the cgroup, forbids \
         {doing} here: no privilege of the port is in the way"
    );
    (Code::ForbiddenBySecurityModule, summary)
}

/// EINVAL of listen: only a socket that never had a connection can listen (`inet_listen` in net/ipv4/af_inet.c requires
/// SS_UNCONNECTED, which does not return when a connection ends).
fn cannot_listen_now(state: State) -> Reason {
    match state {
        State::Bound | State::Listen => (
            Code::InvalidArgument,
            "the socket had a connection, which is over: it cannot listen any more".to_owned(),
        ),
        _ => (Code::AlreadyConnected, "the socket has a connection: it cannot listen as well".to_owned()),
    }
}

/// EINVAL of bind. Whether the sockaddr was too short is unknown: that remains if no other check fails.
fn invalid(socket: &Socket, facts: &Facts) -> Reason {
    if facts.state != State::Bound || facts.is_bound {
        return (
            Code::AlreadyBound,
            "the socket is bound or in use already: a socket is bound once".to_owned(),
        );
    }
    if let (Family::Inet6, IpAddr::V6(address)) = (socket.family, socket.address)
        && let Some(shown) = invalid_v6(address, socket)
    {
        return shown;
    }
    if is_mapped(socket.address) {
        return family_mismatch(socket.family);
    }
    let (bytes, hint) = match socket.family {
        Family::Inet => (16, ""),
        _ => (24, ", as one of IPv4 is"),
    };
    (Code::SockaddrSize, format!("the address was given in fewer than {bytes} bytes{hint}"))
}

/// The IPv6 checks that always fail for a socket with these options and this address.
fn invalid_v6(address: Ipv6Addr, socket: &Socket) -> Option<Reason> {
    let is_stream = matches!(socket.protocol, Protocol::Tcp | Protocol::Mptcp);
    if is_stream && address.is_multicast() {
        return Some((
            Code::MulticastOnStream,
            "a stream socket cannot be bound to a multicast address".to_owned(),
        ));
    }
    if socket.options.v6_only && is_mapped(IpAddr::V6(address)) {
        let summary = "the address is one of IPv4, and IPV6_V6ONLY keeps the socket to IPv6".to_owned();
        return Some((Code::MappedOnV6only, summary));
    }
    if address.is_unicast_link_local() && socket.interface.is_none() {
        let summary = "a link-local address counts on one interface, and the caller named none".to_owned();
        return Some((Code::LinkLocalWithoutInterface, summary));
    }
    None
}

fn family_mismatch(family: Family) -> Reason {
    let family = match family {
        Family::Inet => "IPv4",
        _ => "IPv6",
    };
    (Code::FamilyMismatch, format!("the socket is one of {family}, and the address of another family"))
}

fn no_interface(socket: &Socket) -> Reason {
    (Code::NoSuchInterface, format!("{} is not in the caller's network namespace", interface(socket)))
}

fn interface(socket: &Socket) -> String {
    match &socket.interface {
        Some(interface) => match &interface.name {
            Some(name) => format!("interface {}", Escaped(name)),
            None => format!("interface number {}", interface.index),
        },
        None => "the interface asked for".to_owned(),
    }
}

const fn is_v6(address: IpAddr) -> bool {
    address.is_ipv6() && !is_mapped(address)
}

const fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

#[cfg(test)]
#[path = "other_errors_tests.rs"]
mod tests;
