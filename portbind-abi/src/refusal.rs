//! The record of a refused port, and of its holders.

#[cfg(feature = "zerocopy")]
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use super::address::Address;
use super::header::Header;
use super::identity::Identity;
use super::ring::{RING_BYTES, RING_HEADER_LEN};
use super::socket::Socket;

/// Maximum number of holders of one refusal that are copied; if there are more, the record is flagged.
pub const MAX_HOLDERS: u32 = 32;
/// Bytes that a refusal with one holder takes in the ring buffer.
pub const ONE_HOLDER_LEN: usize = RING_HEADER_LEN + size_of::<Refusal>() + size_of::<Holder>();
const _: () = assert!(RING_BYTES as usize / ONE_HOLDER_LEN >= 8000);

record! {
/// A refusal. [`Refusal::holders`] records of type [`Holder`] follow it, in the same record of the ring buffer.
pub struct Refusal = 136 {
    /// Kind [`REFUSAL`](super::kind::REFUSAL).
    pub header: Header,
    /// The caller.
    pub identity: Identity,
    /// The refused socket.
    pub socket: Socket,
    /// The error that the call returned: a positive errno.
    pub error: u32,
    /// One of [`operation`](super::operation).
    pub operation: u32,
    /// Number of holders that follow, at most [`MAX_HOLDERS`].
    pub holders: u32,
    /// Number of sockets on the port whose addresses cannot overlap with the requested one: they are not sent.
    pub bystanders: u32,
    /// Bits of [`walk`](super::walk): the result of the search for holders.
    pub flags: u32,
    /// VRF master of the bind bucket of the holders, 0 if none (`inet_bind_bucket.l3mdev`).
    pub vrf: u32,
}
}

impl Refusal {
    /// Bytes of the refusal's record, including the holders.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<Self>() + self.holders as usize * size_of::<Holder>()
    }
}

record! {
/// One socket on the port at the moment of the refusal, in the requested network namespace. TIME_WAIT (state 6) and
/// request (state 12) sockets have no inode, protocol and owner: these fields then hold unrelated data.
pub struct Holder = 88 {
    /// Kernel address of the socket: it identifies the socket while it lives, nothing more.
    pub id: u64,
    /// Inode number in sockfs, 0 if the socket has none.
    pub inode: u64,
    /// Local address.
    pub address: Address,
    /// Remote address.
    pub peer: Address,
    /// TIME_WAIT: jiffies until the socket is destroyed; meaningless in other states.
    pub jiffies_left: i64,
    /// Listeners: connections waiting to be accepted; meaningless in other states.
    pub backlog: u32,
    /// Listeners: maximum backlog; meaningless in other states.
    pub max_backlog: u32,
    /// Index of the network interface that the socket is bound to, 0 if none (`skc_bound_dev_if`).
    pub interface: u32,
    /// User id of the socket (`sk_uid`), in the initial user namespace.
    pub uid: u32,
    /// AF_INET or AF_INET6.
    pub family: u16,
    /// IPPROTO_*.
    pub protocol: u16,
    /// Remote port.
    pub peer_port: u16,
    /// TCP state (include/net/tcp_states.h); UDP: 7 unconnected, 1 connected.
    pub state: u8,
    /// TIME_WAIT sockets: 5 for the FIN_WAIT2 state of an orphan, else 6 (`tw_substate`).
    pub time_wait_state: u8,
    /// Bits of [`option`](super::option).
    pub options: u8,
    /// Bits of [`holder`](super::holder).
    pub flags: u8,
    /// 1 + a descriptor of the holder in the caller itself. 0 if the holder is not among the caller's first
    /// [`OWN_DESCRIPTORS`] descriptors, if the holder is not among the first [`OWN_SOCKETS`] holders, and before Linux
    /// 5.17.
    pub own_descriptor: u16,
    /// Zero.
    pub reserved: u32,
}
}

/// Number of the caller's descriptors that are compared with a holder: every descriptor table has room for this many
/// (`NR_OPEN_DEFAULT`, include/linux/fdtable.h).
pub const OWN_DESCRIPTORS: u32 = 64;
/// Number of holders that are compared with the caller's descriptors.
pub const OWN_SOCKETS: u32 = 4;
