//! What the kernel's rule lets expect of a bind, from sockets that were found without tracing.

use std::net::IpAddr;

use super::rule::{Asked, Generation, Held, Memory, decide};
use crate::event::{Holder, Ownership, Protocol, Socket, State};

/// Whether the rule lets a bind through, and then the listen of a socket that listens.
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

/// Whether the rule could let a bind through if each socket whose options are not known had those that share.
#[must_use]
pub fn may_pass(generation: Generation, socket: &Socket, holders: &[Holder]) -> bool {
    let willing = |holder: &Holder| {
        let mut holder = holder.clone();
        if !holder.options_known {
            (holder.options.reuse_address, holder.options.reuse_port) = (true, true);
        }
        // Of whose group it is is not known either.
        Holder { uid: holder.uid.map(|_| socket.uid), ..holder }
    };
    would_pass(generation, socket, &holders.iter().map(willing).collect::<Vec<_>>())
}

/// Whether a socket takes what is sent to an address, or to any, from anybody.
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

/// Every socket on the port is the connection of a client, as far as can be told from outside: none listens or is
/// only bound, and the kernel picks such ports for connections.
#[must_use]
pub fn is_outgoing(holders: &[Holder], ephemeral: Option<(u16, u16)>) -> bool {
    !holders.is_empty() && holders.iter().all(|holder| !is_served(holder, holders, ephemeral))
}

/// Whether a socket belongs to a server on the port, and not to a client that has it as its own local port: it
/// listens or is only bound, or is a connection that a listener there has accepted. Where no listener is left, the
/// port decides: from the ephemeral range the kernel picks those of clients. A connection in TIME_WAIT with both ports in
/// that range may be of either.
#[must_use]
pub fn is_served(holder: &Holder, holders: &[Holder], ephemeral: Option<(u16, u16)>) -> bool {
    let Some((_, peer_port)) = holder.peer else { return true };
    let in_range = |port| ephemeral.is_some_and(|(low, high)| (low..=high).contains(&port));
    holders.iter().any(|other| may_have_accepted(other, holder))
        || holder.ownership == Ownership::NotAccepted
        || !in_range(holder.port)
        || (holder.ownership == Ownership::TimeWait && in_range(peer_port))
}

/// Whether a connection can be one that a listener has accepted.
pub(super) fn may_have_accepted(listener: &Holder, connection: &Holder) -> bool {
    listener.state == State::Listen
        && listener.protocol == connection.protocol
        && accepts(listener, Some(connection.address))
}

/// Gives connections whose options nobody can be asked for those of the listener that accepted them: they got
/// them from it (`sk_clone_lock`, net/core/sock.c; `tcp_time_wait`, net/ipv4/tcp_minisocks.c). Those left are told
/// by what a trial with SO_REUSEADDR and one with SO_REUSEPORT say: what lets a bind pass, those in its way have.
pub fn guess_options(holders: &mut [Holder], passes_with: (bool, bool)) {
    let listeners: Vec<Holder> = holders
        .iter()
        .filter(|holder| holder.options_known && holder.state == State::Listen)
        .cloned()
        .collect();
    for holder in holders.iter_mut().filter(|holder| !holder.options_known) {
        let listener = listeners.iter().find(|listener| may_have_accepted(listener, holder));
        let told = listener.map(|listener| (listener.options.reuse_address, listener.options.reuse_port));
        (holder.options.reuse_address, holder.options.reuse_port) = told.unwrap_or(passes_with);
    }
}

#[cfg(test)]
#[path = "predict_tests.rs"]
mod tests;
