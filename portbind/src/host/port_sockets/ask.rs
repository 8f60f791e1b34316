//! Asks the kernel for the sockets of a network namespace.

use std::io;

use rustix::net::netdevice::index_to_name;

use super::inet_diag;
use super::query::Query;
use super::socket::PortSocket;
use crate::host::broker::SocketKind;
use crate::host::entrance::Entrance;
use crate::host::netns::Netns;
use crate::host::sock_diag::SockDiag;

/// Asks the kernel for the sockets of a network namespace.
///
/// # Errors
/// If the namespace may not be entered, or the kernel has no diagnosis of TCP (the module `tcp_diag`).
pub fn ask(entrance: &Entrance, netns: &Netns, query: &Query) -> io::Result<Vec<PortSocket>> {
    let mut found = Vec::new();
    inet_diag::ask(&mut SockDiag::open(entrance, netns.descriptor())?, query, &mut found)?;
    Ok(found)
}

/// Names of the interfaces of a network namespace, by index.
pub(super) fn interface_names(entrance: &Entrance, netns: &Netns, indices: &[u32]) -> Vec<Option<String>> {
    let socket = entrance.socket(netns.descriptor(), SocketKind::Interfaces).ok();
    indices.iter().map(|&index| index_to_name(socket.as_ref()?, index).ok()).collect()
}
