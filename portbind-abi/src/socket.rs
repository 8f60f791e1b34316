//! A refused socket.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;

record! {
/// The refused socket, and what was asked for.
pub struct Socket = 40 {
    /// The address that was asked for.
    pub address: Address,
    /// Inode number of the network namespace.
    pub netns: u32,
    /// Index of the network interface it is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// Owner (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6; of a [`Portless`](super::Portless), any other AF_*.
    pub family: u16,
    /// IPPROTO_*; NETLINK_* of AF_NETLINK.
    pub protocol: u16,
    /// The port that was asked for.
    pub port: u16,
    /// SOCK_*.
    pub socket_type: u16,
    /// TCP state (include/net/tcp_states.h).
    pub state: u8,
    /// Bits of [`option`](super::option).
    pub options: u8,
    /// The port that it has already, 0 if none (`skc_num`): a socket is bound once.
    pub own_port: u16,
}
}
