//! The record of a refused port, and of those who have the port.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;
use super::header::Header;
use super::identity::Identity;
use super::ring::{RING_BYTES, RING_HEADER_LEN};
use super::socket::Socket;

/// How many holders of one refusal are copied; more are counted and flagged.
pub const MAX_HOLDERS: u32 = 32;
/// Bytes of the ring buffer that a refusal with one holder takes.
pub const ONE_HOLDER_LEN: usize = RING_HEADER_LEN + size_of::<Refusal>() + size_of::<Holder>();
const _: () = assert!(RING_BYTES as usize / ONE_HOLDER_LEN >= 8000);

record! {
/// A refusal. [`Refusal::holders`] records [`Holder`] follow it, in the same record of the ring buffer.
pub struct Refusal = 136 {
    /// Kind [`REFUSAL`](super::kind::REFUSAL).
    pub header: Header,
    /// Who.
    pub identity: Identity,
    /// What.
    pub socket: Socket,
    /// What the caller got: a positive errno.
    pub error: u32,
    /// One of [`operation`](super::operation).
    pub operation: u32,
    /// Holders that follow, at most [`MAX_HOLDERS`].
    pub holders: u32,
    /// Sockets on the port whose addresses cannot overlap with the asked one: not sent.
    pub bystanders: u32,
    /// Bits of [`walk`](super::walk): how the search for holders went.
    pub flags: u32,
    /// VRF master of the bind bucket of the holders, 0 if none (`inet_bind_bucket.l3mdev`).
    pub vrf: u32,
}
}

impl Refusal {
    /// Bytes of its record, the holders included.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<Self>() + self.holders as usize * size_of::<Holder>()
    }
}

record! {
/// One socket on the port at the instant of the refusal; network namespace and port are the asked ones. TIME_WAIT (state
/// 6) and request (state 12) sockets have no inode, protocol and owner: these fields hold other data then.
pub struct Holder = 88 {
    /// Address of the kernel's object: an identity while the socket lives, nothing more.
    pub id: u64,
    /// Inode number in sockfs, 0 if the socket has none.
    pub inode: u64,
    /// Local address.
    pub address: Address,
    /// Remote address.
    pub peer: Address,
    /// TIME_WAIT: jiffies left until it ends; of other states, nothing.
    pub jiffies_left: i64,
    /// Connections waiting to be accepted (listeners); of other states, nothing.
    pub backlog: u32,
    /// Most connections that may wait (listeners); of other states, nothing.
    pub max_backlog: u32,
    /// Index of the network interface it is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// Owner (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Remote port.
    pub peer_port: u16,
    /// TCP state (include/net/tcp_states.h); UDP: 7 unconnected, 1 connected.
    pub state: u8,
    /// TIME_WAIT sockets: 5 while it is a FIN_WAIT2 of an orphan, else 6 (`tw_substate`).
    pub time_wait_state: u8,
    /// Bits of [`option`](super::option).
    pub options: u8,
    /// Bits of [`holder`](super::holder).
    pub flags: u8,
    /// One more than a descriptor that the caller itself had of it; 0 if that is none of the caller's first
    /// [`OWN_DESCRIPTORS`], or if this is none of the first [`OWN_SOCKETS`] holders, and before Linux 5.17.
    pub own_descriptor: u16,
    /// Zero.
    pub reserved: u32,
}
}

/// Descriptors of a caller that are compared with a holder: as many as every table has room for (`NR_OPEN_DEFAULT`,
/// include/linux/fdtable.h).
pub const OWN_DESCRIPTORS: u32 = 64;
/// Holders that are compared with the caller's descriptors.
pub const OWN_SOCKETS: u32 = 4;
