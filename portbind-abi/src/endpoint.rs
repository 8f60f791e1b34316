//! A socket on its port, in port events.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;

record! {
/// A socket on its port. TIME_WAIT (state 6) and request (state 12) sockets have no inode and no protocol: the two
/// fields then hold unrelated data.
pub struct Endpoint = 64 {
    /// Kernel address of the socket: it identifies the socket while it lives, nothing more.
    pub id: u64,
    /// Inode number in sockfs, 0 if the socket has none.
    pub inode: u64,
    /// Local address.
    pub address: Address,
    /// Remote address.
    pub peer: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Local port.
    pub port: u16,
    /// Remote port.
    pub peer_port: u16,
    /// TCP state (include/net/tcp_states.h); UDP: 7 unconnected, 1 connected.
    pub state: u32,
}
}
