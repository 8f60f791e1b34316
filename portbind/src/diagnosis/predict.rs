//! Predicts the result of a bind by the kernel's rule, from sockets found without tracing.

use std::net::IpAddr;

use super::rule::{Asked, Generation, Held, Memory, decide};
use crate::event::{Holder, Ownership, Protocol, Socket, State};

/// Whether the rule lets a bind pass and, for a socket that will listen, the listen after it.
#[must_use]
pub fn would_pass(generation: Generation, socket: &Socket, holders: &[Holder]) -> bool {
    let held: Vec<Held> = holders.iter().map(Held::of).collect();
    let listens = matches!(socket.protocol, Protocol::Tcp | Protocol::Mptcp) && !socket.options.reuse_port;
    let passes = |listening| {
        let asked = Asked::of(socket, listening);
        !decide(generation, &asked, &held, &Memory::default()).clause.refuses()
    };
    passes(false) && (!listens || passes(true))
}

/// Whether the rule could let a bind pass if every socket with unknown options had the options that permit sharing.
#[must_use]
pub fn may_pass(generation: Generation, socket: &Socket, holders: &[Holder]) -> bool {
    let willing = |holder: &Holder| {
        let mut holder = holder.clone();
        if !holder.options_known {
            (holder.options.reuse_address, holder.options.reuse_port) = (true, true);
        }
        // The SO_REUSEPORT group is also unknown.
        Holder { uid: holder.uid.map(|_| socket.uid), ..holder }
    };
    would_pass(generation, socket, &holders.iter().map(willing).collect::<Vec<_>>())
}

/// Whether a socket receives what any peer sends to this address; for `None`, to any address.
#[must_use]
pub fn accepts(holder: &Holder, address: Option<IpAddr>) -> bool {
    let serves = match holder.protocol {
        Protocol::Tcp | Protocol::Mptcp | Protocol::Sctp => holder.state == State::Listen,
        _ => holder.peer.is_none(),
    };
    let Some(wanted) = address.map(|address| address.to_canonical()) else { return serves };
    let takes = match holder.address {
        IpAddr::V4(own) if own.is_unspecified() => wanted.is_ipv4(),
        IpAddr::V6(own) if own.is_unspecified() => wanted.is_ipv6() || !holder.options.v6_only,
        own => own.to_canonical() == wanted,
    };
    serves && takes
}

/// Whether every socket on the port belongs to a client's connection, as far as known from outside: no socket listens
/// or is only bound, and the port is one that the kernel picks for connections.
#[must_use]
pub fn is_outgoing(holders: &[Holder], ephemeral: Option<(u16, u16)>) -> bool {
    !holders.is_empty() && holders.iter().all(|holder| !is_served(holder, holders, ephemeral))
}

/// Whether a socket belongs to a server on the port, and not to a client that uses it as its local port: the socket
/// listens, is only bound, or is a connection accepted by a listener on the port. Without a listener, the port decides:
/// the kernel picks the clients' ports from the ephemeral range. A TIME_WAIT socket with both ports in that range may
/// belong to either side and counts as the server's.
#[must_use]
pub fn is_served(holder: &Holder, holders: &[Holder], ephemeral: Option<(u16, u16)>) -> bool {
    let Some((_, peer_port)) = holder.peer else { return true };
    let in_range = |port| ephemeral.is_some_and(|(low, high)| (low..=high).contains(&port));
    holders.iter().any(|other| may_have_accepted(other, holder))
        || holder.ownership == Ownership::NotAccepted
        || !in_range(holder.port)
        || (holder.ownership == Ownership::TimeWait && in_range(peer_port))
}

/// Whether a listener may have accepted a connection.
pub(super) fn may_have_accepted(listener: &Holder, connection: &Holder) -> bool {
    listener.state == State::Listen
        && listener.protocol == connection.protocol
        && accepts(listener, Some(connection.address))
}

/// Gives connections with unknown options the options of the listener that accepted them, from which they were copied
/// (`sk_clone_lock`, net/core/sock.c; `tcp_time_wait`, net/ipv4/tcp_minisocks.c). The remaining sockets get their
/// options from `passes_with`, the results of a trial bind with SO_REUSEADDR and one with SO_REUSEPORT: an option that
/// lets the trial pass is set on the sockets in its way.
pub fn guess_options(holders: &mut [Holder], passes_with: (bool, bool)) {
    let listeners: Vec<Holder> = holders
        .iter()
        .filter(|holder| holder.options_known && holder.state == State::Listen)
        .cloned()
        .collect();
    for holder in holders.iter_mut().filter(|holder| !holder.options_known) {
        let listener = listeners.iter().find(|listener| may_have_accepted(listener, holder));
        let shown = listener.map(|listener| (listener.options.reuse_address, listener.options.reuse_port));
        (holder.options.reuse_address, holder.options.reuse_port) = shown.unwrap_or(passes_with);
    }
}

#[cfg(test)]
#[path = "predict_tests.rs"]
mod tests;
