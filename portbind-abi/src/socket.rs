//! A refused socket.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;

record! {
/// The refused socket, and its request.
pub struct Socket = 40 {
    /// Requested address.
    pub address: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Index of the network interface that the socket is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// User id of the socket (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6; in a [`Portless`](super::Portless), any other AF_*.
    pub family: u16,
    /// IPPROTO_*; for AF_NETLINK, NETLINK_*.
    pub protocol: u16,
    /// Requested port.
    pub port: u16,
    /// SOCK_*.
    pub socket_type: u16,
    /// TCP state (include/net/tcp_states.h).
    pub state: u8,
    /// Bits of [`option`](super::option).
    pub options: u8,
    /// The port that the socket is already bound to, 0 if none (`skc_num`): a socket can be bound only once.
    pub own_port: u16,
}
}
